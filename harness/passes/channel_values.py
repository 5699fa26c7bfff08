"""Which channels of a tensor are constant: hold one value, whatever the inputs are.

A channel is an index along the last dimension. A channel of a convolution whose weights are all zero is constant: its
bias, requantized. Constants are propagated through every operator that treats channels alike; their values are
computed by the executable specification, so they are exactly those that the operators would compute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from harness.ir.graph import ABSENT, Graph, Node
from harness.ir.operators import OPERATORS, has
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.joining import ConcatAttrs, SplitAttrs
from harness.ir.operators.mean import MeanAttrs
from harness.ir.operators.operands import Operands
from harness.ir.operators.operator import EIGHT_BITS
from harness.ir.operators.pad import PadAttrs
from harness.ir.operators.strided_slice import SliceAttrs
from harness.ir.operators.traits import Trait
from harness.ir.weights import channel_bias, channel_weights
from harness.ir.window import ConvAttrs, PoolAttrs, window_of
from harness.quantization.fixedpoint import wrap32
from harness.quantization.requantize import REQUANTIZE
from harness.quantization.types import Array

Mask: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Known:
    """By channel of a tensor, [channels]: whether it is constant, and its value (undefined where it is not)."""

    mask: Mask
    values: Array

    @property
    def all(self) -> bool:
        """Whether every channel is constant."""
        return bool(self.mask.all())


def channels_of(graph: Graph, tensor: int) -> int:
    """Size of the last dimension; a scalar has one channel."""
    shape = graph.tensors[tensor].shape
    return shape[-1] if shape else 1


def known_channels(graph: Graph) -> dict[int, Known]:
    """Known of every tensor, by id.

    A variable's channel is constant when its initial value is that of every assignment. All are assumed to be, and
    those that an assignment contradicts are removed, until nothing changes. Of other states none is.
    """
    states = [_uniform(state.initial) for state in graph.states]
    while True:
        known: dict[int, Known] = {}
        for t, tensor in enumerate(graph.tensors):
            known[t] = _nothing(graph, t) if tensor.data is None else _uniform(tensor.data)
        for node in graph.nodes:
            for t, found in zip(node.outputs, _forward(graph, node, known, states), strict=True):
                known[t] = found
        after = _assigned(graph, known, states)
        if all(np.array_equal(a.mask, b.mask) for a, b in zip(states, after, strict=True)):
            return known
        states = after


def _assigned(graph: Graph, known: Mapping[int, Known], states: Sequence[Known]) -> list[Known]:
    after = list(states)
    for node in graph.nodes:
        if has(node, Trait.WRITES_STATE) and not has(node, Trait.COPIES_STATE):
            for i in node.states:
                after[i] = Known(np.zeros_like(after[i].mask), after[i].values)
        elif has(node, Trait.WRITES_STATE):
            (i,) = node.states
            old, new = after[i], known[node.inputs[0]]
            after[i] = Known(old.mask & new.mask & (old.values == new.values), old.values)
    return after


def _nothing(graph: Graph, tensor: int) -> Known:
    size = channels_of(graph, tensor)
    return Known(np.zeros(size, bool), np.zeros(size, graph.tensors[tensor].dtype.numpy))


def _uniform(data: Array) -> Known:
    """Known of a constant array: the channels in which all elements are equal."""
    rows = data.reshape(-1, data.shape[-1] if data.shape else 1)
    return Known((rows == rows[0]).all(axis=0), rows[0].copy())


def regrouped(known: Known, channels: int) -> Known:
    """Known of the same elements reshaped to a last dimension of `channels`."""
    common = gcd(len(known.mask), channels)
    mask, values = known.mask.reshape(-1, common), known.values.reshape(-1, common)
    alike = mask.all(axis=0) & (values == values[0]).all(axis=0)
    times = channels // common
    return Known(np.tile(alike, times), np.tile(values[0], times))


# --- layers with weights ---------------------------------------------------------------------------------------------


def moved_taps(graph: Graph, node: Node) -> Mask:
    """[kernel height, kernel width]: taps that lie in the padding for some output.

    The element under such a tap is not the same for all outputs, even if the channel is constant.
    """
    window = window_of(graph, node)
    return window.rows.padding_taps()[:, None] | window.columns.padding_taps()


@dataclass(frozen=True, eq=False)
class Weighing:
    """How the outputs of a layer with weights depend on its constant input channels.

    Attributes:
        weights: int64 [output channel, tap, input of that output channel].
        channel: [output channel, input of that output channel]: the input channel, as an index into `known`.
        moved: by tap, whether it lies in the padding for some output.
        known: of the layer's input.
        centred: [input channel] value minus zero point.
    """

    weights: Ints
    channel: Ints
    moved: Mask
    known: Known
    centred: Ints

    def unused(self) -> Mask:
        """[output, input]: all weights are zero."""
        return np.asarray((self.weights == 0).all(axis=1))

    def steady(self) -> Mask:
        """[output, input]: the input channel is constant and adds the same to every sum of the output channel."""
        still = (self.weights[:, self.moved] == 0).all(axis=1)
        mask: Mask = self.known.mask[self.channel] & (still | (self.centred[self.channel] == 0))
        return mask

    def sums(self) -> Ints:
        """[output, input]: what a steady input channel adds to each sum of the output channel."""
        total: Ints = self.weights[:, ~self.moved].sum(axis=1) * self.centred[self.channel]
        return total


def weighing(graph: Graph, node: Node, known: Known) -> Weighing:
    """The Weighing of CONV_2D, DEPTHWISE_CONV_2D or FULLY_CONNECTED; its input channels are the weights' columns."""
    x = graph.tensors[node.inputs[0]]
    shape, weights = graph.tensors[node.inputs[1]].shape, channel_weights(graph, node)
    out = len(weights)
    if isinstance(node.attrs, FullyConnectedAttrs):
        depth = shape[1]
        known = regrouped(known, depth)
        weights, moved = weights[:, None, :], np.zeros(1, bool)
        channel = np.tile(np.arange(depth), (out, 1))
    elif not has(node, Trait.CHANNELS_APART):
        depth = shape[3]
        weights, moved = weights.reshape(out, -1, depth), moved_taps(graph, node).reshape(-1)
        group = np.arange(out) // (out * depth // x.shape[3])
        channel = group[:, None] * depth + np.arange(depth)
    else:
        weights, moved = weights[:, :, None], moved_taps(graph, node).reshape(-1)
        channel = (np.arange(out) // (out // x.shape[3]))[:, None]
    return Weighing(weights, channel, moved, known, known.values.astype(np.int64) - x.q.zero_point)


def _weighted(graph: Graph, node: Node, x: Known) -> Known:
    attrs = node.attrs
    assert isinstance(attrs, ConvAttrs | FullyConnectedAttrs)
    found = weighing(graph, node, x)
    unused = found.unused()
    mask: Mask = np.asarray((unused | found.steady()).all(axis=1))
    sums = wrap32(channel_bias(graph, node) + np.where(unused, 0, found.sums()).sum(axis=1))
    tensors = [graph.tensors[t] for t in (*node.inputs[:2], node.outputs[0])]
    # Sums of channels that are not constant are undefined, and could overflow the multiplier.
    scaled = REQUANTIZE[node.rounding](np.where(mask, sums, 0), *tensors) + tensors[2].q.zero_point
    return Known(mask, np.clip(scaled, *attrs.clamp).astype(tensors[2].dtype.numpy))


# --- everything else -------------------------------------------------------------------------------------------------


def _forward(graph: Graph, node: Node, known: Mapping[int, Known], states: Sequence[Known]) -> list[Known]:
    """Known of the node's outputs."""
    attrs = node.attrs
    if has(node, Trait.COPIES_STATE):
        return [states[node.states[0]]] if node.outputs else []
    if not node.inputs or not is_narrow(graph, node):
        return [_nothing(graph, t) for t in node.outputs]
    x = known[node.inputs[0]]
    if isinstance(attrs, ConvAttrs | FullyConnectedAttrs):
        return [_weighted(graph, node, x)]
    if has(node, Trait.SAME_BYTES):
        return [regrouped(x, channels_of(graph, node.outputs[0]))]
    if isinstance(attrs, ConcatAttrs):
        return [_joined(graph, node, attrs, [known[t] for t in node.inputs])]
    if isinstance(attrs, SplitAttrs):
        return _parts(graph, node, attrs, x)
    if isinstance(attrs, SliceAttrs):
        return [_sliced(graph, node, attrs, x)]
    if isinstance(attrs, PadAttrs):
        return [_padded(graph, node, attrs, x)]
    if isinstance(attrs, BinaryAttrs):
        return [_combined(graph, node, x, known[node.inputs[1]])]
    if isinstance(attrs, PoolAttrs):
        # the mean and the maximum of one value are that value
        return [Known(x.mask, np.clip(x.values, *attrs.clamp))]
    if isinstance(attrs, MeanAttrs) and not keeps_channels(graph, node):
        return [_nothing(graph, node.outputs[0])]
    if isinstance(attrs, MeanAttrs) or has(node, Trait.ELEMENTWISE):
        return [Known(x.mask, _evaluated(graph, node, [x.values]))]
    return [_nothing(graph, t) for t in node.outputs]


def is_narrow(graph: Graph, node: Node) -> bool:
    """Whether channels of an operator may be reasoned about: of 8-bit data, or of numbers that only change their form.

    Floats are rounded where integers are exact, and 0 times what is no number is none.
    """
    data = (*OPERATORS[node.op].data_inputs(node), *node.outputs)
    return has(node, Trait.SAME_VALUES) or all(graph.tensors[t].dtype in EIGHT_BITS for t in data if t != ABSENT)


def keeps_channels(graph: Graph, node: Node) -> bool:
    """Whether a MEAN leaves the last dimension as it is."""
    return isinstance(node.attrs, MeanAttrs) and len(graph.tensors[node.inputs[0]].shape) - 1 not in node.attrs.axes


def _evaluated(graph: Graph, node: Node, values: Sequence[Array]) -> Array:
    """The node's output, one value by channel, for inputs that have one value by channel."""
    inputs = [graph.tensors[t] for t in node.inputs]
    given = [np.broadcast_to(v, t.shape or (1,)) for v, t in zip(values, inputs, strict=True)]
    outputs = [graph.tensors[t] for t in node.outputs]
    (made,) = OPERATORS[node.op].values(given, Operands(inputs, outputs, node.attrs, rounding=node.rounding))
    first: Array = made.reshape(-1, made.shape[-1] if made.shape else 1)[0]
    return first


def _combined(graph: Graph, node: Node, a: Known, b: Known) -> Known:
    """ADD and MUL; a product with a factor at its zero point is constant, whatever the other factor."""
    size = channels_of(graph, node.outputs[0])
    mask = np.broadcast_to(a.mask, size) & np.broadcast_to(b.mask, size)
    if has(node, Trait.PRODUCT):
        for known, t in zip((a, b), node.inputs, strict=True):
            mask = mask | np.broadcast_to(known.mask & (known.values == graph.tensors[t].q.zero_point), size)
    return Known(mask, _evaluated(graph, node, [a.values, b.values]))


def _joined(graph: Graph, node: Node, attrs: ConcatAttrs, parts: Sequence[Known]) -> Known:
    if attrs.axis == len(graph.tensors[node.outputs[0]].shape) - 1:
        mask, values = np.concatenate([p.mask for p in parts]), np.concatenate([p.values for p in parts])
    else:
        values = parts[0].values
        mask = np.all([p.mask & (p.values == values) for p in parts], axis=0)
    return Known(mask, np.clip(values, *attrs.clamp))


def _parts(graph: Graph, node: Node, attrs: SplitAttrs, x: Known) -> list[Known]:
    if attrs.axis != len(graph.tensors[node.inputs[0]].shape) - 1:
        return [x] * len(node.outputs)
    ends = np.cumsum([channels_of(graph, t) for t in node.outputs])[:-1]
    return [Known(m, v) for m, v in zip(np.split(x.mask, ends), np.split(x.values, ends), strict=True)]


def slices_channels(graph: Graph, node: Node) -> bool:
    """Whether the last dimension of a STRIDED_SLICE's output is the last of its input."""
    attrs, y = node.attrs, graph.tensors[node.outputs[0]]
    return isinstance(attrs, SliceAttrs) and bool(y.shape) and y.shape[-1] == attrs.counts[-1]


def _sliced(graph: Graph, node: Node, attrs: SliceAttrs, x: Known) -> Known:
    if not slices_channels(graph, node):
        return _nothing(graph, node.outputs[0])
    index = attrs.begin[-1] + attrs.strides[-1] * np.arange(attrs.counts[-1])
    return Known(x.mask[index], x.values[index])


def _padded(graph: Graph, node: Node, attrs: PadAttrs, x: Known) -> Known:
    before, after = attrs.paddings[-1]
    mask, values = np.pad(x.mask, (before, after), constant_values=True), np.pad(x.values, (before, after))
    added = np.ones(len(mask), bool)
    added[before : len(mask) - after] = False
    values = np.where(added, attrs.value, values).astype(x.values.dtype)
    if any(pair != (0, 0) for pair in attrs.paddings[:-1]):
        mask = mask & (values == attrs.value)
    return replace(x, mask=mask, values=values)
