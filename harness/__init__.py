"""tinyhil: hardware-in-the-loop validation of neural networks on microcontrollers."""

__version__ = "0.1.0"

DEFAULT_BOARD = "mps2-an500"
"""The board that runs when none is named."""
