"""IF and WHILE: graphs of their own, which run or not, or again and again. They keep no states; their shapes are fixed.

Inputs of IF: a condition, then those of both graphs; of WHILE: those of both graphs.
Source: tensorflow/lite/micro/kernels, if.cc and while.cc.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from harness.errors import GraphError
from harness.ir.graph import Attrs, Graph, Node, Tensor
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, Types
from harness.ir.operators.tflite import OperatorDraft, Read, Reading, TfliteForm, Writer, Writing, damaged
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

MOST = 1_000
"""Inputs and outputs."""

MOST_TURNS = 1 << 16
"""After which the specification gives a loop up; on a device nothing ends it."""

_FREE = (Types(DType.BOOL, DType.BOOL, free=True),)


@dataclass(frozen=True)
class IfAttrs(Attrs):
    """The graph that runs where the condition holds, and the one that runs where it does not."""

    then: Graph
    otherwise: Graph

    @property
    def graphs(self) -> tuple[Graph, ...]:
        """See Attrs."""
        return (self.then, self.otherwise)


@dataclass(frozen=True)
class WhileAttrs(Attrs):
    """The graph of the condition, and the one that makes the next values of all inputs while it holds."""

    condition: Graph
    body: Graph

    @property
    def graphs(self) -> tuple[Graph, ...]:
        """See Attrs."""
        return (self.condition, self.body)


def _alike(v: View, what: str, outer: Sequence[Tensor], inner: Sequence[Tensor]) -> None:
    """Checks that tensors of the node, and those of a graph of its own that take their bytes, are of one kind."""
    v.need(len(outer) == len(inner), f"has {len(outer)} {what}s, its graph {len(inner)}")
    for number, (a, b) in enumerate(zip(outer, inner, strict=True)):
        kinds = [f"{t.dtype.value}{list(t.shape)}" for t in (a, b)]
        v.need(kinds[0] == kinds[1], f"has {what} {number} of {kinds[0]}, its graph of {kinds[1]}")
        v.moved(a, b)


def _within(graph: Graph) -> tuple[list[Tensor], list[Tensor]]:
    return [graph.tensors[t] for t in graph.inputs], [graph.tensors[t] for t in graph.outputs]


def _verify_if(v: View) -> None:
    condition = v.x()
    inputs, outputs = ([v.graph.tensors[t] for t in ids] for ids in (v.node.inputs[1:], v.node.outputs))
    single = condition.dtype is DType.BOOL and condition.elements == 1
    v.need(single, f"has the condition '{condition.name}' of {condition.dtype.value}{list(condition.shape)}")
    for graph in v.attrs(IfAttrs).graphs:
        reads, writes = _within(graph)
        _alike(v, "input", inputs, reads)
        _alike(v, "output", outputs, writes)


def _verify_while(v: View) -> None:
    attrs = v.attrs(WhileAttrs)
    inputs, outputs = ([v.graph.tensors[t] for t in ids] for ids in (v.node.inputs, v.node.outputs))
    _alike(v, "output", outputs, inputs)
    for graph in attrs.graphs:
        _alike(v, "input", inputs, _within(graph)[0])
    _alike(v, "output", outputs, _within(attrs.body)[1])
    found = _within(attrs.condition)[1]
    v.need(len(found) == 1, f"has a condition of {len(found)} outputs")
    single = found[0].dtype is DType.BOOL and found[0].elements == 1
    v.need(single, f"has a condition of {found[0].dtype.value}{list(found[0].shape)}")


def _given(inputs: Inputs, first: int) -> list[Array]:
    return [array(inputs, i) for i in range(first, len(inputs))]


def choose(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """IF: what one of the graphs makes of the inputs."""
    attrs = cast(IfAttrs, op.attrs)
    return tuple(op.run(attrs.then if array(inputs, 0).reshape(-1)[0] else attrs.otherwise, _given(inputs, 1)))


def repeat(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """WHILE: the inputs, replaced by what the body makes of them while the condition holds.

    Raises:
        GraphError: it still holds after MOST_TURNS.
    """
    attrs = cast(WhileAttrs, op.attrs)
    values: Sequence[Array] = _given(inputs, 0)
    for _ in range(MOST_TURNS):
        (condition,) = op.run(attrs.condition, values)
        if not condition.reshape(-1)[0]:
            return tuple(values)
        values = op.run(attrs.body, values)
    raise GraphError(
        f"the WHILE that makes '{op.y.name}' still runs after {MOST_TURNS:,} turns",
        hint="check its condition for these inputs",
    )


def _read_if(op: Reading) -> Read:
    """Constants that a converter hands to the graphs, such as weights, become their own; one input stays."""
    if not op.inputs:
        raise damaged(f"{op.place}: IF without a condition")
    (condition, *given) = op.ids(*range(len(op.inputs)))
    known = {i: t for i, t in enumerate(given) if op.has_data(t)}
    if known and len(known) == len(given):
        del known[min(known, key=lambda i: op.input(i + 1).bytes)]
    left = tuple(t for i, t in enumerate(given) if i not in known)
    return (condition, *left), IfAttrs(op.subgraph(4, known), op.subgraph(6, known))


def _read_while(op: Reading) -> Read:
    """The same for constants that no turn changes."""
    given = op.ids(*range(len(op.inputs)))
    known = {i: given[i] for i in op.unchanged(6) if i < len(given) and op.has_data(given[i])}
    condition, body = op.subgraph(4, known), op.subgraph(6, known)
    body = replace(body, outputs=tuple(t for i, t in enumerate(body.outputs) if i not in known))
    for i, t in known.items():
        op.give(i, t)
    return tuple(t for i, t in enumerate(given) if i not in known), WhileAttrs(condition, body)


def _writer(options: str, *names: str) -> Writer:
    """Writes the numbers of the graphs among the options, under these names."""

    def write(to: Writing, node: Node) -> OperatorDraft:
        fields = {name: to.subgraph(graph) for name, graph in zip(names, node.attrs.graphs, strict=True)}
        return OperatorDraft(node.op, node.inputs, node.outputs, options, fields)

    return write


_write_if = _writer("If", "ThenSubgraphIndex", "ElseSubgraphIndex")
_write_while = _writer("While", "CondSubgraphIndex", "BodySubgraphIndex")

OPERATORS = (
    Operator(
        "IF",
        _verify_if,
        choose,
        attrs=IfAttrs,
        inputs=(2, MOST),
        outputs=(1, MOST),
        types=_FREE,
        tflite=TfliteForm(118, _write_if, _read_if, options=92, version=1),
    ),
    Operator(
        "WHILE",
        _verify_while,
        repeat,
        attrs=WhileAttrs,
        inputs=(1, MOST),
        outputs=(1, MOST),
        types=_FREE,
        tflite=TfliteForm(119, _write_while, _read_while, options=93, version=1),
    ),
)
