"""A layer with weights in integers, channel by channel: what every form of its requantization is made of.

The forms are functions of this one record: linear, rounded and general in the portable kernels (scale.py), saturating
in the depthwise kernels for the DSP extension (scaling_dsp.py), plain, carry and line in their convolutions (gemm.py),
RELU, SIGNED and GENERAL in the kernels for MVE (mve.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np

from harness.ir.graph import Graph, Node, Tensor
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.weights import channel_bias, channel_weights
from harness.ir.window import ConvAttrs
from harness.kernels.context import Context
from harness.kernels.requant import Int32s, Requant, requant
from harness.kernels.requant_linear import LinearRequant, linear, linear_onnx
from harness.quantization.fixedpoint import Ints
from harness.quantization.onnx_rounding import Floats, onnx_factors
from harness.quantization.params import channel_params
from harness.quantization.staircase import sums_range
from harness.quantization.types import Clamp, DType, Quantization, Rounding


@dataclass(frozen=True, eq=False)
class QuantizedLayer:
    """Weights, bias and requantization of CONV_2D, DEPTHWISE_CONV_2D or FULLY_CONNECTED.

    Attributes:
        weights: int64 [channels, taps].
        bias: int64 [channels], as the model has it, or zeros.
        multipliers, shifts: int32 [channels], as in fixedpoint.multiply_by_quantized_multiplier.
        in_zero: the input's zero point.
        zero_point: the output's.
        clamp: of the output.
        factors: float32 [channels], what sums are multiplied by where they are rounded as ONNX does.
        rounding: the node's. The multipliers and shifts are TFLM's.
        in_range, out_range: lowest and highest value of the input's and the output's type.
    """

    weights: Ints
    bias: Ints
    multipliers: Int32s
    shifts: Int32s
    in_zero: int
    zero_point: int
    clamp: Clamp
    factors: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    rounding: Rounding = Rounding.TFLM
    in_range: Clamp = DType.INT8.range
    out_range: Clamp = DType.INT8.range

    @cached_property
    def folded_bias(self) -> Ints:
        """int64 [channels]: the bias less what the input's zero point adds to the sums; not wrapped."""
        folded: Ints = self.bias - self.in_zero * self.weights.sum(axis=1)
        return folded

    @cached_property
    def accumulators(self) -> tuple[Ints, Ints]:
        """int64 [channels]: (lowest, highest) sum over all inputs; not wrapped."""
        return sums_range(self.weights, self.folded_bias, self.in_range)

    @property
    def saturates(self) -> bool:
        """Whether the clamp is saturation to the output's type."""
        return self.clamp == self.out_range

    @cached_property
    def linear(self) -> LinearRequant:
        """The two-instruction form, and the channels for which it is exact."""
        if self.rounding is Rounding.ONNX:
            return linear_onnx(self.factors, self.zero_point, self.clamp, *self.accumulators)
        return linear(self.multipliers, self.shifts, self.zero_point, self.clamp, *self.accumulators)

    def rounded(self, channels: slice | Ints = slice(None), *, steep: bool = False) -> Requant | None:
        """The form with rounding and a shift, of some channels; None where it is not exact for one of them.

        steep: whether channels may shift left.

        It rounds twice, and so is TFLM's alone.
        """
        if self.rounding is not Rounding.TFLM:
            return None
        low, high = (end[channels] for end in self.accumulators)
        m, shifts = self.multipliers[channels], self.shifts[channels]
        return requant(m, shifts, self.zero_point, self.clamp, low, high, steep=steep)


def quantized_layer(context: Context) -> QuantizedLayer:
    """The record of the context's node, made once for a layer and all parts of it, which are some of its rows."""
    graph, node = context.graph, context.node
    assert isinstance(node.attrs, ConvAttrs | FullyConnectedAttrs)
    x, y = context.input(), context.output()
    # Weights and biases are known by their objects, which parts of a layer share.
    return _quantized_layer(
        _LayerKey(node.op, node.rounding, node.attrs.clamp, x.q, x.dtype, y.q, y.dtype, y.shape[-1],
               context.input(1), context.optional(2), graph, node)
    )  # fmt: skip


@dataclass(frozen=True)
class _LayerKey:
    """A layer; equal to another with the same record, whatever its rows."""

    op: str
    rounding: Rounding
    clamp: Clamp
    x: Quantization
    x_type: DType
    y: Quantization
    y_type: DType
    channels: int
    weights: Tensor
    bias: Tensor | None
    graph: Graph = field(compare=False)
    node: Node = field(compare=False)


@lru_cache(maxsize=256)
def _quantized_layer(layer: _LayerKey) -> QuantizedLayer:
    graph, node = layer.graph, layer.node
    attrs = node.attrs
    assert isinstance(attrs, ConvAttrs | FullyConnectedAttrs)
    x, w, y = (graph.tensors[t] for t in (*node.inputs[:2], node.outputs[0]))
    weights = channel_weights(graph, node)
    multipliers, shifts = channel_params(x, w, y, len(weights))
    return QuantizedLayer(
        weights,
        channel_bias(graph, node),
        multipliers,
        shifts,
        x.q.zero_point,
        y.q.zero_point,
        attrs.clamp,
        onnx_factors(x, w, y, len(weights)),
        node.rounding,
        x.dtype.range,
        y.dtype.range,
    )
