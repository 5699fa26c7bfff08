"""AVERAGE_POOL_2D, MAX_POOL_2D and MEAN, int8."""

from __future__ import annotations

from math import prod

from harness.graph import MeanAttrs, PoolAttrs
from harness.kernels.accesses import Accesses, reduced, windows
from harness.kernels.base import Call, Context, Cost, In, Kernel, Lowered, Out
from harness.kernels.effort import straight
from harness.kernels.loops import Loop, merge, padded, row_major
from harness.oracle.params import mean_params


class PoolS8(Kernel):
    """What pooling kernels have in common."""

    function: str
    per_output: float = 0
    per_tap: float = 0

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, PoolAttrs)
        n, in_h, in_w, channels = context.input().shape
        _, out_h, out_w, _ = context.output().shape
        shape = {
            "batches": n,
            "in_h": in_h,
            "in_w": in_w,
            "channels": channels,
            "out_h": out_h,
            "out_w": out_w,
            "kernel_h": attrs.kernel[0],
            "kernel_w": attrs.kernel[1],
            "stride_h": attrs.stride[0],
            "stride_w": attrs.stride[1],
            "pad_top": attrs.pads.top,
            "pad_left": attrs.pads.left,
            "clamp_min": attrs.clamp[0],
            "clamp_max": attrs.clamp[1],
        }
        return Lowered(self.function, (Call(self.function, (In(), Out()), shape),))

    def accesses(self, context: Context) -> Accesses:
        return windows(context, within=range(context.output().shape[3]), own=True)

    def cost(self, context: Context) -> Cost:
        attrs = context.node.attrs
        assert isinstance(attrs, PoolAttrs)
        batches, height, width, channels = context.output().shape
        channel = self.per_output + attrs.kernel[0] * (8 + attrs.kernel[1] * self.per_tap)
        effort = straight(32 + batches * height * (12 + width * (53 + channels * channel)))
        return effort.cost(context.target)


class AveragePoolS8Portable(PoolS8):
    """int8 AVERAGE_POOL_2D."""

    ops = frozenset({"AVERAGE_POOL_2D"})
    function = "average_pool_s8_portable"
    per_output = 28
    per_tap = 5


class MaxPoolS8Portable(PoolS8):
    """int8 MAX_POOL_2D."""

    ops = frozenset({"MAX_POOL_2D"})
    function = "max_pool_s8_portable"
    per_output = 22
    per_tap = 7


class MeanS8Portable(Kernel):
    """int8 MEAN over any axes."""

    ops = frozenset({"MEAN"})

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, MeanAttrs)
        x, y = context.input(), context.output()
        loops = [Loop(n, (step,)) for n, step in zip(x.shape, row_major(x.shape), strict=True)]
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

    def accesses(self, context: Context) -> Accesses:
        return reduced(context)

    def cost(self, context: Context) -> Cost:
        return Cost(6 * context.input().elements + 30 * context.output().elements)
