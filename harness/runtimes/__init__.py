"""Runtimes: what computes a model on a board.

The one built in is tinyhil's own generated C. Packages add others by entry points of the group "tinyhil.runtimes",
whose object is a harness.runtimes.base.Runtime.
"""

from __future__ import annotations

from harness.plugins import Table
from harness.runtimes.base import Measures, Runtime

__all__ = ["DEFAULT_RUNTIME", "RUNTIMES", "Measures", "Runtime"]

DEFAULT_RUNTIME = "tinyhil"

RUNTIMES: Table[Runtime] = Table(
    "runtime", "tinyhil.runtimes", {DEFAULT_RUNTIME: "harness.runtimes.generated:GENERATED_C"}
)
"""By name; `get` imports."""
