"""Operators that only move bytes, on Armv8.1-M MVE: 16 bytes in three instructions."""

from __future__ import annotations

from math import prod

from harness.kernels.base import Context, Cost, Kernel
from harness.kernels.movement import (
    ConcatPortable,
    MovePortable,
    PadPortable,
    SplitPortable,
    StridedSlicePortable,
    moved,
)
from harness.kernels.mve import LANES, MVE

_Copying = ConcatPortable | SplitPortable | StridedSlicePortable | PadPortable

SHORT = 8
"""Runs of fewer bytes are copied as quickly one by one."""


class MoveMve(MovePortable):
    """A copy as it is."""

    features = MVE
    function = "move_mve"

    def cost(self, context: Context) -> Cost:
        return _copies(1, moved(context))


class ConcatMve(ConcatPortable):
    """CONCATENATION: one strided copy an input."""

    features = MVE
    function = "copy_rows_mve"

    def applies(self, context: Context) -> bool:
        return _shortest(self, context) >= SHORT

    def cost(self, context: Context) -> Cost:
        return _cost(self, context)


class SplitMve(SplitPortable):
    """SPLIT and SPLIT_V: one strided copy an output."""

    features = MVE
    function = "copy_rows_mve"

    def applies(self, context: Context) -> bool:
        return _shortest(self, context) >= SHORT

    def cost(self, context: Context) -> Cost:
        return _cost(self, context)


class StridedSliceMve(StridedSlicePortable):
    """STRIDED_SLICE with any steps, where runs are not too short."""

    features = MVE
    function = "strided_copy_mve"

    def applies(self, context: Context) -> bool:
        return _shortest(self, context) >= SHORT

    def cost(self, context: Context) -> Cost:
        return _cost(self, context)


class PadMve(PadPortable):
    """PAD and PADV2, int8, where runs are not too short."""

    features = MVE
    function = "strided_copy_mve"
    fill = "fill_bytes_mve"

    def applies(self, context: Context) -> bool:
        return _shortest(self, context) >= SHORT

    def cost(self, context: Context) -> Cost:
        filled = Cost(14 + 2 * -(-context.output().bytes // LANES))
        return Cost(filled.instructions + _cost(self, context).instructions)


def _shortest(kernel: _Copying, context: Context) -> int:
    """Bytes of the shortest run."""
    return min(call.shape["bytes"] for call in kernel.lower(context).calls if call.function == kernel.function)


def _cost(kernel: _Copying, context: Context) -> Cost:
    calls = [call for call in kernel.lower(context).calls if call.function == kernel.function]
    runs = [(call.shape.get("rows") or prod(call.shape[f"n{i}"] for i in range(5)), call) for call in calls]
    return Cost(sum(_copies(count, call.shape["bytes"]).instructions for count, call in runs))


def _copies(runs: int, size: int) -> Cost:
    return Cost(10 + runs * (16 + 3 * -(-size // LANES)))


KERNELS: tuple[Kernel, ...] = (MoveMve(), ConcatMve(), SplitMve(), StridedSliceMve(), PadMve())
