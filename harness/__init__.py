"""tinyhil: hardware-in-the-loop validation of neural networks on microcontrollers."""

__version__ = "0.1.0"
