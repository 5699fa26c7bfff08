"""Runtimes: the ways to compute a model on a board.

tinyhil's own is generated C; `tflm` is TensorFlow Lite Micro in a program of Arm's. Other packages add runtimes by
entry points of the group "tinyhil.runtimes" that name objects with the methods of a SourceRuntime or ProgramRuntime of
harness.runtimes.base.
"""

from __future__ import annotations

from harness.errors import OptionError
from harness.plugins import Table
from harness.runtimes.base import Measures, ProgramRun, ProgramRuntime, Runtime, SourceRuntime

__all__ = [
    "BOTH", "DEFAULT_RUNTIME", "RUNTIMES", "TFLM", "Measures", "ProgramRun", "ProgramRuntime", "Runtime",
    "SourceRuntime", "making_sources",
]  # fmt: skip

DEFAULT_RUNTIME = "tinyhil"
TFLM = "tflm"
BOTH = "both"
"""A choice of DEFAULT_RUNTIME and TFLM, one after the other."""

RUNTIMES: Table[Runtime] = Table(
    "runtime",
    "tinyhil.runtimes",
    {DEFAULT_RUNTIME: "harness.runtimes.generated:GENERATED_C", TFLM: "harness.runtimes.tflm.runtime:TFLM_RUNTIME"},
)
"""Name -> runtime; its module is imported by `get`."""


def making_sources(name: str) -> SourceRuntime:
    """The runtime of that name, which makes sources.

    Raises:
        OptionError: there is none of that name, or it is a program that takes model files.
    """
    runtime = RUNTIMES.get(name)
    if not isinstance(runtime, SourceRuntime):
        raise OptionError(f"runtime {name} makes no sources", hint=f"take runtime {DEFAULT_RUNTIME} for that")
    return runtime
