"""AVERAGE_POOL_2D, MAX_POOL_2D and MEAN, int8, on Armv8.1-M MVE."""

from __future__ import annotations

from math import prod

from harness.graph import MeanAttrs, PoolAttrs
from harness.kernels.accesses import Accesses, reduced, windows
from harness.kernels.base import Call, Context, Cost, In, Kernel, Lowered, Out
from harness.kernels.loops import Loop, merge, padded, row_major
from harness.kernels.mve import LANES, MVE
from harness.kernels.pooling import AveragePoolS8Portable, MaxPoolS8Portable
from harness.oracle.params import mean_params

MAX_COLUMNS = 256
"""Sums of one row of a window are kept in 16 bits."""

MAX_COUNT = 5600
"""Elements of a mean that is divided by a reciprocal of 32 bits."""


def _blocks(channels: int) -> int:
    return -(-channels // LANES)


class AveragePoolS8Mve(AveragePoolS8Portable):
    """int8 AVERAGE_POOL_2D, 16 channels at a time."""

    features = MVE
    function = "average_pool_s8_mve"

    def applies(self, context: Context) -> bool:
        attrs = context.node.attrs
        assert isinstance(attrs, PoolAttrs)
        return attrs.kernel[1] <= MAX_COLUMNS and prod(attrs.kernel) <= MAX_COUNT

    def accesses(self, context: Context) -> Accesses:
        return _sixteens(context)

    def cost(self, context: Context) -> Cost:
        attrs, y = context.node.attrs, context.output()
        assert isinstance(attrs, PoolAttrs)
        window = attrs.kernel[0] * (12 + 6 * attrs.kernel[1]) + 110
        return Cost(60 + y.elements / y.shape[3] * (50 + _blocks(y.shape[3]) * window))


class MaxPoolS8Mve(MaxPoolS8Portable):
    """int8 MAX_POOL_2D, 16 channels at a time."""

    features = MVE
    function = "max_pool_s8_mve"

    def accesses(self, context: Context) -> Accesses:
        return _sixteens(context)

    def cost(self, context: Context) -> Cost:
        attrs, y = context.node.attrs, context.output()
        assert isinstance(attrs, PoolAttrs)
        window = attrs.kernel[0] * (5 + 5 * attrs.kernel[1]) + 12
        return Cost(60 + y.elements / y.shape[3] * (70 + _blocks(y.shape[3]) * window))


def _sixteens(context: Context) -> Accesses:
    """A pool: pixel by pixel, 16 channels at a time."""
    return windows(context, within=[channel // LANES for channel in range(context.output().shape[3])], own=True)


class MeanS8Mve(Kernel):
    """int8 MEAN over dimensions in front of the last: over height and width above all."""

    ops = frozenset({"MEAN"})
    features = MVE

    def applies(self, context: Context) -> bool:
        reduced_loops, kept = _loops(context)
        dense = bool(kept) and kept[-1].steps == (1,)
        return dense and len(kept) <= 3 and len(reduced_loops) <= 2 and reduced_loops[-1].count <= MAX_COLUMNS

    def lower(self, context: Context) -> Lowered:
        x, y = context.input(), context.output()
        reduced_loops, kept = _loops(context)
        what = f"MEAN of '{x.name}'"
        outer = padded(kept[:-1], 2, 1, what)
        rows, columns = padded(reduced_loops, 2, 1, what)
        count = rows.count * columns.count
        factor = mean_params(x, y, count)
        shape = {"kept0": outer[0].count, "kept1": outer[1].count}
        shape |= {"kept_step0": outer[0].steps[0], "kept_step1": outer[1].steps[0], "channels": kept[-1].count}
        shape |= {"rows": rows.count, "columns": columns.count, "row": rows.steps[0], "column": columns.steps[0]}
        shape |= {"zero_sum": x.q.zero_point * count, "multiplier": factor.m, "shift": factor.shift}
        shape |= {"out_zero": y.q.zero_point}
        return Lowered("mean_s8_mve", (Call("mean_s8_mve", (In(), Out()), shape),))

    def accesses(self, context: Context) -> Accesses:
        return reduced(context)

    def cost(self, context: Context) -> Cost:
        reduced_loops, kept = _loops(context)
        rows, columns = padded(reduced_loops, 2, 1, "MEAN")
        window = rows.count * (12 + 6 * columns.count) + 110
        return Cost(60 + prod(loop.count for loop in kept[:-1]) * _blocks(kept[-1].count) * window)


def _loops(context: Context) -> tuple[list[Loop], list[Loop]]:
    """(reduced, kept) loops with the input's steps, merged."""
    attrs, x = context.node.attrs, context.input()
    assert isinstance(attrs, MeanAttrs)
    loops = [Loop(n, (step,)) for n, step in zip(x.shape, row_major(x.shape), strict=True)]
    reduced_loops = merge([loop for i, loop in enumerate(loops) if i in attrs.axes], 1)
    kept = [loop for i, loop in enumerate(loops) if i not in attrs.axes and loop.count > 1]
    return reduced_loops, merge(kept, 1) if kept else []


KERNELS: tuple[Kernel, ...] = (AveragePoolS8Mve(), MaxPoolS8Mve(), MeanS8Mve())
