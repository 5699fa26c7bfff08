"""How an int8 layer rounds that stands for a float32 one between DequantizeLinear and QuantizeLinear.

TFLM's rounding where that is proved to give ONNX's integers for everything the layer can compute, else ONNX's where the
operator has it: for layers with weights over all sums that inputs can make, for functions of one or two bytes by trying
all. Else the layer has no int8 form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias, cast

import numpy as np

from harness.frontends.onnx.fusing import FREE
from harness.ir.graph import ABSENT, Attrs, Graph, Node, Tensor
from harness.ir.operators import OPERATORS
from harness.ir.operators.operands import Operands
from harness.ir.operators.traits import Trait
from harness.ir.weights import channel_bias, channel_weights
from harness.quantization.fixedpoint import Ints, multiply_by_quantized_multiplier
from harness.quantization.onnx_rounding import onnx_factors, onnx_quantized, onnx_scaled
from harness.quantization.params import channel_params, dequantize_values
from harness.quantization.staircase import same_outputs, sums_range
from harness.quantization.types import Array, Clamp, DType, Rounding

_BYTES = np.arange(-128, 128).astype(np.int8)
Bounds: TypeAlias = tuple[float, float]


def clamp_of(bounds: Bounds, y: Tensor) -> Clamp:
    """A clamp of real numbers in the units of `y`, as QuantizeLinear makes them."""
    low, high = (int(end) for end in onnx_quantized(np.array(bounds, np.float32), y))
    whole = y.dtype.range
    return whole[0] if bounds[0] == FREE[0] else low, whole[1] if bounds[1] == FREE[1] else high


def rounding_of(tensors: Sequence[Tensor], node: Node, real: Attrs) -> Rounding | None:
    """The rounding with which the int8 operator `node` gives ONNX's integers; None where there is none.

    real: the attributes of the float32 operator that it stands for.
    """
    operator = OPERATORS[node.op]
    if operator.has(Trait.WEIGHTS):
        if Rounding.ONNX not in operator.roundings:
            return None
        return Rounding.TFLM if _sums_agree(tensors, node) else Rounding.ONNX
    bytes_ = [t for t in node.inputs if t != ABSENT]
    if any(tensors[t].dtype is not DType.INT8 or tensors[t].data is not None for t in bytes_):
        return None
    if operator.has(Trait.PAIRWISE):
        if _agree(tensors, node, real, 2):
            return Rounding.TFLM
        return Rounding.ONNX if Rounding.ONNX in operator.roundings else None
    if len(bytes_) == 1 and operator.has(Trait.ELEMENTWISE) and _agree(tensors, node, real, 1):
        return Rounding.TFLM
    return None


def _sums_agree(tensors: Sequence[Tensor], node: Node) -> bool:
    """Whether both roundings give the same for every sum that inputs can make."""
    graph = Graph("", tuple(tensors), (node,), (), ())
    x, w, y = (tensors[t] for t in (*node.inputs[:2], node.outputs[0]))
    weights = channel_weights(graph, node)
    low, high = sums_range(weights, channel_bias(graph, node) - x.q.zero_point * weights.sum(axis=1))
    multipliers, shifts = (part.astype(np.int64)[:, None] for part in channel_params(x, w, y, len(weights)))
    factors = onnx_factors(x, w, y, len(weights))[:, None]
    clamp = cast(Clamp, getattr(node.attrs, "clamp", y.dtype.range))

    def as_tflm(sums: Ints) -> Ints:
        scaled = multiply_by_quantized_multiplier(sums, multipliers, shifts)
        return np.clip(scaled + y.q.zero_point, *clamp).astype(np.int64)

    def as_onnx(sums: Ints) -> Ints:
        return np.clip(onnx_scaled(sums, factors) + y.q.zero_point, *clamp).astype(np.int64)

    return same_outputs(as_tflm, as_onnx, low, high, clamp)


def _agree(tensors: Sequence[Tensor], node: Node, real: Attrs, operands: int) -> bool:
    """Whether an elementwise operator of one or two bytes gives ONNX's integers for all of them."""
    shape = (256,) * operands
    given: list[Array] = [part.copy() for part in np.meshgrid(*[_BYTES] * operands, indexing="ij")]
    ids = node.inputs[:operands]
    if operands == 2 and ids[0] == ids[1]:
        given[1] = given[0]
    ins = [replace(tensors[t], shape=shape, data=None) for t in ids]
    y = replace(tensors[node.outputs[0]], shape=shape, data=None)
    operator = OPERATORS[node.op]
    with np.errstate(all="ignore"):
        (ours,) = operator.values(given, Operands(ins, [y], node.attrs))
        floats = [replace(tensor, dtype=DType.FLOAT32, quant=None) for tensor in (*ins, y)]
        numbers = [dequantize_values(part, tensor) for part, tensor in zip(given, ins, strict=True)]
        (result,) = operator.values(numbers, Operands(floats[:-1], floats[-1:], real))
    return bool(np.array_equal(ours, onnx_quantized(result, y)))
