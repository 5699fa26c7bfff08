"""AVERAGE_POOL_2D, MAX_POOL_2D and MEAN, int8, on cores with the DSP extension: four channels at a time."""

from __future__ import annotations

from math import prod

import numpy as np

from harness.ir.operators.mean import MeanAttrs
from harness.ir.window import PoolAttrs
from harness.kernels.access_order import AccessOrder, windows
from harness.kernels.base import Call, In, Kernel, Lowered, Out
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.pooling import PoolS8
from harness.kernels.scaling_dsp import DSP
from harness.kernels.work import Work
from harness.quantization.params import mean_params
from harness.quantization.types import DType

QUAD = 4
MOST_COLUMNS = constant("pool_s8_dsp.h", "HIL_POOL_DSP_COLUMNS")
"""So many int8 add up in an int16."""


class _PoolS8Dsp(PoolS8):
    features = DSP

    def applies(self, context: Context) -> bool:
        attrs = context.node.attrs
        assert isinstance(attrs, PoolAttrs)
        return context.input().shape[3] >= QUAD and attrs.kernel[1] <= MOST_COLUMNS

    def access_order(self, context: Context) -> AccessOrder:
        channels = context.output().shape[3]
        return windows(context, within=[c // QUAD for c in range(channels)], own=channels % QUAD == 0)


class AveragePoolS8Dsp(_PoolS8Dsp):
    """int8 AVERAGE_POOL_2D of four channels and more."""

    ops = frozenset({"AVERAGE_POOL_2D"})
    function = "average_pool_s8_dsp"

    def work(self, context: Context) -> Work:
        attrs = context.node.attrs
        assert isinstance(attrs, PoolAttrs)
        pixels, lines, taps = self.windows(context)
        quads = -(-context.output().shape[3] // QUAD)
        columns = attrs.kernel[1]
        if columns == context.input().shape[2] and prod(attrs.kernel) <= MOST_COLUMNS:
            lines, columns = pixels, prod(attrs.kernel)  # whole rows follow one another
        loops: dict[str, float] = {"pixel": pixels, "quad": pixels * quads}
        large = prod(attrs.kernel) > MOST_COLUMNS
        narrow = attrs.clamp != DType.INT8.range
        loops |= {"large": pixels * quads * large, "clamped": pixels * quads * (narrow and not large)}
        if columns == 2 and not large:
            return Work(loops | {"two": lines * quads})
        rest = taps - lines * (columns // 4) * 4 if taps == lines * columns else 0
        return Work(loops | {"line": lines * quads, "four": (taps - rest) * quads / 4, "rest": rest * quads})


class MaxPoolS8Dsp(_PoolS8Dsp):
    """int8 MAX_POOL_2D of four channels and more."""

    ops = frozenset({"MAX_POOL_2D"})
    function = "max_pool_s8_dsp"

    def work(self, context: Context) -> Work:
        attrs, window = context.node.attrs, context.window
        assert isinstance(attrs, PoolAttrs)
        heights, widths = (axis.inside().sum(axis=1) for axis in (window.rows, window.columns))
        fours = window.batches * -(-window.in_c // QUAD)
        # Windows of which two columns are inside the image have loops of their own.
        two, lines = int((widths == 2).sum()) * fours, int(heights.sum())
        others, quads = len(widths) * fours - two, window.pixels // window.batches * fours
        loops: dict[str, float] = {"pixel": window.pixels, "quad": quads}
        loops |= {"clamped": quads * (attrs.clamp != DType.INT8.range), "two": lines * two, "line": lines * others}
        return Work(loops | {"tap": lines * fours * int(widths[widths != 2].sum())})


class MeanS8Dsp(Kernel):
    """int8 MEAN over neighbouring axes with four or more elements behind them."""

    ops = frozenset({"MEAN"})
    features = DSP

    def applies(self, context: Context) -> bool:
        return _runs(context) is not None

    def lower(self, context: Context) -> Lowered:
        runs = _runs(context)
        assert runs is not None
        outer, count, inner = runs
        x, y = context.input(), context.output()
        factor = mean_params(x, y, count)
        shape = {"outer": outer, "count": count, "inner": inner, "zero_sum": x.q.zero_point * count}
        shape |= {"multiplier": factor.m, "shift": factor.shift, "out_zero": y.q.zero_point}
        return Lowered("mean_s8_dsp", (Call("mean_s8_dsp", (In(), Out()), shape),))

    def access_order(self, context: Context) -> AccessOrder:
        runs = _runs(context)
        assert runs is not None
        outer, count, inner = runs
        within = np.arange(inner) // QUAD
        steps = np.arange(outer)[:, None] * (int(within.max()) + 1) + within
        # The last four may be read after the four before them were written.
        last = steps if inner % QUAD == 0 else np.broadcast_to(steps.max(axis=1, keepdims=True), steps.shape)
        reads = np.broadcast_to(last[:, None, :], (outer, count, inner))
        return AccessOrder({0: reads.astype(np.int32).reshape(-1)}, steps.astype(np.int32).reshape(-1))

    def work(self, context: Context) -> Work:
        runs = _runs(context)
        assert runs is not None
        outer, count, inner = runs
        quads = outer * -(-inner // QUAD)
        return Work({"outer": outer, "quad": quads, "four": quads * (count // 4), "rest": quads * (count % 4)})


def _runs(context: Context) -> tuple[int, int, int] | None:
    """(elements in front, elements that are averaged, elements behind), or None where the axes are apart."""
    attrs, shape = context.node.attrs, context.input().shape
    assert isinstance(attrs, MeanAttrs)
    axes = [axis for axis in sorted(attrs.axes) if shape[axis] > 1] or [0]
    between = [axis for axis in range(axes[0], axes[-1]) if axis not in attrs.axes and shape[axis] > 1]
    inner = prod(shape[axes[-1] + 1 :])
    if between or inner < QUAD or not attrs.axes:
        return None
    count = prod(shape[axis] for axis in attrs.axes)
    return context.input().elements // count // inner, count, inner


KERNELS: tuple[Kernel, ...] = (AveragePoolS8Dsp(), MaxPoolS8Dsp(), MeanS8Dsp())
