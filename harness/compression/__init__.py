"""Weights in fewer bits: rounding one after the other, shared values, 4 bits; and what that changes in the outputs."""
