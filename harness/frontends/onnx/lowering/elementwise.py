"""Arithmetic, comparison and selection element by element, with broadcasting; Cast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.frontends.onnx.arithmetic import Arithmetic, broadcast
from harness.frontends.onnx.fusing import scaled
from harness.frontends.onnx.network import Network, stored_type
from harness.frontends.onnx.node import Lower, Lowering, OnnxNode, Unsupported, must_be
from harness.frontends.onnx.value import OnnxValue
from harness.quantization.types import Array, DType

NUMBERS = (DType.FLOAT32, DType.INT32)
"""Element types of which sums and products are the same in ONNX and here."""


def per_channel(x: OnnxValue, factor: OnnxValue) -> Array | None:
    """A constant that is one number for each index of the last stored dimension of `x`, as that many; else None."""
    if factor.data is None or factor.dtype is not DType.FLOAT32 or x.data is not None or not x.order:
        return None
    shape = (1,) * (x.rank - factor.rank) + factor.shape
    channel = x.order[-1]
    if len(shape) != x.rank or any(n != 1 for i, n in enumerate(shape) if i != channel):
        return None
    if shape[channel] not in (1, x.shape[channel]):
        return None
    found: Array = np.broadcast_to(factor.data.reshape(-1), (x.shape[channel],))
    return found


def _fused(node: OnnxNode, net: Network, a: OnnxValue, b: OnnxValue) -> OnnxValue | None:
    """A sum, difference or product with a constant per channel, in the weights and bias of the layer before it."""
    for x, factor in ((a, b),) if node.op == "Sub" else ((a, b), (b, a)):
        row = per_channel(x, factor)
        if row is None:
            continue
        shift = np.negative(row) if node.op == "Sub" else row
        done = scaled(net, x, row, None) if node.op == "Mul" else scaled(net, x, None, shift)
        if done:
            return x
    return None


def _binary(op: str, *dtypes: DType) -> Lower:
    def lower(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
        a, b = node.value(0), node.value(1)
        must_be(a, *dtypes)
        must_be(b, *dtypes)
        fused = _fused(node, net, a, b) if node.op in ("Add", "Sub", "Mul") else None
        return (fused or Arithmetic(net).binary(op, a, b),)

    return lower


def _variadic(op: str, mean: bool = False, *dtypes: DType) -> Lower:
    def lower(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
        math = Arithmetic(net)
        total = node.value(0)
        must_be(total, *(dtypes or (DType.FLOAT32,)))
        for i in range(1, len(node.inputs)):
            total = math.binary(op, total, node.value(i))
        return (math.times(total, 1 / len(node.inputs)) if mean else total,)

    return lower


def _unary(op: str) -> Lower:
    def lower(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
        must_be(node.value(0), DType.FLOAT32)
        return (Arithmetic(net).unary(op, node.value(0)),)

    return lower


def _comparison(op: str) -> Lower:
    def lower(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
        return (Arithmetic(net).binary(op, node.value(0), node.value(1), DType.BOOL),)

    return lower


def _logical(op: str) -> Lower:
    def lower(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
        must_be(node.value(0), DType.BOOL)
        return (Arithmetic(net).binary(op, node.value(0), node.value(1), DType.BOOL),)

    return lower


def _not(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    must_be(node.value(0), DType.BOOL)
    return (Arithmetic(net).unary("LOGICAL_NOT", node.value(0)),)


def _reciprocal(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    must_be(node.value(0), DType.FLOAT32)
    math = Arithmetic(net)
    return (math.div(math.number(1.0), node.value(0)),)


def _sign(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    """1 where x > 0, less 1 where x < 0; of what is no number 0."""
    x, math = node.value(0), Arithmetic(net)
    must_be(x, DType.FLOAT32)
    up, down = (
        math.unary("CAST", math.binary(op, x, math.number(0.0), DType.BOOL), dtype=DType.FLOAT32)
        for op in ("GREATER", "LESS")
    )
    return (math.sub(up, down),)


def _is_nan(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    must_be(node.value(0), DType.FLOAT32)
    return (Arithmetic(net).binary("NOT_EQUAL", node.value(0), node.value(0), DType.BOOL),)


def _is_inf(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    """Beyond the largest float32, to the sides that are asked for."""
    x, math, most = node.value(0), Arithmetic(net), float(np.finfo(np.float32).max)
    must_be(x, DType.FLOAT32)
    sides = []
    if node.integer("detect_positive", 1):
        sides.append(math.binary("GREATER", x, math.number(most), DType.BOOL))
    if node.integer("detect_negative", 1):
        sides.append(math.binary("LESS", x, math.number(-most), DType.BOOL))
    if not sides:
        raise Unsupported("neither side")
    return (sides[0] if len(sides) == 1 else math.binary("LOGICAL_OR", sides[0], sides[1], DType.BOOL),)


def _half_exponentials(op: str) -> Lower:
    """Sinh and Cosh: the difference or the sum of half the exponentials of x and -x."""

    def lower(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
        x, math = node.value(0), Arithmetic(net)
        must_be(x, DType.FLOAT32)
        up, down = (math.times(math.exp(part), 0.5) for part in (x, math.unary("NEG", x)))
        return (math.binary(op, up, down),)

    return lower


def _tan(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, math = node.value(0), Arithmetic(net)
    must_be(x, DType.FLOAT32)
    return (math.div(math.unary("SIN", x), math.unary("COS", x)),)


def _acosh(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    """log(x + sqrt((x - 1) * (x + 1)))."""
    x, math = node.value(0), Arithmetic(net)
    must_be(x, DType.FLOAT32)
    root = math.sqrt(math.mul(math.plus(x, -1.0), math.plus(x, 1.0)))
    return (math.log(math.add(x, root)),)


def _asinh(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    """log(|x| + sqrt(x^2 + 1)), with the sign of x."""
    x, math = node.value(0), Arithmetic(net)
    must_be(x, DType.FLOAT32)
    size = math.abs(x)
    y = math.log(math.add(size, math.sqrt(math.plus(math.square(x), 1.0))))
    return (math.select(math.binary("LESS", x, math.number(0.0), DType.BOOL), math.unary("NEG", y), y),)


def _atanh(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    """log((1 + x) / (1 - x)) / 2."""
    x, math = node.value(0), Arithmetic(net)
    must_be(x, DType.FLOAT32)
    ratio = math.div(math.plus(x, 1.0), math.sub(math.number(1.0), x))
    return (math.times(math.log(ratio), 0.5),)


def _pow(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    """Of few constant exponents: TFLM has no general power."""
    x, math = node.value(0), Arithmetic(net)
    must_be(x, DType.FLOAT32)
    exponent = node.scalar(1, "an exponent")
    if node.value(1).rank > x.rank:
        raise Unsupported("an exponent of more dimensions")
    if exponent == 1:
        return (x,)
    if exponent == 2:
        return (math.square(x),)
    if exponent == 3:
        return (math.mul(math.square(x), x),)
    if exponent == 4:
        return (math.square(math.square(x)),)
    if exponent == 0.5:
        return (math.sqrt(x),)
    if exponent == -1:
        return (math.div(math.number(1.0), x),)
    if exponent == -0.5:
        return (math.div(math.number(1.0), math.sqrt(x)),)
    raise Unsupported(f"exponent {exponent:g}")


def _where(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    must_be(node.value(0), DType.BOOL)
    must_be(node.value(1), DType.FLOAT32, DType.INT8, DType.INT16)
    return (Arithmetic(net).select(node.value(0), node.value(1), node.value(2)),)


def _prelu(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, slope = node.value(0), node.value(1)
    must_be(x, DType.FLOAT32)
    shape, order, tensors = broadcast(net, [x, slope])
    if shape != x.shape:
        raise Unsupported("a slope larger than the input")
    return (net.made(shape, net.emit("PRELU", tensors, [shape[i] for i in order]), order),)


_TYPES = {
    1: DType.FLOAT32,
    2: DType.UINT8,
    3: DType.INT8,
    5: DType.INT16,
    6: DType.INT32,
    7: DType.INT64,
    9: DType.BOOL,
    12: DType.UINT32,
    13: DType.UINT64,
}
"""Element types by their number in ONNX."""

_SMALL = (DType.BOOL, DType.INT8, DType.INT16, DType.INT32)


def _to(net: Network, x: OnnxValue, dtype: DType) -> OnnxValue:
    if dtype is x.dtype:
        return x
    # int64 stands in int32, which holds every value of the smaller types; from the larger ones C and ONNX differ.
    if DType.UINT8 in (x.dtype, dtype) or (dtype is DType.INT64 and x.dtype not in _SMALL):
        raise Unsupported(f"{x.dtype.value} made {dtype.value}")
    if x.dtype is DType.FLOAT32 and dtype not in (DType.BOOL, DType.INT32):
        raise Unsupported(f"{x.dtype.value} made {dtype.value}")
    if x.dtype is DType.INT64 and dtype not in (DType.FLOAT32, DType.INT32, DType.BOOL):
        raise Unsupported(f"{x.dtype.value} made {dtype.value}")
    if stored_type(dtype) is stored_type(x.dtype):
        return net.made(x.shape, x.tensor, x.order, dtype)
    y = Arithmetic(net).unary("CAST", x, dtype=stored_type(dtype))
    return net.made(y.shape, y.tensor, y.order, dtype)


def _cast(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    to = node.integer("to")
    node.attribute("saturate")  # of float8, which has no form here
    node.attribute("round_mode")
    if to not in _TYPES:
        raise Unsupported("an element type that tinyhil does not have")
    return (_to(net, node.value(0), _TYPES[to]),)


def _cast_like(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    node.attribute("saturate")
    node.attribute("round_mode")
    return (_to(net, node.value(0), node.value(1).dtype),)


_COMPARED = (7, 9, 11, 12, 13, 16, 19)

LOWERINGS = {
    "Add": Lowering(_binary("ADD", *NUMBERS), (7, 13, 14)),
    "Sub": Lowering(_binary("SUB", *NUMBERS), (7, 13, 14)),
    "Mul": Lowering(_binary("MUL", *NUMBERS), (7, 13, 14)),
    "Div": Lowering(_binary("DIV", DType.FLOAT32), (7, 13, 14)),
    "Max": Lowering(_variadic("MAXIMUM", False, *NUMBERS, DType.INT64), (6, 8, 12, 13)),
    "Min": Lowering(_variadic("MINIMUM", False, *NUMBERS, DType.INT64), (6, 8, 12, 13)),
    "Sum": Lowering(_variadic("ADD"), (6, 8, 13)),
    "Mean": Lowering(_variadic("ADD", True), (6, 8, 13)),
    "Neg": Lowering(_unary("NEG"), (6, 13)),
    "Abs": Lowering(_unary("ABS"), (6, 13)),
    "Exp": Lowering(_unary("EXP"), (6, 13)),
    "Log": Lowering(_unary("LOG"), (6, 13)),
    "Sqrt": Lowering(_unary("SQRT"), (6, 13)),
    "Floor": Lowering(_unary("FLOOR"), (6, 13)),
    "Ceil": Lowering(_unary("CEIL"), (6, 13)),
    "Round": Lowering(_unary("ROUND"), (11, 22)),
    "Sin": Lowering(_unary("SIN"), (7, 22)),
    "Cos": Lowering(_unary("COS"), (7, 22)),
    "Reciprocal": Lowering(_reciprocal, (6, 13)),
    "Sign": Lowering(_sign, (9, 13)),
    "IsNaN": Lowering(_is_nan, (9, 13, 20)),
    "IsInf": Lowering(_is_inf, (10, 20)),
    "Sinh": Lowering(_half_exponentials("SUB"), (9, 22)),
    "Cosh": Lowering(_half_exponentials("ADD"), (9, 22)),
    "Tan": Lowering(_tan, (7, 22)),
    "Asinh": Lowering(_asinh, (9, 22)),
    "Acosh": Lowering(_acosh, (9, 22)),
    "Atanh": Lowering(_atanh, (9, 22)),
    "Pow": Lowering(_pow, (7, 12, 13, 15)),
    "Equal": Lowering(_comparison("EQUAL"), _COMPARED),
    "Greater": Lowering(_comparison("GREATER"), _COMPARED),
    "Less": Lowering(_comparison("LESS"), _COMPARED),
    "GreaterOrEqual": Lowering(_comparison("GREATER_EQUAL"), _COMPARED),
    "LessOrEqual": Lowering(_comparison("LESS_EQUAL"), _COMPARED),
    "And": Lowering(_logical("LOGICAL_AND"), (7,)),
    "Or": Lowering(_logical("LOGICAL_OR"), (7,)),
    "Xor": Lowering(_logical("NOT_EQUAL"), (7,)),
    "Not": Lowering(_not, (1,)),
    "Where": Lowering(_where, (9, 16)),
    "PRelu": Lowering(_prelu, (7, 9, 16)),
    "Cast": Lowering(_cast, (6, 9, 13, 19, 21, 23, 24, 25, 28)),
    "CastLike": Lowering(_cast_like, (15, 19, 21, 23, 24, 25)),
}
