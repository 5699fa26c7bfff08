"""ConvInteger and MatMulInteger: sums of integers, computed in float32, which is exact below 2**24.

What follows them at run time, and DynamicQuantizeLinear before them, has scales of each inference: nothing here has.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.frontends.onnx.arithmetic import Arithmetic
from harness.frontends.onnx.lowering.convolution import LOWERINGS as CONVOLUTIONS
from harness.frontends.onnx.lowering.matmul import LOWERINGS as PRODUCTS
from harness.frontends.onnx.lowering.quantization import dequantized, inner_node
from harness.frontends.onnx.network import Network
from harness.frontends.onnx.node import Lower, Lowering, OnnxNode, Unsupported, must_be
from harness.frontends.onnx.value import OnnxValue
from harness.quantization.types import DType, Quantization

_EXACT = 1 << 24
"""float32 has all integers up to here."""


def _zero(node: OnnxNode, i: int) -> int:
    return int(node.scalar(i, "a zero point per row or channel") or 0)


def _sums(op: str, version: int, channel_axis: int) -> Lower:
    """The operator of float32 on the integers themselves."""
    lowering = {**CONVOLUTIONS, **PRODUCTS}[op]

    def lower(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
        x, w = node.value(0), node.value(1)
        must_be(x, DType.INT8, DType.UINT8)
        must_be(w, DType.INT8, DType.UINT8)
        if x.data is not None or w.data is None:
            raise Unsupported("weights computed at run time")
        real = w.data.astype(np.int64) - _zero(node, 3)
        sums = np.abs(np.moveaxis(real, channel_axis, 0).reshape(real.shape[channel_axis], -1)).sum(axis=1)
        if int(sums.max(initial=0)) * 255 >= _EXACT:
            raise Unsupported("sums beyond 24 bits")
        point = _zero(node, 2) - (128 if x.dtype is DType.UINT8 else 0)
        numbers = dequantized(net, x, Quantization((1.0,), (point,)))
        weights = OnnxValue(w.name, w.shape, DType.FLOAT32, real.astype(np.float32))
        (y,) = lowering.lower(inner_node(node, op, version, numbers, weights), net)
        return (Arithmetic(net).unary("CAST", y, dtype=DType.INT32),)

    return lower


def _dynamic(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    raise Unsupported("scales of each inference: quantize the model statically, with data")


LOWERINGS = {
    "ConvInteger": Lowering(_sums("Conv", 22, 0), (10,)),
    "MatMulInteger": Lowering(_sums("MatMul", 13, -1), (10,)),
    "DynamicQuantizeLinear": Lowering(_dynamic, (11,)),
}
