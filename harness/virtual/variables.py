"""Environment variables of the virtual board."""

VARIABLE = "TINYHIL_VIRTUAL_PROBE"
"""Boards, joined by commas, to be offered to pyOCD as debug probes."""

STATE_VARIABLE = "TINYHIL_VIRTUAL_STATE"
"""The folder in which they keep their flash."""
