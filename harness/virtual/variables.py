"""Environment variables of the virtual board."""

VARIABLE = "TINYHIL_VIRTUAL_PROBE"
"""Names of boards, separated by commas, to offer to pyOCD as debug probes."""

STATE_VARIABLE = "TINYHIL_VIRTUAL_STATE"
"""The folder with the flash of virtual boards."""
