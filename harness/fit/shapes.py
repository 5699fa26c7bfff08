"""Networks as shapes alone: layers without weights, each shape made once, for costs of many networks in little time.

net = NetworkShape.begin((28, 28, 1))
x = net.conv(net.input, 16, kernel=3, stride=2)
x = net.conv(net.depthwise(x, kernel=5), 24)
net.dense(net.mean(x), 10)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property
from math import prod

import numpy as np

from harness.ir.graph import Attrs, Graph, Node, Tensor
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.mean import MeanAttrs
from harness.ir.window import ConvAttrs, Pads
from harness.quantization.types import DType, Quantization

Shape = tuple[int, ...]

_CLAMP = DType.INT8.range
_CLAMPED = Quantization((0.0235,), (-128,))
_SIGNED = Quantization((0.05,), (3,))
_WEIGHT = 0.01


@dataclass(frozen=True, eq=False)
class LayerShape:
    """A layer without weights; equal ones are one object.

    Attributes:
        op: operator name.
        inputs: shapes of the activations that it reads, with a batch of 1 in front.
        output: shape of what it writes.
        weights: shape of its weights; () where it has none.
        axis: dimension of the weights that their scales are along.
        clamped: whether its output has the range of a ReLU.
        attrs: the operator's.
    """

    op: str
    inputs: tuple[Shape, ...]
    output: Shape
    weights: Shape
    axis: int
    clamped: bool
    attrs: Attrs

    @cached_property
    def size(self) -> int:
        """Bytes of the output."""
        return prod(self.output)

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates, those of padding among them; 0 where it has no weights."""
        if not self.weights:
            return 0
        return prod(self.output[1:-1]) * prod(self.weights)


@cache
def conv_shape(x: Shape, channels: int, kernel: int, stride: int, clamped: bool) -> LayerShape:
    """A convolution with kernel // 2 of padding on each side."""
    weights, out = (channels, kernel, kernel, x[-1]), _windows(x, kernel, stride, channels)
    return LayerShape("CONV_2D", (x,), out, weights, 0, clamped, _window(kernel, stride))


@cache
def depthwise_shape(x: Shape, kernel: int, stride: int, clamped: bool) -> LayerShape:
    """A depthwise convolution with kernel // 2 of padding on each side."""
    weights, out = (1, kernel, kernel, x[-1]), _windows(x, kernel, stride, x[-1])
    return LayerShape("DEPTHWISE_CONV_2D", (x,), out, weights, 3, clamped, _window(kernel, stride))


@cache
def add_shape(shape: Shape) -> LayerShape:
    """A sum of two tensors of one shape."""
    return LayerShape("ADD", (shape, shape), shape, (), 0, False, BinaryAttrs(_CLAMP))


@cache
def mean_shape(shape: Shape) -> LayerShape:
    """The mean of each channel of an image."""
    return LayerShape("MEAN", (shape,), (1, shape[-1]), (), 0, False, MeanAttrs((1, 2), False))


@cache
def dense_shape(inputs: int, outputs: int, clamped: bool) -> LayerShape:
    """A fully connected layer."""
    attrs = FullyConnectedAttrs(_CLAMP)
    return LayerShape("FULLY_CONNECTED", ((1, inputs),), (1, outputs), (outputs, inputs), 0, clamped, attrs)


def _window(kernel: int, stride: int) -> ConvAttrs:
    return ConvAttrs((stride, stride), (1, 1), Pads(*[kernel // 2] * 4), _CLAMP)


def _windows(x: Shape, kernel: int, stride: int, channels: int) -> Shape:
    height, width = ((size + 2 * (kernel // 2) - kernel) // stride + 1 for size in x[1:3])
    return 1, height, width, channels


@dataclass(eq=False)
class NetworkShape:
    """A network as it is put together: value 0 is its input, value i + 1 what layer i writes, the last its output.

    Attributes:
        shape: of the input, with a batch of 1 in front.
        layers: each with the values that it reads.
    """

    shape: Shape
    layers: list[tuple[LayerShape, tuple[int, ...]]] = field(default_factory=list)
    input: int = 0

    @classmethod
    def begin(cls, shape: Shape) -> NetworkShape:
        """A network of no layers on an input of this shape (height, width, channels)."""
        return cls((1, *shape))

    def conv(self, x: int, channels: int, *, kernel: int = 1, stride: int = 1, clamped: bool = True) -> int:
        """Adds a convolution; returns the value that it writes."""
        return self._add(conv_shape(self.shape_of(x), channels, kernel, stride, clamped), (x,))

    def depthwise(self, x: int, *, kernel: int = 3, stride: int = 1, clamped: bool = True) -> int:
        """Adds a depthwise convolution."""
        return self._add(depthwise_shape(self.shape_of(x), kernel, stride, clamped), (x,))

    def add(self, a: int, b: int) -> int:
        """Adds the sum of two values."""
        return self._add(add_shape(self.shape_of(a)), (a, b))

    def mean(self, x: int) -> int:
        """Adds the mean of each channel."""
        return self._add(mean_shape(self.shape_of(x)), (x,))

    def dense(self, x: int, outputs: int, *, clamped: bool = False) -> int:
        """Adds a fully connected layer."""
        return self._add(dense_shape(self.shape_of(x)[-1], outputs, clamped), (x,))

    def shape_of(self, value: int) -> Shape:
        """The shape of a value."""
        return self.layers[value - 1][0].output if value else self.shape

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all layers."""
        return sum(layer.macs for layer, _ in self.layers)

    def _add(self, layer: LayerShape, reads: tuple[int, ...]) -> int:
        self.layers.append((layer, reads))
        return len(self.layers)


def graph_of(net: NetworkShape, *, seed: int = 0, name: str = "shapes") -> Graph:
    """An int8 graph of these shapes with random weights, none of whose channels are constant."""
    made = _GraphParts(np.random.default_rng(seed))
    signed = Quantization((1 / 255,), (-128,))
    values = [made.tensor(net.shape, signed)]
    for layer, reads in net.layers:
        values.append(made.layer(layer, tuple(values[i] for i in reads)))
    return Graph(name, tuple(made.tensors), tuple(made.nodes), (values[0],), (values[-1],), sha256="0" * 64)


def graph_of_layer(layer: LayerShape) -> Graph:
    """A graph of one layer alone."""
    made = _GraphParts(np.random.default_rng(0))
    reads = tuple(made.tensor(shape, _CLAMPED) for shape in layer.inputs)
    output = made.layer(layer, reads)
    return Graph("layer", tuple(made.tensors), tuple(made.nodes), reads, (output,), sha256="0" * 64)


class _GraphParts:
    """Tensors and nodes of a graph while it is put together."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.tensors: list[Tensor] = []
        self.nodes: list[Node] = []
        self._rng = rng

    def tensor(self, shape: Shape, quant: Quantization, dtype: DType = DType.INT8, data: object = None) -> int:
        number = len(self.tensors)
        array = None if data is None else np.asarray(data)
        self.tensors.append(Tensor(f"t{number}", shape, dtype, quant, array, number))
        return number

    def layer(self, layer: LayerShape, reads: tuple[int, ...]) -> int:
        """Adds a layer with its weights."""
        inputs = reads
        if layer.weights:
            channels = layer.weights[layer.axis]
            spread = 1 / (0.02 * prod(layer.weights) / channels) ** 0.5
            scales = tuple(float(np.float32(_WEIGHT * spread * s)) for s in self._rng.uniform(0.5, 1.5, channels))
            data = np.moveaxis(self._rng.integers(-127, 128, layer.weights).astype(np.int8), layer.axis, -1)
            ends = data.reshape(-1, channels)
            ends[0], ends[-1] = -127, 127  # no channel stays at one end of its range
            data = np.ascontiguousarray(np.moveaxis(data, -1, layer.axis))
            weights = self.tensor(layer.weights, Quantization(scales, (0,) * channels, layer.axis), data=data)
            scale = np.float32(self.tensors[reads[0]].q.scale)
            products = tuple(float(scale * np.float32(s)) for s in scales)
            bias = self._rng.integers(-999, 1000, channels).astype(np.int32)
            quant = Quantization(products, (0,) * channels, 0)
            inputs = (*reads, weights, self.tensor((channels,), quant, DType.INT32, bias))
        output = self.tensor(layer.output, _CLAMPED if layer.clamped else _SIGNED)
        self.nodes.append(Node(layer.op, inputs, (output,), layer.attrs, (len(self.nodes),)))
        return output
