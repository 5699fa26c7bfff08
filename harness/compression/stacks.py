"""A float network over many inputs at once: stacks of activations, and layers with weights as products of matrices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

from harness.ir.graph import ABSENT, Graph, Node
from harness.ir.interpreter import compute
from harness.ir.operators import has, operator_of
from harness.ir.operators.traits import Trait
from harness.ir.window import ConvAttrs
from harness.quantization.types import Array

Floats: TypeAlias = npt.NDArray[np.float32]
Stacks: TypeAlias = dict[int, Array]
"""Tensor id -> its values, one behind the other: [vectors, *shape of the tensor]."""

Hook: TypeAlias = Callable[[int, Array], Array]
"""(tensor id, values) -> what is computed on with."""

_CHUNK = 1 << 23
"""Elements of columns that are in memory at once."""


def forward(graph: Graph, inputs: Sequence[Array], hook: Hook = lambda _, values: values) -> Stacks:
    """All activations of a network; `inputs` are stacks."""
    values: Stacks = {t: hook(t, stack) for t, stack in zip(graph.inputs, inputs, strict=True)}
    for node in graph.nodes:
        for t, stack in zip(node.outputs, computed(graph, node, values), strict=True):
            values[t] = hook(t, stack)
    for t in graph.outputs:
        data = graph.tensors[t].data
        if data is not None:
            values[t] = np.broadcast_to(data, (len(inputs[0]), *data.shape))
    return values


def computed(graph: Graph, node: Node, values: Mapping[int, Array], weights: Floats | None = None) -> list[Array]:
    """Outputs of a node as stacks; `weights` are taken for a layer's own."""
    if is_matrix(graph, node):
        w = cast(Floats, weights if weights is not None else graph.tensors[node.inputs[1]].data)
        return [activated(graph, node, linear(graph, node, cast(Floats, values[node.inputs[0]]), w))]
    if has(node, Trait.SAME_VALUES) and node.inputs[0] in values:
        return [values[node.inputs[0]].reshape(-1, *graph.tensors[node.outputs[0]].shape)]
    return in_sequence(graph, node, values)


def in_sequence(graph: Graph, node: Node, values: Mapping[int, Array]) -> list[Array]:
    """Outputs of a node as stacks, one vector after the other: each has the states that the one before it left."""
    stacks = [values[t] for t in node.inputs if t in values]
    if not stacks:
        raise AssertionError(f"{node.op} has constant inputs only, which are folded")
    held = [state.initial for state in graph.states]
    rows = []
    for index in range(len(stacks[0])):
        given = {t: values[t][index] for t in node.inputs if t in values}
        made = compute(graph, node, given, held=held)
        rows.append(made[: len(node.outputs)])
        for number, after in zip(node.states, made[len(node.outputs) :], strict=False):
            held[number] = after
    return [np.stack(column) for column in zip(*rows, strict=True)]


def is_matrix(graph: Graph, node: Node) -> bool:
    """Whether a node is a layer with weights that `columns` takes apart: windows over an image, or rows."""
    weighted = has(node, Trait.WEIGHTS) and operator_of(node).channel_axis is not None
    return weighted and (isinstance(node.attrs, ConvAttrs) or len(graph.tensors[node.inputs[1]].shape) == 2)


def is_apart(node: Node) -> bool:
    """Whether every output channel reads one input channel only."""
    return has(node, Trait.CHANNELS_APART)


def bias_of(graph: Graph, node: Node) -> Floats | None:
    """The bias of a layer with weights, if it has one."""
    if len(node.inputs) < 3 or node.inputs[2] == ABSENT:
        return None
    return cast(Floats, graph.tensors[node.inputs[2]].data)


def columns(graph: Graph, node: Node, x: Floats) -> Floats:
    """What a layer multiplies its weights by: [vectors * outputs, taps, input channels]; of rows taps are 1."""
    w = graph.tensors[node.inputs[1]]
    if not isinstance(node.attrs, ConvAttrs):
        return x.reshape(-1, 1, w.shape[1])
    attrs, kernel, y = node.attrs, w.shape[1:3], graph.tensors[node.outputs[0]].shape
    image = x.reshape(-1, *x.shape[-3:])
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, attrs.dilation, strict=True)]
    ends = [(n - 1) * s + r for n, s, r in zip(y[1:3], attrs.stride, reach, strict=True)]
    rows = (attrs.pads.top, max(attrs.pads.bottom, ends[0] - image.shape[1] - attrs.pads.top, 0))
    cols = (attrs.pads.left, max(attrs.pads.right, ends[1] - image.shape[2] - attrs.pads.left, 0))
    image = np.pad(image, ((0, 0), rows, cols, (0, 0)))
    taps = [
        image[
            :,
            dy * attrs.dilation[0] : dy * attrs.dilation[0] + (y[1] - 1) * attrs.stride[0] + 1 : attrs.stride[0],
            dx * attrs.dilation[1] : dx * attrs.dilation[1] + (y[2] - 1) * attrs.stride[1] + 1 : attrs.stride[1],
        ]
        for dy in range(kernel[0])
        for dx in range(kernel[1])
    ]
    return np.stack(taps, axis=3).reshape(-1, len(taps), image.shape[3])


def matrices(graph: Graph, node: Node, weights: Floats) -> Floats:
    """Weights as [groups, output channels of a group, factors of an output]."""
    if is_apart(node):
        flat = weights.reshape(-1, weights.shape[-1]).T
        return flat[:, None, :]
    groups = _groups(graph, node)
    return weights.reshape(groups, weights.shape[0] // groups, -1)


def factors(graph: Graph, node: Node, cols: Floats) -> Floats:
    """The columns as [groups, outputs, factors of an output], as `matrices` has the weights."""
    outputs, taps, channels = cols.shape
    if is_apart(node):
        multiplier = graph.tensors[node.inputs[1]].shape[-1] // channels
        return np.repeat(cols, multiplier, axis=2).transpose(2, 0, 1)
    groups = _groups(graph, node)
    return cols.reshape(outputs, taps, groups, channels // groups).transpose(2, 0, 1, 3).reshape(groups, outputs, -1)


def _groups(graph: Graph, node: Node) -> int:
    if not isinstance(node.attrs, ConvAttrs):
        return 1
    return graph.tensors[node.inputs[0]].shape[3] // graph.tensors[node.inputs[1]].shape[3]


def linear(graph: Graph, node: Node, x: Floats, weights: Floats) -> Floats:
    """Sums of a layer with its bias, before its activation: [vectors, *shape of the output]."""
    y = graph.tensors[node.outputs[0]]
    size = y.elements // y.shape[-1] * graph.tensors[node.inputs[1]].elements // (1 if is_apart(node) else y.shape[-1])
    count = max(_CHUNK // max(size, 1), 1)
    parts = [_linear(graph, node, x[first : first + count], weights) for first in range(0, len(x), count)]
    return np.concatenate(parts)


def _linear(graph: Graph, node: Node, x: Floats, weights: Floats) -> Floats:
    y = graph.tensors[node.outputs[0]].shape
    cols = columns(graph, node, x)
    if is_apart(node):
        multiplier = weights.shape[-1] // cols.shape[2]
        sums = np.einsum("ntc,tc->nc", np.repeat(cols, multiplier, axis=2), weights.reshape(-1, weights.shape[-1]))
    else:
        parts = factors(graph, node, cols) @ matrices(graph, node, weights).transpose(0, 2, 1)
        sums = parts.transpose(1, 0, 2).reshape(len(cols), -1)
    bias = bias_of(graph, node)
    whole = sums if bias is None else sums + bias
    return cast(Floats, whole.astype(np.float32).reshape(-1, *y))


def activated(graph: Graph, node: Node, sums: Floats) -> Floats:
    """Sums behind the layer's activation."""
    low, high = (np.float32(limit) for limit in node.attrs.clamp)  # type: ignore[attr-defined]
    return np.clip(sums, low, high)
