"""AVERAGE_POOL_2D and MAX_POOL_2D of int16 on Armv8.1-M MVE."""

from __future__ import annotations

from harness.ir.operators import OPERATORS
from harness.ir.operators.operator import same
from harness.kernels.base import Call, In, Kernel, Lowered, Out
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.float_layers import PoolWidePortable
from harness.kernels.loops import operation_loop
from harness.kernels.mve_kernel import MVE
from harness.kernels.work import Work
from harness.quantization.types import DType

_TYPES = same(DType.INT16)
_AVERAGES = constant("pool_wide_portable.h", "HIL_POOL_AVERAGE_POOL_2D")
MOST_TAPS = 1 << 14
"""Of a window; from there on a mean is no longer exact (pool_s16_mve.c)."""


class PoolS16Mve(PoolWidePortable):
    """Four channels of a window at a time."""

    ops = frozenset(op for op in PoolWidePortable.ops if set(_TYPES) & set(OPERATORS[op].types))
    types = _TYPES
    features = MVE

    def applies(self, context: Context) -> bool:
        return context.window.taps < MOST_TAPS and super().applies(context)

    def lower(self, context: Context) -> Lowered:
        (call,) = super().lower(context).calls
        shape = {name: value for name, value in call.shape.items() if name not in ("is_float", "operation")}
        shape["averages"] = int(call.shape["operation"] == _AVERAGES)
        arguments = (In(ctype="int16_t"), Out(ctype="int16_t"))
        return Lowered("pool_s16_mve", (Call("pool_s16_mve", arguments, shape),))

    def work(self, context: Context) -> Work:
        window, fours = context.window, -(-context.output().shape[3] // 4)
        lines = window.batches * window.columns.out * window.rows.taps_inside()
        loops = {"pixel": window.pixels, operation_loop(context, "four"): window.pixels * fours}
        return Work(loops | {"line": lines * fours, "tap": window.taps_inside() * fours})


KERNELS: tuple[Kernel, ...] = (PoolS16Mve(),)
