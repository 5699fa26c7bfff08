"""QuantizeLinear and DequantizeLinear, and the QLinear operators, which are these around those of float32.

What stands between is computed in float32 here; harness/frontends/onnx/islands.py makes int8 layers of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.frontends.onnx.arithmetic import Arithmetic
from harness.frontends.onnx.lowering.activation import LOWERINGS as ACTIVATIONS
from harness.frontends.onnx.lowering.convolution import LOWERINGS as CONVOLUTIONS
from harness.frontends.onnx.lowering.matmul import LOWERINGS as PRODUCTS
from harness.frontends.onnx.lowering.movement import LOWERINGS as MOVES
from harness.frontends.onnx.lowering.pooling import LOWERINGS as POOLS
from harness.frontends.onnx.network import Network
from harness.frontends.onnx.node import Lower, Lowering, OnnxNode, Unsupported, axis_of, must_be
from harness.frontends.onnx.value import OnnxValue, QuantizedConstant, identity
from harness.quantization.types import Array, DType, Quantization

_INTEGERS = ("int8", "uint8", "int32")
_SHIFT = 128
"""From uint8 to the int8 that it is stored as."""


def constant_of(x: OnnxValue, scale: OnnxValue, zero: OnnxValue | None, axis: int) -> QuantizedConstant | None:
    """What DequantizeLinear makes a constant of; None where it is not of a kind that layers have."""
    if x.data is None or scale.data is None or x.data.dtype.name not in _INTEGERS:
        return None
    zeros = np.zeros(scale.data.size, np.int64) if zero is None or zero.data is None else zero.data.astype(np.int64)
    axis = axis % max(x.rank, 1)
    if scale.data.ndim > 1 or scale.data.size not in (1, x.shape[axis] if x.rank else 1):
        return None
    return QuantizedConstant(x.data, scale.data.astype(np.float64), zeros.reshape(-1), axis)


def real_constant(node: OnnxNode) -> OnnxValue:
    """DequantizeLinear of a constant, as ONNX defines it: (x - zero point) * scale in float32."""
    x, scale, zero, axis = node.value(0), node.value(1), node.optional(2), node.integer("axis", 1)
    if node.integer("block_size") or node.integer("output_dtype") not in (0, 1):
        raise Unsupported("block_size, or an output_dtype that is not float32")
    return _real_of(x, scale, zero, axis)


def integer_constant(node: OnnxNode) -> OnnxValue:
    """QuantizeLinear of a constant, as ONNX defines it: x / scale in float32, rounded half to even, saturated."""
    x, scale, zero, axis = node.value(0), node.value(1), node.optional(2), node.integer("axis", 1)
    kind = zero.dtype if zero is not None else DType.UINT8
    if node.integer("block_size") or node.integer("output_dtype") or kind not in (DType.INT8, DType.UINT8, DType.INT32):
        raise Unsupported("block_size, or an output_dtype")
    if x.data is None or scale.data is None or scale.rank > 1 or x.data.dtype != np.float32:
        raise Unsupported(f"a scale of shape {list(scale.shape)}")
    broad = [1] * x.rank
    if scale.data.size > 1:
        broad[axis_of(axis, x.rank)] = scale.data.size
    point = np.zeros(1, np.int64) if zero is None or zero.data is None else zero.data.astype(np.int64).reshape(-1)
    steps = np.rint(np.asarray(x.data, np.float32) / np.asarray(scale.data, np.float32).reshape(broad))
    whole = steps.astype(np.float64) + point.reshape(broad if point.size > 1 else [1] * x.rank)
    data = np.clip(whole, *kind.range).astype(kind.numpy)
    return OnnxValue(x.name, x.shape, kind, data)


def _real_of(x: OnnxValue, scale: OnnxValue, zero: OnnxValue | None, axis: int) -> OnnxValue:
    made_of = constant_of(x, scale, zero, axis)
    if made_of is None or x.data is None or scale.data is None or scale.data.dtype != np.float32:
        raise Unsupported(f"a scale of shape {list(scale.shape)} for {x.dtype.value}{list(x.shape)}")
    if zero is not None and zero.data is not None and zero.data.size != scale.data.size:
        raise Unsupported(f"zero points of shape {list(zero.shape)}")
    broad = [1] * x.rank
    if scale.data.size > 1:
        broad[made_of.axis] = scale.data.size
    apart = x.data.astype(np.int64) - made_of.zero_points.astype(np.int64).reshape(broad)
    real = apart.astype(np.float32) * np.asarray(scale.data, np.float32).reshape(broad)
    return OnnxValue(x.name, x.shape, DType.FLOAT32, real.astype(np.float32), integers=made_of)


def _scale(node: OnnxNode, i: int) -> float:
    if node.value(i).dtype is not DType.FLOAT32:
        raise Unsupported("a scale that is no float32")
    scale = node.scalar(i, "a scale per channel" if node.value(i).rank else "a scale")
    if scale is None or not np.isfinite(scale) or scale <= 0:
        raise Unsupported(f"a scale of {scale}")
    return scale


def _parameters(node: OnnxNode, i: int, dtype: DType | None = None) -> tuple[Quantization, DType]:
    """Scale and zero point at inputs i and i + 1, as those of the stored int8; and the ONNX type."""
    scale, zero = _scale(node, i), node.optional(i + 1)
    kind = dtype or (zero.dtype if zero is not None else DType.UINT8)
    if kind not in (DType.INT8, DType.UINT8):
        name = kind.value if zero is None or zero.data is None else zero.data.dtype.name
        raise Unsupported(f"{name}, where quantized activations are int8 or uint8")
    if zero is not None and zero.dtype is not kind:
        raise Unsupported(f"a zero point of type {zero.dtype.value}")
    point = int(node.scalar(i + 1, "a zero point") or 0)
    return Quantization((scale,), (point - (_SHIFT if kind is DType.UINT8 else 0),)), kind


def _per_tensor(node: OnnxNode) -> None:
    """Attributes that say nothing where there is one scale."""
    for name in ("axis", "saturate", "precision"):
        node.attribute(name)
    if node.integer("block_size"):
        raise Unsupported("block_size")


_OUTPUTS = {0: None, 2: DType.UINT8, 3: DType.INT8}


def _quantize(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x = node.value(0)
    must_be(x, DType.FLOAT32)
    _per_tensor(node)
    wanted = node.integer("output_dtype")
    if wanted not in _OUTPUTS:
        raise Unsupported("an output_dtype that tinyhil does not compile")
    return (quantized(net, x, *_parameters(node, 1, _OUTPUTS[wanted])),)


def quantized(net: Network, x: OnnxValue, quant: Quantization, kind: DType) -> OnnxValue:
    """A float32 value in int8."""
    order = x.order or identity(x.rank)
    tensor = net.stored(x, order)
    y = net.emit("QUANTIZE", [tensor], net.tensors[tensor].shape, None, DType.INT8, quant)
    net.quantizes = True
    return net.made(x.shape, y, order, kind)


def _dequantize(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x = node.value(0)
    if x.dtype not in (DType.INT8, DType.UINT8):
        raise Unsupported(f"{x.dtype.value}, where quantized activations are int8 or uint8")
    _per_tensor(node)
    if node.integer("output_dtype") not in (0, 1):
        raise Unsupported("an output_dtype that is not float32")
    quant, _ = _parameters(node, 1, x.dtype)
    return (dequantized(net, x, quant),)


def dequantized(net: Network, x: OnnxValue, quant: Quantization) -> OnnxValue:
    """An int8 value in float32."""
    known = net.tensors[x.tensor]
    if known.quant is None:
        net.set_quant(x.tensor, quant)
    elif known.quant != quant:
        raise Unsupported("a scale other than the one that its input was quantized by")
    y = net.emit("DEQUANTIZE", [x.tensor], known.shape, None, DType.FLOAT32)
    return net.made(x.shape, y, x.order, DType.FLOAT32)


# --- QLinear ---------------------------------------------------------------------------------------------------------


def _real(node: OnnxNode, net: Network, i: int, axis: int) -> OnnxValue:
    """The real numbers of the integers at input i, whose scale and zero point follow them."""
    x = node.value(i)
    if x.data is None:
        must_be(x, DType.INT8, DType.UINT8)
        return dequantized(net, x, _parameters(node, i + 1, x.dtype)[0])
    return _real_of(x, node.value(i + 1), node.value(i + 2), axis)


def _product_of_scales(node: OnnxNode) -> Array:
    """Of the bias: those of the input at 1, and of the weights at 4."""
    x, w = (np.asarray(node.constant(i, "a scale"), np.float32).reshape(-1) for i in (1, 4))
    product: Array = x * w
    return product


def _qlinear_conv(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, w = _real(node, net, 0, 1), _real(node, net, 3, 0)
    quant, kind = _parameters(node, 6)
    bias = node.optional(8)
    if bias is not None:
        scales = _product_of_scales(node)
        bias = _real_of(bias, OnnxValue("", scales.shape, DType.FLOAT32, scales), None, 0)
    (y,) = CONVOLUTIONS["Conv"].lower(inner_node(node, "Conv", 22, x, w, bias), net)
    return (quantized(net, y, quant, kind),)


def _qlinear_matmul(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    a, b = _real(node, net, 0, 0), _real(node, net, 3, node.value(3).rank - 1)
    quant, kind = _parameters(node, 6)
    (y,) = PRODUCTS["MatMul"].lower(inner_node(node, "MatMul", 13, a, b), net)
    return (quantized(net, y, quant, kind),)


def inner_node(node: OnnxNode, op: str, version: int, *inputs: OnnxValue | None) -> OnnxNode:
    """The operator of float32 that a QLinear operator is around."""
    return replace(node, op=op, version=version, inputs=inputs)


def _qlinear_binary(op: str) -> Lower:
    def lower(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
        a, b = _real(node, net, 0, 0), _real(node, net, 3, 0)
        return (quantized(net, Arithmetic(net).binary(op, a, b), *_parameters(node, 6)),)

    return lower


def _qlinear_unary(op: str) -> Lower:
    def lower(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
        (y,) = ACTIVATIONS[op].lower(inner_node(node, op, ACTIVATIONS[op].versions[-1], _real(node, net, 0, 0)), net)
        return (quantized(net, y, *_parameters(node, 3)),)

    return lower


def _qlinear_pool(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    if node.integer("channels_last"):
        raise Unsupported("channels_last")
    (y,) = POOLS["AveragePool"].lower(inner_node(node, "AveragePool", 11, _real(node, net, 0, 0)), net)
    return (quantized(net, y, *_parameters(node, 3)),)


def _qlinear_softmax(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    version = node.integer("opset", 1)
    (y,) = ACTIVATIONS["Softmax"].lower(inner_node(node, "Softmax", version, _real(node, net, 0, 0)), net)
    return (quantized(net, y, *_parameters(node, 3)),)


def _qlinear_average(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    if node.integer("channels_last"):
        raise Unsupported("channels_last")
    (y,) = POOLS["GlobalAveragePool"].lower(inner_node(node, "GlobalAveragePool", 22, _real(node, net, 0, 0)), net)
    return (quantized(net, y, *_parameters(node, 3)),)


def _qlinear_concat(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    if len(node.inputs) % 3 != 2:
        raise Unsupported(f"{len(node.inputs)} inputs")
    parts = [_real(node, net, i, 0) for i in range(2, len(node.inputs), 3)]
    (y,) = MOVES["Concat"].lower(inner_node(node, "Concat", 13, *parts), net)
    return (quantized(net, y, *_parameters(node, 0)),)


def _qgemm(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    b = node.value(3)
    a, b = _real(node, net, 0, 0), _real(node, net, 3, 0 if node.integer("transB") else 1)
    bias = node.optional(6)
    if bias is not None:
        scales = _product_of_scales(node)
        bias = _real_of(bias, OnnxValue("", scales.shape, DType.FLOAT32, scales), None, -1)
    (y,) = PRODUCTS["Gemm"].lower(inner_node(node, "Gemm", 13, a, b, bias), net)
    if node.optional(7) is None:
        return (y,)
    return (quantized(net, y, *_parameters(node, 7)),)


_VERSIONS = (10, 13, 19, 21, 23, 24, 25, 28)

LOWERINGS = {
    "QuantizeLinear": Lowering(_quantize, _VERSIONS),
    "DequantizeLinear": Lowering(_dequantize, _VERSIONS),
    "QLinearConv": Lowering(_qlinear_conv, (10,)),
    "QLinearMatMul": Lowering(_qlinear_matmul, (10, 21)),
    "com.microsoft.QLinearAdd": Lowering(_qlinear_binary("ADD"), (1,)),
    "com.microsoft.QLinearMul": Lowering(_qlinear_binary("MUL"), (1,)),
    "com.microsoft.QLinearSigmoid": Lowering(_qlinear_unary("Sigmoid"), (1,)),
    "com.microsoft.QLinearLeakyRelu": Lowering(_qlinear_unary("LeakyRelu"), (1,)),
    "com.microsoft.QLinearGlobalAveragePool": Lowering(_qlinear_average, (1,)),
    "com.microsoft.QLinearAveragePool": Lowering(_qlinear_pool, (1,)),
    "com.microsoft.QLinearSoftmax": Lowering(_qlinear_softmax, (1,)),
    "com.microsoft.QLinearConcat": Lowering(_qlinear_concat, (1,)),
    "com.microsoft.QGemm": Lowering(_qgemm, (1,)),
}
