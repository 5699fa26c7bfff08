"""How much of a long suite runs: a seeded sample by default, all of it under `make test-long`."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")


def scaled(sample: T, whole: T) -> T:
    """`whole` examples when TINYHIL_LONG=1, else `sample`."""
    return whole if os.environ.get("TINYHIL_LONG") == "1" else sample
