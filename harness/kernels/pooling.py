"""AVERAGE_POOL_2D, MAX_POOL_2D and MEAN, int8."""

from __future__ import annotations

from math import prod

from harness.ir.operators.mean import MeanAttrs
from harness.ir.window import PoolAttrs
from harness.kernels.access_order import AccessOrder, reduced, windows
from harness.kernels.base import Call, In, Kernel, Lowered, Out
from harness.kernels.context import Context
from harness.kernels.loops import NestLoop, merge, padded, row_major
from harness.kernels.window_fields import window_fields
from harness.kernels.work import Work
from harness.quantization.params import mean_params


class PoolS8(Kernel):
    """What pooling kernels have in common."""

    function: str

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, PoolAttrs)
        window = context.window
        sizes = ("out_h", "out_w", "kernel_h", "kernel_w", "stride_h", "stride_w", "pad_top", "pad_left")
        shape = window_fields(window, "batches", "in_h", "in_w") | {"channels": window.in_c}
        shape |= window_fields(window, *sizes) | {"clamp_min": attrs.clamp[0], "clamp_max": attrs.clamp[1]}
        return Lowered(self.function, (Call(self.function, (In(), Out()), shape),))

    def access_order(self, context: Context) -> AccessOrder:
        return windows(context, within=range(context.output().shape[3]), own=True)

    def windows(self, context: Context) -> tuple[int, int, int]:
        """(pixels, rows of windows inside the image, taps inside), over all pixels and without regard to channels."""
        window = context.window
        rows = window.batches * window.rows.taps_inside() * window.columns.out
        return window.pixels, rows, window.taps_inside()

    def work(self, context: Context) -> Work:
        pixels, rows, taps = self.windows(context)
        channels = context.output().shape[3]
        loops = {"pixel": pixels, "element": pixels * channels, "line": rows * channels, "tap": taps * channels}
        return Work(loops)


class AveragePoolS8Portable(PoolS8):
    """int8 AVERAGE_POOL_2D."""

    ops = frozenset({"AVERAGE_POOL_2D"})
    function = "average_pool_s8_portable"


class MaxPoolS8Portable(PoolS8):
    """int8 MAX_POOL_2D."""

    ops = frozenset({"MAX_POOL_2D"})
    function = "max_pool_s8_portable"


class MeanS8Portable(Kernel):
    """int8 MEAN over any axes."""

    ops = frozenset({"MEAN"})

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, MeanAttrs)
        x, y = context.input(), context.output()
        loops = [NestLoop(n, (step,)) for n, step in zip(x.shape, row_major(x.shape), strict=True)]
        what = f"MEAN of '{x.name}'"
        reduced = merge([loop for i, loop in enumerate(loops) if i in attrs.axes], 1)
        kept = padded(merge([loop for i, loop in enumerate(loops) if i not in attrs.axes], 1), 3, 1, what)
        count = prod(loop.count for loop in reduced)
        factor = mean_params(x, y, count)
        shape = {f"kept{i}": loop.count for i, loop in enumerate(kept)}
        shape |= {f"kept_step{i}": loop.steps[0] for i, loop in enumerate(kept)}
        nest = padded(reduced, 3, 1, what)
        shape |= {f"reduced{i}": loop.count for i, loop in enumerate(nest)}
        shape |= {f"reduced_step{i}": loop.steps[0] for i, loop in enumerate(nest)}
        shape |= {"zero_sum": x.q.zero_point * count, "multiplier": factor.m, "shift": factor.shift}
        shape |= {"out_zero": y.q.zero_point}
        return Lowered("mean_s8_portable", (Call("mean_s8_portable", (In(), Out()), shape),))

    def access_order(self, context: Context) -> AccessOrder:
        return reduced(context)

    def work(self, context: Context) -> Work:
        attrs, x = context.node.attrs, context.input()
        assert isinstance(attrs, MeanAttrs)
        loops = [NestLoop(n, (step,)) for n, step in zip(x.shape, row_major(x.shape), strict=True)]
        innermost = merge([loop for i, loop in enumerate(loops) if i in attrs.axes], 1)[-1].count
        elements = context.output().elements
        return Work({"element": elements, "line": x.elements // innermost, "tap": x.elements})


KERNELS: tuple[Kernel, ...] = (AveragePoolS8Portable(), MaxPoolS8Portable(), MeanS8Portable())
