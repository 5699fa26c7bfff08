"""Operators that only move bytes, on Armv8.1-M MVE: 16 bytes in three instructions."""

from __future__ import annotations

import numpy as np

from harness.kernels.base import Kernel
from harness.kernels.context import Context
from harness.kernels.movement import (
    ConcatPortable,
    MovePortable,
    MovesPortable,
    PadPortable,
    PadRunsPortable,
    SplitPortable,
    StridedSlicePortable,
    borders,
    moved,
    runs,
)
from harness.kernels.mve import LANES
from harness.kernels.mve_kernel import Loops, MveKernel

SHORT = 8
"""Runs of fewer bytes are copied as quickly one by one."""


class MoveMve(MveKernel, MovePortable):
    """A copy as it is."""

    function = "move_mve"

    def loops(self, context: Context) -> Loops:
        return {"run": 1, "vector": -(-moved(context) // LANES)}


class _LongRuns(MveKernel):
    """Copies of runs that are not too short."""

    function: str

    def applies(self, context: Context) -> bool:
        return _shortest(self, context) >= SHORT

    def loops(self, context: Context) -> Loops:
        return _copies(self, context)


class _LongRunsFilled(_LongRuns):
    """Copies of runs that are not too short, between bytes that are filled."""

    function = "strided_copy_mve"
    fill = "fill_bytes_mve"

    def loops(self, context: Context) -> Loops:
        return {**_copies(self, context), "filled": _filled(self, context)}


class ConcatMve(_LongRuns, ConcatPortable):
    """CONCATENATION: one strided copy an input."""

    function = "copy_rows_mve"


class SplitMve(_LongRuns, SplitPortable):
    """SPLIT and SPLIT_V: one strided copy an output."""

    function = "copy_rows_mve"


class StridedSliceMve(_LongRuns, StridedSlicePortable):
    """STRIDED_SLICE with any steps, where runs are not too short."""

    function = "strided_copy_mve"


class PadMve(_LongRunsFilled, PadPortable):
    """PAD and PADV2, where runs are not too short."""


class PadRunsMve(MveKernel, PadRunsPortable):
    """The same, where all bytes of the value are alike: runs and the border between them in turn."""

    function = "pad_runs_mve"

    def loops(self, context: Context) -> Loops:
        (call,) = self.lower(context).calls
        between, count = borders(call)[:, 1], runs(call)
        vectors = {"vector": count * -(-call.shape["bytes"] // LANES), "filled": float(np.sum(-(-between // LANES)))}
        return {"run": count, "gap": len(between), **vectors}


class MovesMve(_LongRunsFilled, MovesPortable):
    """Operators that say which elements they copy where, where runs are not too short."""


def _shortest(kernel: _LongRuns, context: Context) -> int:
    """Bytes of the shortest run."""
    return min(call.shape["bytes"] for call in kernel.lower(context).calls if call.function == kernel.function)


def _filled(kernel: _LongRunsFilled, context: Context) -> float:
    """Vectors that are filled."""
    return sum(-(-c.shape["bytes"] // LANES) for c in kernel.lower(context).calls if c.function == kernel.fill)


def _copies(kernel: _LongRuns, context: Context) -> dict[str, float]:
    calls = [call for call in kernel.lower(context).calls if call.function == kernel.function]
    vectors = sum(runs(call) * -(-call.shape["bytes"] // LANES) for call in calls)
    return {"run": sum(map(runs, calls)), "vector": vectors}


KERNELS: tuple[Kernel, ...] = (
    MoveMve(),
    ConcatMve(),
    SplitMve(),
    StridedSliceMve(),
    PadMve(),
    PadRunsMve(),
    MovesMve(),
)
