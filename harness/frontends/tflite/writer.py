"""Graph -> .tflite, the inverse of harness.frontends.tflite.reader.

Used for generated test graphs and for the fixtures. A Graph's explicit padding and clamps are written as the SAME or
VALID padding and the fused activation that equal them; a Graph that none equals is refused.

Order in subgraph 0: tensors by their id, then helpers (shapes, axes, handles); operators CALL_ONCE and one VAR_HANDLE
per state if there are states, then the nodes in order. Subgraph 1 initialises the states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import GraphError
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.graph import Graph, Node
from harness.ir.operators import OPERATORS
from harness.ir.operators.tflite import OperatorDraft, Writing
from harness.quantization.types import Quantization


def write(graph: Graph, metadata: Mapping[str, bytes] | None = None) -> bytes:
    """The graph as a .tflite file (schema version 3), with metadata by name.

    Raises:
        GraphError: the format has no form for a padding, a clamp or an operator.
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
    to = _SubgraphWriting(graph, main, handles)
    for node in graph.nodes:
        main.operators.append(_operator(to, node))
    return serialize(subgraphs, metadata)


@dataclass(frozen=True)
class _SubgraphWriting:
    """The file that writers of operators add to; implements harness.ir.operators.tflite.Writing."""

    graph: Graph
    main: SubgraphDraft
    handles: Sequence[int]

    def constant(self, name: str, data: Any, quant: Quantization | None = None) -> int:
        """Index of a new constant."""
        return self.main.constant(name, data, quant)

    def handle(self, state: int) -> int:
        """Index of a variable's resource."""
        return self.handles[state]


def _operator(to: Writing, node: Node) -> OperatorDraft:
    form = OPERATORS[node.op].tflite if node.op in OPERATORS else None
    if form is None:
        raise GraphError(f"operator {node.op} cannot be written to a .tflite", hint="verify the graph")
    return form.write(to, node)


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
