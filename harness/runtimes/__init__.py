"""Runtimes: the ways to compute a model on a board.

tinyhil's own is generated C. Other packages add runtimes by entry points of the group "tinyhil.runtimes" that name
objects with the methods of harness.runtimes.base.Runtime.
"""

from __future__ import annotations

from harness.plugins import Table
from harness.runtimes.base import Measures, Runtime

__all__ = ["DEFAULT_RUNTIME", "RUNTIMES", "Measures", "Runtime"]

DEFAULT_RUNTIME = "tinyhil"

RUNTIMES: Table[Runtime] = Table(
    "runtime", "tinyhil.runtimes", {DEFAULT_RUNTIME: "harness.runtimes.generated:GENERATED_C"}
)
"""Name -> runtime; its module is imported by `get`."""
