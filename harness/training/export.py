"""A trained network as a float Graph, as an int8 .tflite, and how right that is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from harness.errors import UnsupportedModelError
from harness.frontends.tflite.reader import load
from harness.frontends.tflite.writer import write
from harness.ir.graph import Attrs, Graph, NoAttrs, Node, Tensor
from harness.ir.interpreter import run
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.mean import MeanAttrs
from harness.ir.operators.pad import PadAttrs
from harness.ir.operators.softmax import SoftmaxAttrs
from harness.ir.window import ConvAttrs, Pads, PoolAttrs, padding_of
from harness.ptq.calibration import CalibrationData, calibration_of
from harness.ptq.quantizer import QuantizedModel, Quantizer
from harness.ptq.scheme import scheme_of
from harness.quantization.params import quantize_values
from harness.quantization.types import Array, Clamp, DType
from harness.training.data import Labels, Pictures, TrainingData
from harness.training.layers import PICTURE, SpecLayer
from harness.training.network import TorchNetwork, network_of
from harness.validate import vectors

SCHEME = "mse+bias+adaptive"
"""The best one for most of the networks in docs/ptq.md."""
VECTORS = 256
"""Pictures that ranges are found on."""

_FREE: Clamp = DType.FLOAT32.range
_ACTIVATIONS: dict[str, Clamp] = {"relu": (0, _FREE[1]), "relu6": (0, 6)}
_BATCH = 100


def float_graph(module: Any, shape: tuple[int, int, int], name: str = "network", *, softmax: bool = False) -> Graph:
    """A torch module as a float32 Graph over NHWC: batch norms folded, activations fused.

    Its tensors have the names of the layers whose last values they hold.

    Args:
        module: over [n, channels, height, width]; is taken as in evaluation mode.
        shape: (height, width, channels) of a picture.
        name: of the graph.
        softmax: append one.

    Raises:
        UnsupportedModelError: as of network_of; a batch norm that no convolution precedes.
    """
    graph = _Exporting(network_of(module, shape), name).graph(softmax)
    return load(write(graph), name=name)


def calibration(graph: Graph, data: TrainingData, count: int = VECTORS) -> CalibrationData:
    """The first pictures of the training part, as what `tinyhil quantize` takes."""
    given = [(picture[None],) for picture in data.train_x[: count + count // 3]]
    labels = data.train_y[: count + count // 3]
    found = vectors.from_arrays([list(row) for row in given], graph, data.name)
    return calibration_of(replace(found, labels=labels), graph)


def int8_model(
    module: Any,
    data: TrainingData,
    *,
    name: str = "network",
    scheme: str = SCHEME,
    vectors: int = VECTORS,
    softmax: bool = False,
) -> QuantizedModel:
    """A torch module as an int8 .tflite by one scheme of docs/ptq.md, ranges from pictures of the training part.

    Raises:
        UnsupportedModelError, ScalesError: as of float_graph and Quantizer.quantize.
    """
    return int8_of(float_graph(module, data.shape, name, softmax=softmax), data, scheme=scheme, vectors=vectors)


def int8_of(
    graph: Graph, data: TrainingData, *, scheme: str = SCHEME, vectors: int = VECTORS
) -> QuantizedModel:
    """The same of a float graph.

    Raises:
        ScalesError: as of Quantizer.quantize.
    """
    given = calibration(graph, data, vectors)
    return Quantizer(graph, given.fitted.inputs, given.origin).quantize(scheme_of(scheme))


def int8_outputs(graph: Graph, x: Pictures, batch: int = _BATCH) -> Array:
    """Outputs [pictures, classes] of a quantized network in its own integers, by its specification: bit for bit.

    Raises:
        UnsupportedModelError: it has several inputs.
    """
    if len(graph.inputs) != 1:
        said = f"'{graph.name}' has {len(graph.inputs)} inputs"
        raise UnsupportedModelError(said, hint="give one with a picture alone")
    taken = quantize_values(x, graph.tensors[graph.inputs[0]])
    found = []
    for start in range(0, len(taken), batch):
        part = taken[start : start + batch]
        found.append(run(_of_batch(graph, len(part)), [part]).outputs[0])
    return np.concatenate(found)


def int8_accuracy(graph: Graph, x: Pictures, y: Labels, batch: int = _BATCH) -> float:
    """Share of pictures [n, height, width, channels] whose class a quantized network has right."""
    return float(np.mean(int8_outputs(graph, x, batch).argmax(axis=1) == y))


def _of_batch(graph: Graph, count: int) -> Graph:
    """The same network over several pictures at once."""
    tensors = [
        tensor if tensor.data is not None else replace(tensor, shape=(count, *tensor.shape[1:]))
        for tensor in graph.tensors
    ]
    return replace(graph, tensors=tuple(tensors))


class _Exporting:
    """A network, layer after layer, as nodes."""

    def __init__(self, network: TorchNetwork, name: str) -> None:
        self._network, self._spec, self._name = network, network.spec, name
        self._shapes, self._readers = self._spec.shapes(), self._spec.readers()
        self._tensors: list[Tensor] = []
        self._nodes: list[Node] = []
        self._at: dict[int, int] = {}
        """Tensor of each layer's output; of those that are folded into it, too."""
        self._done: set[int] = set()

    def graph(self, softmax: bool) -> Graph:
        height, width, channels = self._spec.shape
        self._at[PICTURE] = self._tensor("picture", (1, height, width, channels))
        for number, layer in enumerate(self._spec.layers):
            if number not in self._done:
                self._layer(number, layer)
        last = self._at[len(self._spec.layers) - 1]
        if softmax:
            last = self._node("SOFTMAX", (last,), "softmax", self._tensors[last].shape, SoftmaxAttrs(1.0))
        return Graph(self._name, tuple(self._tensors), tuple(self._nodes), (0,), (last,))

    def _layer(self, number: int, layer: SpecLayer) -> None:
        read = tuple(self._at[i] for i in layer.inputs)
        match layer.kind:
            case "conv" | "dense":
                self._weighted(number, layer, read[0])
            case "add":
                self._sum(number, read)
            case "relu" | "relu6":
                op = {"relu": "RELU", "relu6": "RELU6"}[layer.kind]
                self._at[number] = self._node(op, read, layer.name, self._nhwc(number), NoAttrs())
            case "max_pool" | "avg_pool":
                self._pooled(number, layer, read[0])
            case "global_pool":
                self._at[number] = self._node("MEAN", read, layer.name, self._nhwc(number), MeanAttrs((1, 2), False))
            case "flatten":
                self._at[number] = self._node("RESHAPE", read, layer.name, self._nhwc(number), NoAttrs())
            case "norm":
                raise UnsupportedModelError(
                    f"the batch norm '{layer.name}' follows no convolution, or others read that as well",
                    hint="put it behind a convolution",
                )

    def _sum(self, number: int, read: tuple[int, ...]) -> None:
        total = read[0]
        end, clamp = self._activated(number)
        for place, one in enumerate(read[1:], start=2):
            last = place == len(read)
            name = self._spec.layers[end if last else number].name
            attrs = BinaryAttrs(clamp if last else _FREE)
            total = self._node("ADD", (total, one), name if last else f"{name}/{place}", self._nhwc(number), attrs)
        self._keep(number, end, total)

    def _pooled(self, number: int, layer: SpecLayer, read: int) -> None:
        op = {"max_pool": "MAX_POOL_2D", "avg_pool": "AVERAGE_POOL_2D"}[layer.kind]
        attrs = PoolAttrs(layer.kernel, layer.stride, _pads_of(layer), _FREE)
        if layer.kind == "max_pool" and any(layer.pads):
            y = Tensor("", self._nhwc(number), DType.FLOAT32)
            if padding_of(self._tensors[read], y, layer.kernel, attrs) is None:
                raise UnsupportedModelError(
                    f"the padding of '{layer.name}' is neither SAME nor VALID of TensorFlow Lite",
                    hint="pool without padding",
                )
        self._at[number] = self._node(op, (read,), layer.name, self._nhwc(number), attrs)

    def _weighted(self, number: int, layer: SpecLayer, read: int) -> None:
        weights, bias, end = self._folded(number, layer)
        end, clamp = self._activated(end)
        name, shape = self._spec.layers[end].name, self._nhwc(number)
        if layer.kind == "dense":
            kept = self._constant(f"{name}/weights", self._in_order(layer, weights))
            given = (read, kept, self._constant(f"{name}/bias", bias))
            made = self._node("FULLY_CONNECTED", given, name, shape, FullyConnectedAttrs(clamp))
            self._keep(number, end, made)
            return
        op = "DEPTHWISE_CONV_2D" if layer.is_depthwise else "CONV_2D"
        order = (1, 2, 3, 0) if layer.is_depthwise else (0, 2, 3, 1)
        attrs = ConvAttrs(layer.stride, layer.dilation, _pads_of(layer), clamp)
        if padding_of(self._tensors[read], Tensor("", shape, DType.FLOAT32), layer.kernel, attrs) is None:
            read, attrs = self._padded(layer, read), replace(attrs, pads=Pads())
        kept = self._constant(f"{name}/weights", weights.transpose(order))
        given = (read, kept, self._constant(f"{name}/bias", bias))
        self._keep(number, end, self._node(op, given, name, shape, attrs))

    def _padded(self, layer: SpecLayer, read: int) -> int:
        """A PAD, for what TensorFlow Lite has no name; the compiler fuses it."""
        top, bottom, left, right = layer.pads
        _, height, width, channels = self._tensors[read].shape
        shape = (1, height + top + bottom, width + left + right, channels)
        attrs = PadAttrs(((0, 0), (top, bottom), (left, right), (0, 0)), 0)
        return self._node("PAD", (read,), f"{layer.name}/padded", shape, attrs)

    def _folded(self, number: int, layer: SpecLayer) -> tuple[Array, Array, int]:
        """Weights and bias with a batch norm that follows, and the number of the last layer in them."""
        part = self._network.part(layer)
        weights = part.weight.detach().numpy().astype(np.float64)
        bias = np.zeros(layer.outputs) if part.bias is None else part.bias.detach().numpy().astype(np.float64)
        after = self._only_reader(number, ("norm",))
        if after is not None:
            scale, shift = norm_factors(self._network.part(self._spec.layers[after]))
            weights = weights * scale.reshape(-1, *[1] * (weights.ndim - 1))
            bias = bias * scale + shift
        return weights.astype(np.float32), bias.astype(np.float32), number if after is None else after

    def _in_order(self, layer: SpecLayer, weights: Array) -> Array:
        """Weights over a flattened picture in NHWC's order; torch flattens channel by channel."""
        source = layer.inputs[0]
        while source != PICTURE and self._spec.layers[source].kind in ("relu", "relu6"):
            source = self._spec.layers[source].inputs[0]
        if source == PICTURE or self._spec.layers[source].kind != "flatten":
            return weights
        before = self._spec.layers[source].inputs[0]
        height, width, channels = self._spec.shape
        shape = (channels, height, width) if before == PICTURE else self._shapes[before]
        if len(shape) != 3:
            return weights
        return weights.reshape(-1, *shape).transpose(0, 2, 3, 1).reshape(len(weights), -1)

    def _activated(self, number: int) -> tuple[int, Clamp]:
        """Number and clamp of the activation that alone reads a layer, and is fused; else the layer's own number."""
        after = self._only_reader(number, ("relu", "relu6"))
        if after is None:
            return number, _FREE
        return after, _ACTIVATIONS[self._spec.layers[after].kind]

    def _only_reader(self, number: int, kinds: tuple[str, ...]) -> int | None:
        readers = self._readers[number]
        return readers[0] if len(readers) == 1 and self._spec.layers[readers[0]].kind in kinds else None

    def _keep(self, first: int, last: int, made: int) -> None:
        """A tensor is the output of the layers from one to another, each of which alone reads the one before it."""
        number = first
        while True:
            self._at[number] = made
            self._done.add(number)
            if number == last:
                return
            (number,) = self._readers[number]

    def _nhwc(self, number: int) -> tuple[int, ...]:
        shape = self._shapes[number]
        return (1, *shape[1:], shape[0]) if len(shape) == 3 else (1, *shape)

    def _tensor(self, name: str, shape: tuple[int, ...], data: Array | None = None) -> int:
        self._tensors.append(Tensor(name, shape, DType.FLOAT32, data=data))
        return len(self._tensors) - 1

    def _constant(self, name: str, values: Array) -> int:
        return self._tensor(name, values.shape, np.ascontiguousarray(values, np.float32))

    def _node(self, op: str, inputs: tuple[int, ...], name: str, shape: tuple[int, ...], attrs: Attrs) -> int:
        made = self._tensor(name, shape)
        self._nodes.append(Node(op, inputs, (made,), attrs))
        return made


def norm_factors(norm: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(factor, summand) by channel that a batch norm is in evaluation."""
    gamma, beta, mean, variance = (
        values.detach().numpy().astype(np.float64)
        for values in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    )
    factor = gamma / np.sqrt(variance + norm.eps)
    return cast(npt.NDArray[np.float64], factor), cast(npt.NDArray[np.float64], beta - mean * factor)


def _pads_of(layer: SpecLayer) -> Pads:
    top, bottom, left, right = layer.pads
    return Pads(top, bottom, left, right)
