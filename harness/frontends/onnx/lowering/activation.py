"""Activations: of TFLM's own, fused where a layer stands before them; others composed of arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi, sqrt
from typing import TypeAlias

import numpy as np

from harness.frontends.onnx.arithmetic import Arithmetic
from harness.frontends.onnx.fusing import FREE, clamped
from harness.frontends.onnx.moving import reshaped
from harness.frontends.onnx.network import Network
from harness.frontends.onnx.node import Lower, Lowering, OnnxNode, Unsupported, axis_of, must_be
from harness.frontends.onnx.value import OnnxValue
from harness.ir.graph import NoAttrs
from harness.ir.operators.leaky_relu import LeakyAttrs
from harness.ir.operators.softmax import SoftmaxAttrs
from harness.quantization.types import DType

Composed: TypeAlias = Callable[[OnnxNode, Arithmetic, OnnxValue], OnnxValue]


def _of_float(compose: Composed) -> Lower:
    """A function of one float32 value."""

    def lower(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
        must_be(node.value(0), DType.FLOAT32)
        return (compose(node, Arithmetic(net), node.value(0)),)

    return lower


def _plain(op: str) -> Composed:
    return lambda node, math, x: math.unary(op, x)


def _relu(node: OnnxNode, math: Arithmetic, x: OnnxValue) -> OnnxValue:
    return x if clamped(math.net, x, (0, FREE[1])) else math.relu(x)


def _clip(node: OnnxNode, math: Arithmetic, x: OnnxValue) -> OnnxValue:
    if node.version < 11:
        low, high = node.attribute("min"), node.attribute("max")
    else:
        bounds = node.optional(1), node.optional(2)
        if any(b is not None and b.data is None for b in bounds):
            return _clip_at_run_time(math, x, *bounds)
        low, high = node.scalar(1, "a bound"), node.scalar(2, "a bound")
    low = None if low is None or low <= FREE[0] else float(low)
    high = None if high is None or high >= FREE[1] else float(high)
    if low is not None and high is not None and low > high:
        raise Unsupported("bounds that cross")
    pair = {(0.0, None): (0, FREE[1]), (0.0, 6.0): (0, 6), (-1.0, 1.0): (-1, 1)}.get((low, high))  # type: ignore[arg-type]
    if pair is not None and clamped(math.net, x, pair):
        return x
    if (low, high) == (0.0, None):
        return math.relu(x)
    if (low, high) == (0.0, 6.0):
        return math.unary("RELU6", x)
    return math.within(x, low, high)


def _clip_at_run_time(math: Arithmetic, x: OnnxValue, low: OnnxValue | None, high: OnnxValue | None) -> OnnxValue:
    """The higher bound wins where they cross, as in ONNX."""
    low, high = (None if b is not None and b.data is not None and np.isinf(b.data).all() else b for b in (low, high))
    if low is not None:
        x = math.binary("MAXIMUM", x, low)
    return x if high is None else math.binary("MINIMUM", x, high)


def _leaky(node: OnnxNode, math: Arithmetic, x: OnnxValue) -> OnnxValue:
    return math.unary("LEAKY_RELU", x, LeakyAttrs(node.real("alpha", 0.01)))


def _exponential(math: Arithmetic, x: OnnxValue, alpha: float, over: float = 1.0) -> OnnxValue:
    """alpha * (exp(x / over) - 1) below 0, 0 from there on."""
    below = math.within(x, None, 0.0)
    if over != 1:
        below = math.div(below, math.number(over))
    return math.times(math.plus(math.exp(below), -1.0), alpha)


def _elu(node: OnnxNode, math: Arithmetic, x: OnnxValue) -> OnnxValue:
    alpha = node.real("alpha", 1.0)
    return math.unary("ELU", x) if alpha == 1 else math.add(math.relu(x), _exponential(math, x, alpha))


def _selu(node: OnnxNode, math: Arithmetic, x: OnnxValue) -> OnnxValue:
    alpha, gamma = node.real("alpha", 1.67326319217681884765625), node.real("gamma", 1.05070102214813232421875)
    return math.times(math.add(math.relu(x), _exponential(math, x, alpha)), gamma)


def _celu(node: OnnxNode, math: Arithmetic, x: OnnxValue) -> OnnxValue:
    alpha = node.real("alpha", 1.0)
    return math.add(math.relu(x), _exponential(math, x, alpha, alpha))


def _hard_sigmoid(node: OnnxNode, math: Arithmetic, x: OnnxValue) -> OnnxValue:
    line = math.plus(math.times(x, node.real("alpha", 0.2)), node.real("beta", 0.5))
    return math.within(line, 0.0, 1.0)


def _softsign(node: OnnxNode, math: Arithmetic, x: OnnxValue) -> OnnxValue:
    return math.div(x, math.plus(math.abs(x), 1.0))


def _softplus(node: OnnxNode, math: Arithmetic, x: OnnxValue) -> OnnxValue:
    return math.softplus(x)


def _mish(node: OnnxNode, math: Arithmetic, x: OnnxValue) -> OnnxValue:
    return math.mul(x, math.tanh(math.softplus(x)))


def _swish(node: OnnxNode, math: Arithmetic, x: OnnxValue) -> OnnxValue:
    return math.mul(x, math.logistic(math.times(x, node.real("alpha", 1.0))))


def _erf(node: OnnxNode, math: Arithmetic, x: OnnxValue) -> OnnxValue:
    return math.erf(x)


def _gelu(node: OnnxNode, math: Arithmetic, x: OnnxValue) -> OnnxValue:
    how = node.text("approximate", "none")
    if how == "tanh":
        inner = math.mul(x, math.plus(math.times(math.square(x), 0.044715), 1.0))
        bent = math.tanh(math.times(inner, sqrt(2 / pi)))
    elif how == "none":
        bent = math.erf(math.times(x, sqrt(0.5)))
    else:
        raise Unsupported(f"approximate {how}")
    return math.mul(math.times(x, 0.5), math.plus(bent, 1.0))


def _thresholded(node: OnnxNode, math: Arithmetic, x: OnnxValue) -> OnnxValue:
    above = math.binary("GREATER", x, math.number(node.real("alpha", 1.0)), DType.BOOL)
    return math.select(above, x, math.number(0.0))


def _shrink(node: OnnxNode, math: Arithmetic, x: OnnxValue) -> OnnxValue:
    edge, bias = node.real("lambd", 0.5), node.real("bias", 0.0)
    below = math.binary("LESS", x, math.number(-edge), DType.BOOL)
    above = math.binary("GREATER", x, math.number(edge), DType.BOOL)
    inner = math.select(above, math.plus(x, -bias), math.number(0.0))
    return math.select(below, math.plus(x, bias), inner)


def _along(op: str) -> Composed:
    """SOFTMAX or LOG_SOFTMAX, which are over the last stored dimension."""

    def compose(node: OnnxNode, math: Arithmetic, x: OnnxValue) -> OnnxValue:
        net = math.net
        if x.rank == 0:
            raise Unsupported("a scalar")
        axis = axis_of(node.integer("axis", 1 if node.version < 13 else -1), x.rank)
        attrs = SoftmaxAttrs(1.0) if op == "SOFTMAX" else NoAttrs()
        if node.version < 13 and axis != x.rank - 1:  # all dimensions from the axis on are one
            rows = 1
            for n in x.shape[:axis]:
                rows *= n
            flat = reshaped(net, x, (rows, -(-_count(x.shape) // rows)))
            y = net.emit(op, [net.stored(flat)], flat.shape, attrs)
            return reshaped(net, net.made(flat.shape, y), x.shape)
        order = x.order if x.order and x.order[-1] == axis else (*(i for i in x.order if i != axis), axis)
        if not x.order:
            order = (*(i for i in range(x.rank) if i != axis), axis)
        tensor = net.stored(x, order)
        return net.made(x.shape, net.emit(op, [tensor], net.tensors[tensor].shape, attrs), order)

    return compose


def _count(shape: Sequence[int]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total


LOWERINGS = {
    "Relu": Lowering(_of_float(_relu), (6, 13, 14)),
    "Clip": Lowering(_of_float(_clip), (6, 11, 12, 13)),
    "Sigmoid": Lowering(_of_float(_plain("LOGISTIC")), (6, 13)),
    "Tanh": Lowering(_of_float(_plain("TANH")), (6, 13)),
    "HardSwish": Lowering(_of_float(_plain("HARD_SWISH")), (14, 22)),
    "HardSigmoid": Lowering(_of_float(_hard_sigmoid), (6, 22)),
    "LeakyRelu": Lowering(_of_float(_leaky), (6, 16)),
    "Elu": Lowering(_of_float(_elu), (6, 22)),
    "Selu": Lowering(_of_float(_selu), (6, 22)),
    "Celu": Lowering(_of_float(_celu), (12, 28)),
    "Softplus": Lowering(_of_float(_softplus), (1, 22)),
    "Softsign": Lowering(_of_float(_softsign), (1, 22)),
    "Mish": Lowering(_of_float(_mish), (18, 22)),
    "Swish": Lowering(_of_float(_swish), (24,)),
    "Erf": Lowering(_of_float(_erf), (9, 13)),
    "Gelu": Lowering(_of_float(_gelu), (20,)),
    "ThresholdedRelu": Lowering(_of_float(_thresholded), (10, 22)),
    "Shrink": Lowering(_of_float(_shrink), (9,)),
    "Softmax": Lowering(_of_float(_along("SOFTMAX")), (1, 11, 13)),
    "LogSoftmax": Lowering(_of_float(_along("LOG_SOFTMAX")), (1, 11, 13)),
}
