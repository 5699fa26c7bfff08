"""Modelled cycles: a profile of the code that a model executes, and the model of a board that costs it."""
