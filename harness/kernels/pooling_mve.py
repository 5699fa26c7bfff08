"""AVERAGE_POOL_2D, MAX_POOL_2D and MEAN, int8, on Armv8.1-M MVE."""

from __future__ import annotations

from math import prod

from harness.ir.operators.mean import MeanAttrs
from harness.ir.window import PoolAttrs
from harness.kernels.access_order import AccessOrder, reduced, windows
from harness.kernels.base import Call, In, Kernel, Lowered, Out
from harness.kernels.context import Context
from harness.kernels.loops import NestLoop, merge, padded, row_major
from harness.kernels.mve import LANES
from harness.kernels.mve_kernel import Loops, MveKernel
from harness.kernels.pooling import AveragePoolS8Portable, MaxPoolS8Portable
from harness.quantization.params import mean_params

MAX_COLUMNS = 256
"""Sums of one row of a window are kept in 16 bits."""

MAX_COUNT = 5600
"""Elements of a mean that is divided by a reciprocal of 32 bits."""


_SUMS = ("layer", "pixel", "block", "half", "row", "column", "half_row", "half_column", "four")


class AveragePoolS8Mve(MveKernel, AveragePoolS8Portable):
    """int8 AVERAGE_POOL_2D, 16 channels at a time."""

    function = "average_pool_s8_mve"

    def applies(self, context: Context) -> bool:
        attrs = context.node.attrs
        assert isinstance(attrs, PoolAttrs)
        return attrs.kernel[1] <= MAX_COLUMNS and prod(attrs.kernel) <= MAX_COUNT

    def access_order(self, context: Context) -> AccessOrder:
        return _sixteens(context)

    def loops(self, context: Context) -> Loops:
        pixels, rows, elements = self.windows(context)
        return {"pixel": pixels, **_sums(context.output().shape[3], pixels, rows, elements)}


class MaxPoolS8Mve(MveKernel, MaxPoolS8Portable):
    """int8 MAX_POOL_2D, 16 channels at a time."""

    function = "max_pool_s8_mve"

    def access_order(self, context: Context) -> AccessOrder:
        return _sixteens(context)

    def loops(self, context: Context) -> Loops:
        pixels, rows, elements = self.windows(context)
        count = -(-context.output().shape[3] // LANES)
        return {"pixel": pixels, "block": count * pixels, "row": count * rows, "column": count * elements}


def _sixteens(context: Context) -> AccessOrder:
    """A pool: pixel by pixel, 16 channels at a time."""
    return windows(context, within=[channel // LANES for channel in range(context.output().shape[3])], own=True)


class MeanS8Mve(MveKernel):
    """int8 MEAN over dimensions in front of the last: over height and width above all."""

    ops = frozenset({"MEAN"})

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

    def access_order(self, context: Context) -> AccessOrder:
        return reduced(context)

    def loops(self, context: Context) -> Loops:
        reduced_loops, kept = _loops(context)
        rows, columns = (loop.count for loop in padded(reduced_loops, 2, 1, "MEAN"))
        pixels = prod(loop.count for loop in kept[:-1])
        return {"pixel": pixels, **_sums(kept[-1].count, pixels, pixels * rows, pixels * rows * columns)}


def _sums(channels: int, pixels: int, rows: int, elements: int) -> dict[str, float]:
    """Loops of window_sums_s8_mve and of what follows: by 16 channels, and by 8 for the last if they are fewer."""
    whole, halves = channels // LANES, -(-(channels % LANES) // 8)
    return {
        "block": pixels * -(-channels // LANES),
        "half": pixels * halves,
        "row": whole * rows,
        "column": whole * elements,
        "half_row": halves * rows,
        "half_column": halves * elements,
        "four": pixels * -(-channels // 4),
    }


def _loops(context: Context) -> tuple[list[NestLoop], list[NestLoop]]:
    """(reduced, kept) loops with the input's steps, merged."""
    attrs, x = context.node.attrs, context.input()
    assert isinstance(attrs, MeanAttrs)
    loops = [NestLoop(n, (step,)) for n, step in zip(x.shape, row_major(x.shape), strict=True)]
    reduced_loops = merge([loop for i, loop in enumerate(loops) if i in attrs.axes], 1)
    kept = [loop for i, loop in enumerate(loops) if i not in attrs.axes and loop.count > 1]
    return reduced_loops, merge(kept, 1) if kept else []


KERNELS: tuple[Kernel, ...] = (AveragePoolS8Mve(), MaxPoolS8Mve(), MeanS8Mve())
