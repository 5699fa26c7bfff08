"""Graph -> .tflite, the inverse of harness.frontends.tflite.reader.

Used for generated test graphs and for the fixtures. A Graph's explicit padding and clamps are written as the SAME or
VALID padding and the fused activation that equal them; a Graph that none equals is refused. Graphs within nodes are
subgraphs behind these.

Order in subgraph 0: tensors by their id, then helpers (shapes, axes, handles, variable tensors); operators CALL_ONCE
and one VAR_HANDLE per variable if there are variables, then the nodes in order. Subgraph 1 initialises the variables.
States that operators keep for themselves are variable tensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.errors import GraphError
from harness.frontends.tflite.rounding import rounding_metadata
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.frontends.tflite.states import initial_of
from harness.ir.graph import Graph, Node
from harness.ir.operators import OPERATORS, has
from harness.ir.operators.tflite import OperatorDraft, Writing
from harness.ir.operators.traits import Trait
from harness.quantization.types import Quantization


def write(graph: Graph, metadata: Mapping[str, bytes] | None = None) -> bytes:
    """The graph as a .tflite file (schema version 3), with metadata by name.

    Roundings other than TFLM's are metadata, too (rounding.py).

    Raises:
        GraphError: the format has no form for a padding, a clamp or an operator.
    """
    roundings = {operator_index(graph, i): node.rounding for i, node in enumerate(graph.nodes)}
    return serialize(draft(graph), {**(metadata or {}), **rounding_metadata(roundings)})


def draft(graph: Graph) -> list[SubgraphDraft]:
    """What `write` writes: tensors of the first subgraph have the graph's ids, helpers come after them.

    Raises:
        GraphError: as of `write`.
    """
    main = _tensors("main", graph)
    subgraphs = [main]
    handles: dict[int, int] = {}
    if variables_of(graph):
        subgraphs.append(_initializer(graph))
        main.operators.append(OperatorDraft("CALL_ONCE", (), (), "CallOnce", {"InitSubgraphIndex": 1}))
        handles = _add_handles(main, graph)
    _operators(_SubgraphWriting(graph, main, subgraphs, handles))
    return subgraphs


def _tensors(name: str, graph: Graph) -> SubgraphDraft:
    """A subgraph with a graph's tensors."""
    draft = SubgraphDraft(name, graph.inputs, graph.outputs)
    for tensor in graph.tensors:
        draft.add(TensorDraft(tensor.name, tensor.shape, tensor.dtype.value, tensor.quant, tensor.data))
    return draft


def _operators(to: _SubgraphWriting) -> None:
    for node in to.graph.nodes:
        to.main.operators.append(_operator(to, node))


@dataclass(frozen=True)
class _SubgraphWriting:
    """The file that writers of operators add to; implements harness.ir.operators.tflite.Writing.

    Attributes:
        graph: that is written.
        main: its subgraph.
        subgraphs: of the file.
        handles: index of the resource of each variable.
        variables: index of the variable tensor of each state that has one.
    """

    graph: Graph
    main: SubgraphDraft
    subgraphs: list[SubgraphDraft]
    handles: Mapping[int, int]
    variables: dict[int, int] = field(default_factory=dict)

    def constant(self, name: str, data: Any, quant: Quantization | None = None) -> int:
        """Index of a new constant."""
        return self.main.constant(name, data, quant)

    def handle(self, state: int) -> int:
        """Index of a variable's resource."""
        return self.handles[state]

    def variable(self, state: int) -> int:
        """Index of the variable tensor that is a state.

        Raises:
            GraphError: it does not start as TFLM starts variable tensors.
        """
        if state not in self.variables:
            held = self.graph.states[state]
            if not np.array_equal(held.initial, initial_of(held.initial.shape, held.dtype, held.quant)):
                raise GraphError(
                    f"state '{held.name}' has initial values, which a variable tensor cannot have",
                    hint="write the graph that was read from a .tflite",
                )
            draft = TensorDraft(held.name, held.initial.shape, held.dtype.value, held.quant, variable=True)
            self.variables[state] = self.main.add(draft)
        return self.variables[state]


    def subgraph(self, graph: Graph) -> int:
        """Number of a new subgraph.

        Raises:
            GraphError: it has states.
        """
        if graph.states:
            raise GraphError(f"'{graph.name}' has states, which no graph within another has", hint="verify the graph")
        draft = _tensors(graph.name, graph)
        self.subgraphs.append(draft)
        number = len(self.subgraphs) - 1
        _operators(_SubgraphWriting(graph, draft, self.subgraphs, {}))
        return number


def _operator(to: Writing, node: Node) -> OperatorDraft:
    form = OPERATORS[node.op].tflite if node.op in OPERATORS else None
    if form is None:
        raise GraphError(f"operator {node.op} cannot be written to a .tflite", hint="verify the graph")
    return form.write(to, node)


def operator_index(graph: Graph, node: int) -> int:
    """Index in subgraph 0 of the file of the operator that `write` makes of graph.nodes[node]."""
    variables = len(variables_of(graph))
    return node + (1 + variables if variables else 0)


def variables_of(graph: Graph) -> tuple[int, ...]:
    """States that are written as variables with handles: those that operators copy."""
    copied = {i for node in graph.nodes if node.states and has(node, Trait.COPIES_STATE) for i in node.states}
    return tuple(sorted(copied))


def _add_handles(subgraph: SubgraphDraft, graph: Graph) -> dict[int, int]:
    handles = {}
    for number in variables_of(graph):
        state = graph.states[number]
        handle = subgraph.add(TensorDraft(f"{state.name}/handle", (), "resource"))
        names = {"Container": "", "SharedName": f"{number}/{state.name}"}
        subgraph.operators.append(OperatorDraft("VAR_HANDLE", (), (handle,), "VarHandle", names))
        handles[number] = handle
    return handles


def _initializer(graph: Graph) -> SubgraphDraft:
    subgraph = SubgraphDraft("initialize")
    for number, handle in _add_handles(subgraph, graph).items():
        state = graph.states[number]
        value = subgraph.constant(f"{state.name}/initial", state.initial, state.quant)
        subgraph.operators.append(OperatorDraft("ASSIGN_VARIABLE", (handle, value), (), "AssignVariable"))
    return subgraph
