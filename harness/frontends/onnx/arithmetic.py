"""Arithmetic on values: operators of one or two operands with numpy's broadcasting, as compositions are written in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.frontends.onnx.fusing import FREE
from harness.frontends.onnx.moving import common_order, reshaped
from harness.frontends.onnx.network import Network
from harness.frontends.onnx.node import Unsupported
from harness.frontends.onnx.value import OnnxValue, identity
from harness.ir.graph import Attrs
from harness.ir.operators.binary import BinaryAttrs
from harness.quantization.types import DType

_CLAMPED = frozenset({"ADD", "SUB", "MUL", "DIV"})
"""Operators whose attributes are a clamp."""


def broadcast(net: Network, values: Sequence[OnnxValue]) -> tuple[tuple[int, ...], tuple[int, ...], list[int]]:
    """Shape and order of what values broadcast to, and their tensors for it."""
    try:
        shape = tuple(int(n) for n in np.broadcast_shapes(*(value.shape for value in values)))
    except ValueError:
        raise Unsupported("shapes that do not broadcast") from None
    rank = len(shape)
    order = common_order(net, values, rank)
    tensors = []
    for value in values:
        full = value
        if value.rank < rank:
            full = reshaped(net, value, (1,) * (rank - value.rank) + value.shape)
        tensors.append(net.stored(full, order))
    return shape, order, tensors


@dataclass(frozen=True)
class Arithmetic:
    """Emits operators of float32 (and others, where they have them)."""

    net: Network

    def number(self, value: float) -> OnnxValue:
        """A float32 constant."""
        return OnnxValue("", (), DType.FLOAT32, np.array(value, np.float32))

    def binary(self, op: str, a: OnnxValue, b: OnnxValue, dtype: DType | None = None) -> OnnxValue:
        """An operator of two operands; `dtype` is of the output, where it is not theirs."""
        if a.dtype is not b.dtype:
            raise Unsupported(f"types {a.dtype.value} and {b.dtype.value}")
        shape, order, tensors = broadcast(self.net, [a, b])
        attrs: Attrs | None = None
        if op in _CLAMPED:
            attrs = BinaryAttrs(self.net.tensors[tensors[0]].dtype.range)
        y = self.net.emit(op, tensors, [shape[i] for i in order], attrs, dtype)
        return self.net.made(shape, y, order, dtype or a.dtype)

    def unary(self, op: str, x: OnnxValue, attrs: Attrs | None = None, dtype: DType | None = None) -> OnnxValue:
        """An operator of one operand, element by element."""
        order = x.order or identity(x.rank)
        tensor = self.net.stored(x, order)
        y = self.net.emit(op, [tensor], self.net.tensors[tensor].shape, attrs, dtype)
        return self.net.made(x.shape, y, order, dtype or x.dtype)

    def select(self, condition: OnnxValue, a: OnnxValue, b: OnnxValue) -> OnnxValue:
        """`a` where the condition holds, `b` where it does not."""
        if a.dtype is not b.dtype:
            raise Unsupported(f"types {a.dtype.value} and {b.dtype.value}")
        shape, order, tensors = broadcast(self.net, [condition, a, b])
        dtype = self.net.tensors[tensors[1]].dtype
        y = self.net.emit("SELECT_V2", tensors, [shape[i] for i in order], None, dtype)
        return self.net.made(shape, y, order, a.dtype)

    def add(self, a: OnnxValue, b: OnnxValue) -> OnnxValue:
        """a + b."""
        return self.binary("ADD", a, b)

    def sub(self, a: OnnxValue, b: OnnxValue) -> OnnxValue:
        """a - b."""
        return self.binary("SUB", a, b)

    def mul(self, a: OnnxValue, b: OnnxValue) -> OnnxValue:
        """a * b."""
        return self.binary("MUL", a, b)

    def div(self, a: OnnxValue, b: OnnxValue) -> OnnxValue:
        """a / b."""
        return self.binary("DIV", a, b)

    def times(self, x: OnnxValue, factor: float) -> OnnxValue:
        """x * factor."""
        return x if factor == 1 else self.mul(x, self.number(factor))

    def plus(self, x: OnnxValue, term: float) -> OnnxValue:
        """x + term."""
        return x if term == 0 else self.add(x, self.number(term))

    def within(self, x: OnnxValue, low: float | None, high: float | None) -> OnnxValue:
        """x limited to low..high, as far as they are given."""
        if low is not None:
            x = self.binary("MAXIMUM", x, self.number(low))
        return x if high is None else self.binary("MINIMUM", x, self.number(high))

    def square(self, x: OnnxValue) -> OnnxValue:
        """x * x."""
        return self.unary("SQUARE", x)

    def sqrt(self, x: OnnxValue) -> OnnxValue:
        """The square root."""
        return self.unary("SQRT", x)

    def abs(self, x: OnnxValue) -> OnnxValue:
        """The absolute value."""
        return self.unary("ABS", x)

    def exp(self, x: OnnxValue) -> OnnxValue:
        """e to the power of x."""
        return self.unary("EXP", x)

    def log(self, x: OnnxValue) -> OnnxValue:
        """The natural logarithm."""
        return self.unary("LOG", x)

    def tanh(self, x: OnnxValue) -> OnnxValue:
        """The hyperbolic tangent."""
        return self.unary("TANH", x)

    def logistic(self, x: OnnxValue) -> OnnxValue:
        """1 / (1 + exp(-x))."""
        return self.unary("LOGISTIC", x)

    def relu(self, x: OnnxValue) -> OnnxValue:
        """max(x, 0)."""
        return self.unary("RELU", x)

    def softplus(self, x: OnnxValue) -> OnnxValue:
        """log(1 + exp(x)), as max(x, 0) + log(1 + exp(-|x|)), which does not overflow."""
        small = self.exp(self.unary("NEG", self.abs(x)))
        return self.add(self.relu(x), self.log(self.plus(small, 1.0)))

    def erf(self, x: OnnxValue) -> OnnxValue:
        """The error function to 2e-7. Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26."""
        size = self.abs(x)
        t = self.div(self.number(1.0), self.plus(self.times(size, 0.3275911), 1.0))
        poly = self.plus(self.times(t, 1.061405429), -1.453152027)
        for factor in (1.421413741, -0.284496736, 0.254829592):
            poly = self.plus(self.mul(poly, t), factor)
        tail = self.mul(self.mul(poly, t), self.exp(self.unary("NEG", self.square(x))))
        positive = self.sub(self.number(1.0), tail)
        below = self.binary("LESS", x, self.number(0.0), DType.BOOL)
        return self.select(below, self.unary("NEG", positive), positive)


__all__ = ["FREE", "Arithmetic", "broadcast"]
