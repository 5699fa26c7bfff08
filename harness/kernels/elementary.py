"""Functions of one float32, and those of int16."""

from __future__ import annotations

from harness.ir.operators.leaky_relu import LeakyAttrs
from harness.ir.operators.operator import same
from harness.kernels.access_order import AccessOrder, elementwise
from harness.kernels.base import Call, Float, In, Kernel, Lowered, Out
from harness.kernels.constants import constant, numbered
from harness.kernels.context import Context
from harness.kernels.loops import operation_loop
from harness.kernels.lstm import sigmoid_constant
from harness.kernels.mve_kernel import MVE
from harness.kernels.work import Work
from harness.quantization.params import (
    Multiplier,
    abs_params,
    leaky_params,
    relu6_clamp,
    relu_clamp,
    requantize_params,
    rsqrt_params,
)
from harness.quantization.sigmoid16 import sigmoid16_factor
from harness.quantization.types import Clamp, DType

_WIDE_HEADER = "unary_s16_portable.h"
_OPERATION = numbered("unary_f32_portable.h", "HIL_UNARY_")
_OF_INT16 = numbered(_WIDE_HEADER, "HIL_UNARY_S16_")
_ROOT_BITS = constant("rsqrt_s16_portable.h", "HIL_ROOT_BITS")
_SIGMOID = numbered("sigmoid_s16_portable.h", "HIL_SIGMOID_")


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
        return Work({operation_loop(context): context.output().elements})


class UnaryS16Portable(Kernel):
    """Functions of one int16 that have one slope below zero, and another from there up."""

    ops = frozenset(_OF_INT16)
    types = same(DType.INT16)
    superseded_by = MVE
    function = "unary_s16_portable"

    def lower(self, context: Context) -> Lowered:
        x, y, operation = context.input(), context.output(), _OF_INT16[context.node.op]
        (above, below), zeros, clamp = self.slopes(context)
        names = ("above_multiplier", "above_shift", "below_multiplier", "below_shift")
        factors = (above.m, above.shift, below.m, below.shift)
        shape = {"count": y.elements, "operation": operation, "in_zero": x.q.zero_point * zeros}
        shape |= {"scaled": int(above.m != 0)} | dict(zip(names, factors, strict=True))
        shape |= {"out_zero": y.q.zero_point * zeros, "clamp_min": clamp[0], "clamp_max": clamp[1]}
        call = Call(self.function, (In(ctype="int16_t"), Out(ctype="int16_t")), shape)
        return Lowered(self.function, (call,))

    def slopes(self, context: Context) -> tuple[tuple[Multiplier, Multiplier], int, Clamp]:
        """Factors from zero up and below, 0 where nothing is multiplied; whether zero points count; the clamp."""
        x, y, attrs, operation = context.input(), context.output(), context.node.attrs, _OF_INT16[context.node.op]
        none = Multiplier(0, 0)
        if isinstance(attrs, LeakyAttrs):
            return leaky_params(x, y, attrs.alpha), 1, y.dtype.range
        if operation == constant(_WIDE_HEADER, "HIL_UNARY_S16_RELU"):
            factor = requantize_params(x, y)
            return (factor, factor), 1, relu_clamp(y)
        if operation == constant(_WIDE_HEADER, "HIL_UNARY_S16_RELU6"):
            return (none, none), 0, relu6_clamp(x)
        scaled = abs_params(x, y) or none
        return (scaled, Multiplier(-scaled.m, scaled.shift)), 1, y.dtype.range

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context)

    def work(self, context: Context) -> Work:
        return Work({operation_loop(context): context.output().elements})


class UnaryS16Mve(UnaryS16Portable):
    """The same on Armv8.1-M MVE, four at a time."""

    features = MVE
    superseded_by = frozenset()
    function = "unary_s16_mve"

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context, group=4)

    def work(self, context: Context) -> Work:
        (above, below), _, _ = self.slopes(context)
        fours = -(-context.output().elements // 4)
        return Work({operation_loop(context, "four"): fours, "two_slopes": fours * (above != below)})


class SigmoidS16Portable(Kernel):
    """LOGISTIC and TANH of int16: a table of 257 points, which all layers of a model share, interpolated."""

    ops = frozenset(_SIGMOID)
    types = same(DType.INT16)
    superseded_by = MVE
    function = "sigmoid_s16_portable"

    def lower(self, context: Context) -> Lowered:
        multiplier, right = sigmoid16_factor(context.input())
        shape = {"count": context.output().elements, "function": _SIGMOID[context.node.op]}
        arguments = (In(ctype="int16_t"), sigmoid_constant(), Out(ctype="int16_t"))
        call = Call(self.function, arguments, shape | {"multiplier": multiplier, "right": right})
        return Lowered(self.function, (call,))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context)

    def work(self, context: Context) -> Work:
        return Work({operation_loop(context): context.output().elements})


class SigmoidS16Mve(SigmoidS16Portable):
    """The same on Armv8.1-M MVE, four at a time."""

    features = MVE
    superseded_by = frozenset()
    function = "sigmoid_s16_mve"

    def work(self, context: Context) -> Work:
        return Work({operation_loop(context, "four"): -(-context.output().elements // 4)})


class RsqrtS16Portable(Kernel):
    """RSQRT of int16."""

    ops = frozenset({"RSQRT"})
    types = same(DType.INT16)

    def lower(self, context: Context) -> Lowered:
        factor = rsqrt_params(context.input(), context.output())
        shape = {"count": context.output().elements, "multiplier": factor.m, "shift": factor.shift - _ROOT_BITS}
        call = Call("rsqrt_s16_portable", (In(ctype="int16_t"), Out(ctype="int16_t")), shape)
        return Lowered("rsqrt_s16_portable", (call,))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context)

    def work(self, context: Context) -> Work:
        return Work({operation_loop(context): context.output().elements})


KERNELS: tuple[Kernel, ...] = (
    UnaryF32Portable(),
    UnaryS16Portable(),
    UnaryS16Mve(),
    SigmoidS16Portable(),
    SigmoidS16Mve(),
    RsqrtS16Portable(),
)
