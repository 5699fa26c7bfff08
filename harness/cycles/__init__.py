"""Cycles without silicon: a profile of executed code, and the model that turns it into a board's cycles."""
