"""The version, and what stands where nothing is named."""

__version__ = "0.1.0"

DEFAULT_BOARD = "mps2-an500"
"""The board that runs when none is named."""

DEFAULT_CORE = "cortex-m7"
"""The core that `tinyhil generate` takes when neither core nor board is named."""
