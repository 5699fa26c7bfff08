"""The network with ONNX's inputs and outputs, in the file's order of dimensions, and nothing that none reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from harness.errors import UnsupportedModelError
from harness.frontends.onnx.islands import Islands
from harness.frontends.onnx.network import Network
from harness.frontends.onnx.value import OnnxValue
from harness.ir.graph import ABSENT, Graph, Node
from harness.ir.operators import OPERATORS
from harness.quantization.types import DType, Rounding


def as_graph(
    net: Network, inputs: Sequence[int], outputs: Sequence[OnnxValue], order: Callable[[int], tuple[int, ...]]
) -> Graph:
    """The network as a Graph that can be written; tensors that nothing reads are left out.

    order: of the dimensions of outputs, by their number.
    """
    ids = [_output(net, inputs, value, order(value.rank)) for value in outputs]
    if net.quantizes:
        islands = Islands(net, ids)
        ids = islands.run(ids)
        proved = islands.layers[Rounding.TFLM]
        if proved:
            net.notes.append(f"{proved} int8 layers give ONNX Runtime's integers with TFLM's rounding, as is proved")
    for tensor in {*ids, *inputs}:
        if net.tensors[tensor].dtype is DType.INT8 and net.tensors[tensor].quant is None:
            net.notes.append(f"'{net.tensors[tensor].name}' has no scale in the file")
    nodes = _needed(net.nodes, ids)
    used = [*inputs, *(t for node in nodes for t in (*node.inputs, *node.outputs) if t != ABSENT), *ids]
    places = {t: i for i, t in enumerate(dict.fromkeys(used))} | {ABSENT: ABSENT}
    renumbered = tuple(
        Node(
            node.op,
            tuple(places[t] for t in node.inputs),
            tuple(places[t] for t in node.outputs),
            node.attrs,
            states=node.states,
            rounding=node.rounding,
        )
        for node in nodes
    )
    tensors = tuple(net.tensors[t] for t in places if t != ABSENT)
    return Graph(
        "onnx",
        tensors,
        renumbered,
        tuple(places[t] for t in inputs),
        tuple(places[t] for t in ids),
        tuple(net.states),
        notes=tuple(dict.fromkeys(net.notes)),
    )


def _output(net: Network, inputs: Sequence[int], value: OnnxValue, order: Sequence[int]) -> int:
    """The tensor of an output, computed by an operator."""
    net.naming = value.name
    tensor = net.stored(value, order)
    if value.dtype is DType.UINT8:
        quant = net.tensors[tensor].quant
        if quant is None or value.data is not None:
            raise UnsupportedModelError(f"output '{value.name}' is uint8 without a scale", hint="leave it in float32")
        raised = replace(quant, zero_points=(quant.zero_point + 128,))
        tensor = net.emit("QUANTIZE", [tensor], net.tensors[tensor].shape, None, DType.UINT8, raised)
    if value.dtype is DType.INT64:
        net.notes.append(f"output '{value.name}' is int64 in the file, and int32 here")
    if tensor in inputs or net.tensors[tensor].data is not None:
        tensor = net.emit("RESHAPE", [tensor], net.tensors[tensor].shape, quant=net.tensors[tensor].quant)
    return tensor


def _needed(nodes: Sequence[Node], outputs: Sequence[int]) -> list[Node]:
    """The operators that an output depends on, in order."""
    wanted = set(outputs)
    kept: list[Node] = []
    for node in reversed(nodes):
        if OPERATORS[node.op].stateful or any(t in wanted for t in node.outputs):
            wanted.update(node.inputs)
            kept.append(node)
    return kept[::-1]


