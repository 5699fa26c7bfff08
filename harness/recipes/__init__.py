"""Recipes: what is done to a trained network, step by step, and what each step costs on the board."""
