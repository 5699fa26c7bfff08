"""Graph -> .tflite: writes what harness.frontends.tflite.reader reads.

Used for generated test graphs and for the fixtures. A Graph's explicit padding and clamps are written as SAME or VALID
and a fused activation where those say the same; a Graph for which they cannot is refused.

Order in subgraph 0: tensors by their id, then helpers (shapes, axes, handles); operators CALL_ONCE and one VAR_HANDLE
per state if there are states, then the nodes in order. Subgraph 1 initialises the states.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np

from harness.errors import GraphError
from harness.frontends.tflite.serialize import OperatorDraft, SubgraphDraft, TensorDraft, serialize
from harness.ir.graph import (
    ABSENT,
    BinaryAttrs,
    ConcatAttrs,
    ConvAttrs,
    FullyConnectedAttrs,
    Graph,
    MeanAttrs,
    Node,
    PadAttrs,
    Pads,
    PoolAttrs,
    SliceAttrs,
    SoftmaxAttrs,
    SplitAttrs,
    Tensor,
    VariableAttrs,
    activation_clamp,
)
from harness.ir.window import same_pads
from harness.quantization.types import Clamp

_ACTIVATIONS = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}


def write(graph: Graph) -> bytes:
    """The graph as a .tflite file (schema version 3).

    Raises:
        GraphError: padding, a clamp or an operator that the format cannot say.
    """
    main = SubgraphDraft("main", graph.inputs, graph.outputs)
    for tensor in graph.tensors:
        main.add(TensorDraft(tensor.name, tensor.shape, tensor.dtype.value, tensor.quant, tensor.data))
    subgraphs = [main]
    handles: list[int] = []
    if graph.states:
        subgraphs.append(_initializer(graph))
        main.operators.append(OperatorDraft("CALL_ONCE", (), (), "CallOnce", {"InitSubgraphIndex": 1}))
        handles = _add_handles(main, graph)
    for node in graph.nodes:
        main.operators.append(_operator(graph, main, handles, node))
    return serialize(subgraphs)


def operator_index(graph: Graph, node: int) -> int:
    """Index in subgraph 0 of the file of the operator that `write` makes of graph.nodes[node]."""
    return node + (1 + len(graph.states) if graph.states else 0)


def _add_handles(subgraph: SubgraphDraft, graph: Graph) -> list[int]:
    handles = []
    for number, state in enumerate(graph.states):
        handle = subgraph.add(TensorDraft(f"{state.name}/handle", (), "resource"))
        names = {"Container": "", "SharedName": f"{number}/{state.name}"}
        subgraph.operators.append(OperatorDraft("VAR_HANDLE", (), (handle,), "VarHandle", names))
        handles.append(handle)
    return handles


def _initializer(graph: Graph) -> SubgraphDraft:
    subgraph = SubgraphDraft("initialize")
    for handle, state in zip(_add_handles(subgraph, graph), graph.states, strict=True):
        value = subgraph.constant(f"{state.name}/initial", state.initial, state.quant)
        subgraph.operators.append(OperatorDraft("ASSIGN_VARIABLE", (handle, value), (), "AssignVariable"))
    return subgraph


# --- nodes -----------------------------------------------------------------------------------------------------------


def _operator(graph: Graph, main: SubgraphDraft, handles: Sequence[int], node: Node) -> OperatorDraft:
    if node.op == "READ_VARIABLE":
        state = cast(VariableAttrs, node.attrs).state
        return OperatorDraft(node.op, (handles[state],), node.outputs, "ReadVariable")
    if node.op == "ASSIGN_VARIABLE":
        state = cast(VariableAttrs, node.attrs).state
        return OperatorDraft(node.op, (handles[state], *node.inputs), (), "AssignVariable")
    if node.op not in _WRITERS:
        raise GraphError(f"operator {node.op} cannot be written to a .tflite", hint="verify the graph")
    return _WRITERS[node.op](graph, main, node)


def _activation(clamp: Clamp, y: Tensor) -> int:
    for name, code in _ACTIVATIONS.items():
        if activation_clamp(name, y) == clamp:
            return code
    raise GraphError(
        f"'{y.name}' is clamped to {clamp[0]}..{clamp[1]}, which no fused activation of its quantization gives",
        hint="write the graph before passes have merged clamps into it",
    )


def _padding(x: Tensor, y: Tensor, kernel: tuple[int, int], attrs: ConvAttrs | PoolAttrs) -> int:
    """0 for SAME, 1 for VALID."""
    dilation = attrs.dilation if isinstance(attrs, ConvAttrs) else (1, 1)
    size, out = (x.shape[1], x.shape[2]), (y.shape[1], y.shape[2])
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    valid = tuple((n - r) // s + 1 for n, r, s in zip(size, reach, attrs.stride, strict=True))
    if attrs.pads == Pads() and out == valid:
        return 1
    same = tuple(-(-n // s) for n, s in zip(size, attrs.stride, strict=True))
    if attrs.pads == same_pads(size, kernel, attrs.stride, dilation) and out == same:
        return 0
    raise GraphError(
        f"padding {attrs.pads} into '{y.name}' is neither SAME nor VALID",
        hint="write the graph before passes have merged PAD into it",
    )


def _convolution(graph: Graph, main: SubgraphDraft, node: Node) -> OperatorDraft:
    attrs = cast(ConvAttrs, node.attrs)
    x, w, y = (graph.tensors[i] for i in (*node.inputs[:2], node.outputs[0]))
    fields: dict[str, int] = {
        "Padding": _padding(x, y, (w.shape[1], w.shape[2]), attrs),
        "StrideH": attrs.stride[0],
        "StrideW": attrs.stride[1],
        "DilationHFactor": attrs.dilation[0],
        "DilationWFactor": attrs.dilation[1],
        "FusedActivationFunction": _activation(attrs.clamp, y),
    }
    # TFLM crashes on an optional bias (-1) of DEPTHWISE_CONV_2D; a missing one is fine.
    inputs = tuple(i for i in node.inputs if i != ABSENT)
    if node.op == "CONV_2D":
        return OperatorDraft(node.op, inputs, node.outputs, "Conv2D", fields)
    fields["DepthMultiplier"] = w.shape[3] // x.shape[3]
    return OperatorDraft(node.op, inputs, node.outputs, "DepthwiseConv2D", fields)


def _fully_connected(graph: Graph, main: SubgraphDraft, node: Node) -> OperatorDraft:
    attrs = cast(FullyConnectedAttrs, node.attrs)
    activation = _activation(attrs.clamp, graph.tensors[node.outputs[0]])
    fields = {"FusedActivationFunction": activation, "KeepNumDims": attrs.keep_num_dims}
    return OperatorDraft(node.op, node.inputs, node.outputs, "FullyConnected", fields)


def _pool(graph: Graph, main: SubgraphDraft, node: Node) -> OperatorDraft:
    attrs = cast(PoolAttrs, node.attrs)
    x, y = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
    fields = {
        "Padding": _padding(x, y, attrs.kernel, attrs),
        "StrideH": attrs.stride[0],
        "StrideW": attrs.stride[1],
        "FilterHeight": attrs.kernel[0],
        "FilterWidth": attrs.kernel[1],
        "FusedActivationFunction": _activation(attrs.clamp, y),
    }
    return OperatorDraft(node.op, node.inputs, node.outputs, "Pool2D", fields)


def _mean(graph: Graph, main: SubgraphDraft, node: Node) -> OperatorDraft:
    attrs = cast(MeanAttrs, node.attrs)
    axes = main.constant("axes", attrs.axes)
    return OperatorDraft(node.op, (*node.inputs, axes), node.outputs, "Reducer", {"KeepDims": attrs.keep_dims})


def _binary(graph: Graph, main: SubgraphDraft, node: Node) -> OperatorDraft:
    activation = _activation(cast(BinaryAttrs, node.attrs).clamp, graph.tensors[node.outputs[0]])
    return OperatorDraft(node.op, node.inputs, node.outputs, node.op.title(), {"FusedActivationFunction": activation})


def _pad(graph: Graph, main: SubgraphDraft, node: Node) -> OperatorDraft:
    attrs = cast(PadAttrs, node.attrs)
    y = graph.tensors[node.outputs[0]]
    inputs = (*node.inputs, main.constant("paddings", np.array(attrs.paddings, np.int32).reshape(-1, 2)))
    if attrs.value == y.q.zero_point:
        return OperatorDraft("PAD", inputs, node.outputs, "Pad")
    value = main.constant("value", np.array([attrs.value], y.dtype.numpy), y.quant)
    return OperatorDraft("PADV2", (*inputs, value), node.outputs, "PadV2")


def _reshape(graph: Graph, main: SubgraphDraft, node: Node) -> OperatorDraft:
    shape = graph.tensors[node.outputs[0]].shape
    return OperatorDraft(
        node.op, (*node.inputs, main.constant("shape", shape)), node.outputs, "Reshape", {"NewShape": shape}
    )


def _kept(longer: tuple[int, ...], shorter: tuple[int, ...], what: str) -> tuple[int, ...]:
    """Dimensions of `longer` that remain in `shorter`, which lacks only dimensions of one element."""
    kept: list[int] = []
    for i, size in enumerate(longer):
        left = len(shorter) - len(kept)
        if left and size == shorter[len(kept)] and (size != 1 or len(longer) - i >= left):
            kept.append(i)
        elif size != 1:
            break
    if len(kept) != len(shorter):
        raise GraphError(f"{what}: {list(longer)} is not {list(shorter)} with dimensions of 1", hint="use RESHAPE")
    return tuple(kept)


def _squeeze(graph: Graph, main: SubgraphDraft, node: Node) -> OperatorDraft:
    x, y = graph.tensors[node.inputs[0]].shape, graph.tensors[node.outputs[0]].shape
    dropped = sorted(set(range(len(x))) - set(_kept(x, y, node.op)))
    if not dropped and 1 in x:
        raise GraphError("SQUEEZE that drops nothing: no dimensions would mean all of 1", hint="use RESHAPE")
    return OperatorDraft(node.op, node.inputs, node.outputs, "Squeeze", {"SqueezeDims": dropped})


def _expand_dims(graph: Graph, main: SubgraphDraft, node: Node) -> OperatorDraft:
    x, y = graph.tensors[node.inputs[0]].shape, graph.tensors[node.outputs[0]].shape
    added = sorted(set(range(len(y))) - set(_kept(y, x, node.op)))
    if len(added) != 1:
        raise GraphError(f"EXPAND_DIMS adds {len(added)} dimensions", hint="use RESHAPE")
    return OperatorDraft(node.op, (*node.inputs, main.constant("axis", added[0])), node.outputs, "ExpandDims")


def _softmax(graph: Graph, main: SubgraphDraft, node: Node) -> OperatorDraft:
    return OperatorDraft(node.op, node.inputs, node.outputs, "Softmax", {"Beta": cast(SoftmaxAttrs, node.attrs).beta})


def _concatenation(graph: Graph, main: SubgraphDraft, node: Node) -> OperatorDraft:
    attrs = cast(ConcatAttrs, node.attrs)
    y = graph.tensors[node.outputs[0]]
    activation = 0 if y.quant is None else _activation(attrs.clamp, y)
    fields = {"Axis": attrs.axis, "FusedActivationFunction": activation}
    return OperatorDraft(node.op, node.inputs, node.outputs, "Concatenation", fields)


def _split(graph: Graph, main: SubgraphDraft, node: Node) -> OperatorDraft:
    axis = cast(SplitAttrs, node.attrs).axis
    number = {"NumSplits": len(node.outputs)}
    sizes = [graph.tensors[i].shape[axis] for i in node.outputs]
    if node.op == "SPLIT":
        if len(set(sizes)) != 1:
            raise GraphError(f"SPLIT into sizes {sizes}", hint="use SPLIT_V for unequal parts")
        return OperatorDraft(node.op, (main.constant("axis", axis), *node.inputs), node.outputs, "Split", number)
    inputs = (*node.inputs, main.constant("sizes", sizes), main.constant("axis", axis))
    return OperatorDraft(node.op, inputs, node.outputs, "SplitV", number)


def _strided_slice(graph: Graph, main: SubgraphDraft, node: Node) -> OperatorDraft:
    attrs = cast(SliceAttrs, node.attrs)
    kept = _kept(attrs.counts, graph.tensors[node.outputs[0]].shape, node.op)
    # The step to a second element that is not there is free; TFLM takes only a positive one where a dimension goes.
    strides = [s if n > 1 else 1 for s, n in zip(attrs.strides, attrs.counts, strict=True)]
    ends = [b + s * n for b, s, n in zip(attrs.begin, strides, attrs.counts, strict=True)]
    fields = {
        # An end before the first element cannot be said as an index: -1 is the last one.
        "EndMask": sum(1 << i for i, end in enumerate(ends) if end < 0),
        "ShrinkAxisMask": sum(1 << i for i in range(len(ends)) if i not in kept),
    }
    inputs = tuple(main.constant(n, v) for n, v in (("begin", attrs.begin), ("end", ends), ("strides", strides)))
    return OperatorDraft(node.op, (*node.inputs, *inputs), node.outputs, "StridedSlice", fields)


def _plain(graph: Graph, main: SubgraphDraft, node: Node) -> OperatorDraft:
    return OperatorDraft(node.op, node.inputs, node.outputs)


_WRITERS: Mapping[str, Callable[[Graph, SubgraphDraft, Node], OperatorDraft]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "FULLY_CONNECTED": _fully_connected,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "MEAN": _mean,
    "ADD": _binary,
    "MUL": _binary,
    "PAD": _pad,
    "PADV2": _pad,
    "RESHAPE": _reshape,
    "SQUEEZE": _squeeze,
    "EXPAND_DIMS": _expand_dims,
    "SOFTMAX": _softmax,
    "LOGISTIC": _plain,
    "RELU": _plain,
    "RELU6": _plain,
    "QUANTIZE": _plain,
    "DEQUANTIZE": _plain,
    "CONCATENATION": _concatenation,
    "SPLIT": _split,
    "SPLIT_V": _split,
    "STRIDED_SLICE": _strided_slice,
}
