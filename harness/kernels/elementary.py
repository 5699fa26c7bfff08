"""Functions of one float32, and those of int16."""

from __future__ import annotations

from harness.ir.operators import OPERATORS
from harness.ir.operators.leaky_relu import LeakyAttrs
from harness.ir.operators.operator import same
from harness.kernels.access_order import AccessOrder, elementwise
from harness.kernels.base import Call, Float, In, Kernel, Lowered, Out
from harness.kernels.constants import numbered
from harness.kernels.context import Context
from harness.kernels.work import Work
from harness.quantization.params import abs_params, leaky_params
from harness.quantization.types import DType

_OPERATION = numbered("unary_f32_portable.h", "HIL_UNARY_")


class UnaryF32Portable(Kernel):
    """Functions of one float32: the same bits on every core."""

    ops = frozenset(_OPERATION)
    types = same(DType.FLOAT32)

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        alpha = attrs.alpha if isinstance(attrs, LeakyAttrs) else 0.0
        shape = {"count": context.output().elements, "operation": _OPERATION[context.node.op]}
        call = Call("unary_f32_portable", (In(ctype="float"), Out(ctype="float"), Float(alpha)), shape)
        return Lowered("unary_f32_portable", (call,))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context)

    def work(self, context: Context) -> Work:
        return Work({"element": context.output().elements})


class UnaryS16Portable(Kernel):
    """Functions of one int16 that have one slope below zero, and another from there up."""

    ops = frozenset(name for name in _OPERATION if same(DType.INT16)[0] in OPERATORS[name].types)
    types = same(DType.INT16)

    def lower(self, context: Context) -> Lowered:
        x, y, attrs = context.input(), context.output(), context.node.attrs
        if isinstance(attrs, LeakyAttrs):
            above, below = leaky_params(x, y, attrs.alpha)
            factors = (1, above.m, above.shift, below.m, below.shift)
        else:
            factor = abs_params(x, y)
            factors = (0, 0, 0, 0, 0) if factor is None else (1, factor.m, factor.shift, -factor.m, factor.shift)
        names = ("scaled", "above_multiplier", "above_shift", "below_multiplier", "below_shift")
        shape = {"count": y.elements, "in_zero": x.q.zero_point} | dict(zip(names, factors, strict=True))
        shape["out_zero"] = y.q.zero_point
        call = Call("unary_s16_portable", (In(ctype="int16_t"), Out(ctype="int16_t")), shape)
        return Lowered("unary_s16_portable", (call,))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context)

    def work(self, context: Context) -> Work:
        return Work({"element": context.output().elements})


KERNELS: tuple[Kernel, ...] = (UnaryF32Portable(), UnaryS16Portable())
