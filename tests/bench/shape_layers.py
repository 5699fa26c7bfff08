"""Layers of TFLM's record (harness/tflm/records.py) as graphs of one int8 node, with random weights and scales."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from harness.errors import GraphError
from harness.ir.activations import activation_clamp
from harness.ir.graph import Attrs, Graph, NoAttrs
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.joining import ConcatAttrs
from harness.ir.operators.mean import MeanAttrs
from harness.ir.operators.pad import PadAttrs
from harness.ir.operators.reduce import ReduceAttrs
from harness.ir.operators.resize_nearest import ResizeAttrs
from harness.ir.operators.transpose import TransposeAttrs
from harness.ir.verifier import verify
from harness.ir.window import ConvAttrs, Pads, PoolAttrs, same_pads
from harness.quantization.types import DType, Quantization
from harness.tflm.layer import Shape, TflmLayer
from tests.bench.cost_layers import usual_input, usual_weights
from tests.support.draft import Draft

_INT8 = "int8"


def graph_of(layer: TflmLayer, seed: int) -> Graph | None:
    """The layer; None of an operator or a type that is none of this benchmark's."""
    build = _BUILD.get(layer.op)
    kinds = {layer.types[0], layer.types[2]}
    if build is None or kinds != {_INT8} or not layer.outputs or layer.weights_zero:
        return None
    draft = Draft(np.random.default_rng(seed), zeros=0.0)
    try:
        build(draft, layer)
        graph = draft.finish("layer", draft.nodes[-1].outputs)
        verify(graph)
    except GraphError:  # what the file's own scales would not have given
        return None
    return graph


def _output(draft: Draft, layer: TflmLayer, scale: float, zero: int = 3) -> tuple[int, tuple[int, int]]:
    """(output, clamp) of the layer; a fused RELU has the lowest zero point."""
    scale = 6 / 255 if layer.activation == "RELU6" else scale
    zero = zero if layer.activation in ("NONE", "TANH") else -128
    y = draft.tensor(layer.output, Quantization((float(np.float32(scale)),), (zero,)))
    return y, activation_clamp(layer.activation, draft.tensors[y])


def _pads(layer: TflmLayer, kernel: Shape) -> Pads:
    if layer.padding != "SAME":
        return Pads()
    dilation = layer.dilation or (1, 1)
    size, stride = layer.input(0)[1:3], layer.stride
    return same_pads((size[0], size[1]), _pair(kernel), _pair(stride), _pair(dilation))


def _pair(numbers: Shape) -> tuple[int, int]:
    return numbers[0], numbers[1]


def _weighted(draft: Draft, layer: TflmLayer) -> None:
    shape = layer.input(1)
    axis = 3 if layer.op == "DEPTHWISE_CONV_2D" else 0
    taps = int(np.prod(shape)) // shape[axis]
    x = usual_input(draft, layer.input(0))
    w, b, spread = usual_weights(draft, shape, axis, taps)
    y, clamp = _output(draft, layer, spread / 40)
    attrs: Attrs
    if layer.op == "FULLY_CONNECTED":
        attrs = FullyConnectedAttrs(clamp, len(layer.output) > 2)
    else:
        attrs = ConvAttrs(_pair(layer.stride), _pair(layer.dilation or (1, 1)), _pads(layer, shape[1:3]), clamp)
    draft.node(layer.op, (x, w, b), (y,), attrs)


def _binary(draft: Draft, layer: TflmLayer) -> None:
    """Scales as networks have them: none is a simple multiple of another."""
    rng, ids = draft.rng, []
    for place in range(2):
        quant = Quantization((float(np.float32(rng.uniform(0.01, 0.1))),), (int(rng.integers(-40, 40)),))
        shape = layer.input(place)
        if place in layer.constants:
            ids.append(draft.constant(rng.integers(-127, 128, shape).astype(np.int8), quant))
        else:
            ids.append(draft.input(shape, quant))
    real = [draft.quant(t).scale for t in ids]
    scale = real[0] * real[1] * 60 if layer.op == "MUL" else 0.8 * sum(real)
    y, clamp = _output(draft, layer, scale)
    draft.node(layer.op, (ids[0], ids[1]), (y,), BinaryAttrs(clamp))


def _extreme(draft: Draft, layer: TflmLayer) -> None:
    quant = Quantization((1 / 64,), (3,))
    ids = (draft.input(layer.input(0), quant), draft.input(layer.input(1), quant))
    draft.node(layer.op, ids, (draft.tensor(layer.output, quant),), NoAttrs())


def _pool(draft: Draft, layer: TflmLayer) -> None:
    x = usual_input(draft, layer.input(0))
    y = draft.like(x, layer.output)
    clamp = activation_clamp(layer.activation, draft.tensors[y])
    attrs = PoolAttrs(_pair(layer.kernel), _pair(layer.stride), _pads(layer, layer.kernel), clamp)
    draft.node(layer.op, (x,), (y,), attrs)


def _reduced(draft: Draft, layer: TflmLayer) -> None:
    x = usual_input(draft, layer.input(0))
    rank = len(layer.input(0))
    axes = tuple(sorted({axis % rank for axis in layer.numbers[0]}))
    if layer.op != "MEAN":
        draft.node(layer.op, (x,), (draft.like(x, layer.output),), ReduceAttrs(axes, layer.keep))
        return
    first, last = layer.quant
    alike = first is not None and last is not None and first == last
    y = draft.like(x, layer.output) if alike else draft.tensor(layer.output, Quantization((1 / 90,), (3,)))
    draft.node("MEAN", (x,), (y,), MeanAttrs(axes, layer.keep))


def _concatenation(draft: Draft, layer: TflmLayer) -> None:
    quant = Quantization((1 / 64,), (3,))
    ids = tuple(draft.input(layer.input(place), quant) for place in range(len(layer.inputs)))
    y = draft.tensor(layer.output, quant)
    axis = layer.axis % len(layer.output)
    draft.node(layer.op, ids, (y,), ConcatAttrs(axis, DType.INT8.range))


def _pad(draft: Draft, layer: TflmLayer) -> None:
    x = usual_input(draft, layer.input(0))
    numbers = layer.numbers[0]
    sides = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    draft.node("PAD", (x,), (draft.like(x, layer.output),), PadAttrs(sides, draft.quant(x).zero_point))


def _transpose(draft: Draft, layer: TflmLayer) -> None:
    x = usual_input(draft, layer.input(0))
    draft.node("TRANSPOSE", (x,), (draft.like(x, layer.output),), TransposeAttrs(layer.numbers[0]))


def _resize(draft: Draft, layer: TflmLayer) -> None:
    x = usual_input(draft, layer.input(0))
    draft.node(layer.op, (x,), (draft.like(x, layer.output),), ResizeAttrs(False, False))


def _of_bytes(draft: Draft, layer: TflmLayer) -> None:
    """Functions of one byte that take no attributes."""
    x = draft.input(layer.input(0), Quantization((1 / 16,), (3,)))
    ranged = {"LOGISTIC": Quantization((1 / 256,), (-128,)), "TANH": Quantization((1 / 128,), (0,))}
    y = draft.tensor(layer.output, ranged.get(layer.op, Quantization((1 / 20,), (-3,))))
    draft.node(layer.op, (x,), (y,), NoAttrs())


_BUILD: Mapping[str, Callable[[Draft, TflmLayer], None]] = {
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"), _weighted),
    **dict.fromkeys(("ADD", "SUB", "MUL"), _binary),
    **dict.fromkeys(("MAXIMUM", "MINIMUM"), _extreme),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D"), _pool),
    **dict.fromkeys(("MEAN", "REDUCE_MAX"), _reduced),
    "CONCATENATION": _concatenation,
    "PAD": _pad,
    "TRANSPOSE": _transpose,
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), _resize),
    **dict.fromkeys(("LOGISTIC", "TANH", "RELU", "RELU6", "HARD_SWISH", "QUANTIZE"), _of_bytes),
}
