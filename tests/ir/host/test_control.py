"""IF and WHILE: graphs within graphs, as files have them and as they must not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.errors import GraphError, TinyhilError
from harness.frontends.tflite import reader as tflite
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.graph import Graph, NoAttrs
from harness.ir.interpreter import run
from harness.ir.operators.control import IfAttrs, WhileAttrs
from harness.ir.operators.tflite import OperatorDraft
from harness.kernels.macs import macs
from harness.oracle import open_oracle
from harness.quantization.types import DType
from tests.support.compiled import check_on_board
from tests.support.draft import Draft
from tests.support.generated import random_graph

SHAPE = (4,)


def tensors(**kinds: str) -> list[TensorDraft]:
    return [TensorDraft(name, SHAPE if kind == "float32" else (1,), kind) for name, kind in kinds.items()]


def subgraph(name: str, inputs: int, kinds: dict[str, str], outputs: tuple[int, ...]) -> SubgraphDraft:
    return SubgraphDraft(name, tuple(range(inputs)), outputs, tensors(**kinds))


def main_if(then: int = 1, otherwise: int = 2) -> SubgraphDraft:
    main = subgraph("main", 2, {"condition": "bool", "x": "float32", "y": "float32"}, (2,))
    main.operators.append(
        OperatorDraft("IF", (0, 1), (2,), "If", {"ThenSubgraphIndex": then, "ElseSubgraphIndex": otherwise})
    )
    return main


def unary(op: str) -> SubgraphDraft:
    made = subgraph(op.lower(), 1, {"x": "float32", "y": "float32"}, (1,))
    made.operators.append(OperatorDraft(op, (0,), (1,)))
    return made


def counting(limit: str = "LESS") -> list[SubgraphDraft]:
    """A loop that counts from its input to 5 and negates a vector each turn, and squares it or takes its magnitude."""
    main = subgraph("main", 2, {"n": "int32", "x": "float32", "m": "int32", "y": "float32"}, (2, 3))
    main.operators.append(
        OperatorDraft("WHILE", (0, 1), (2, 3), "While", {"CondSubgraphIndex": 1, "BodySubgraphIndex": 2})
    )
    condition = subgraph("condition", 2, {"n": "int32", "x": "float32", "less": "bool"}, (2,))
    five = condition.constant("five", np.array([5], np.int32))
    condition.operators.append(OperatorDraft(limit, (0, five), (2,)))
    kinds = {"n": "int32", "x": "float32", "more": "int32", "y": "float32", "odd": "bool", "z": "float32"}
    body = subgraph("body", 2, kinds, (2, 5))
    one, three = (body.constant(name, np.array([n], np.int32)) for name, n in (("one", 1), ("three", 3)))
    body.operators += [
        OperatorDraft("ADD", (0, one), (2,), "Add", {}),
        OperatorDraft("NEG", (1,), (3,)),
        OperatorDraft("LESS", (0, three), (4,)),
        OperatorDraft("IF", (4, 3), (5,), "If", {"ThenSubgraphIndex": 3, "ElseSubgraphIndex": 4}),
    ]
    return [main, condition, body, unary("SQUARE"), unary("ABS")]


def bounded(graph: Graph) -> Graph:
    """The same network behind a MINIMUM and a MAXIMUM that keep the number of turns small."""
    draft = Draft(np.random.default_rng(1))
    n, x = draft.input((1,), dtype=DType.INT32), draft.input(SHAPE, dtype=DType.FLOAT32)
    for op, limit in (("MINIMUM", 9), ("MAXIMUM", -9)):
        bound = draft.constant(np.array([limit], np.int32), None)
        n = draft.node(op, (n, bound), (draft.like(n, (1,)),), NoAttrs())
    outputs = (draft.like(n, (1,)), draft.like(x, SHAPE))
    draft.node("WHILE", (n, x), outputs, graph.nodes[0].attrs)
    return draft.finish("bounded", outputs)


def test_both_branches_are_read_and_run() -> None:
    graph = tflite.load(serialize([main_if(), unary("NEG"), unary("SQUARE")]))
    (node,) = graph.nodes
    assert isinstance(node.attrs, IfAttrs)
    assert [within.nodes[0].op for within in node.attrs.graphs] == ["NEG", "SQUARE"]
    assert all(tensor.source is None for within in node.attrs.graphs for tensor in within.tensors)
    x = np.array([1, -2, 3, 0.5], np.float32)
    for name in ("spec", "tflm"):
        session = open_oracle(name, graph)
        for holds, wanted in ((True, -x), (False, x * x), (True, -x)):
            np.testing.assert_array_equal(session.invoke([np.array([holds]), x]).outputs[0], wanted)


def test_a_loop_with_a_branch_in_it_equals_tflm_and_its_code() -> None:
    graph = tflite.load(serialize(counting()))
    (node,) = graph.nodes
    assert isinstance(node.attrs, WhileAttrs) and node.attrs.body.nodes[-1].op == "IF"
    x = np.array([1.5, -2, 3, 0.25], np.float32)
    sessions = [open_oracle(name, graph) for name in ("spec", "tflm")]
    for start in (0, 2, 4, 5, 9, -1):
        ours, theirs = (session.invoke([np.array([start], np.int32), x], tensors=True) for session in sessions)
        assert ours.outputs[0] == [max(start, 5)]
        assert ours.tensors.keys() == theirs.tensors.keys()
        for source, values in ours.tensors.items():
            np.testing.assert_array_equal(values, theirs.tensors[source])
    assert check_on_board([bounded(graph)], "host", sanitize=True)


def with_weights() -> bytes:
    """IF whose graphs are given their weights, as converters write it."""
    main = SubgraphDraft("main", (0, 1), (2,), [TensorDraft("condition", (1,), "bool")])
    main.tensors += [TensorDraft("x", (1, 4), "float32"), TensorDraft("y", (1, 2), "float32")]
    weights = main.constant("w", np.arange(8, dtype=np.float32).reshape(2, 4))
    fields = {"ThenSubgraphIndex": 1, "ElseSubgraphIndex": 2}
    main.operators.append(OperatorDraft("IF", (0, 1, weights), (2,), "If", fields))
    branches = []
    for name, other in (("then", "NEG"), ("else", "ABS")):
        shapes = (("x", (1, 4)), ("w", (2, 4)), ("z", (1, 2)), ("y", (1, 2)))
        within = SubgraphDraft(name, (0, 1), (3,), [TensorDraft(n, shape, "float32") for n, shape in shapes])
        within.operators.append(OperatorDraft("FULLY_CONNECTED", (0, 1, -1), (2,), "FullyConnected", {}))
        within.operators.append(OperatorDraft(other, (2,), (3,)))
        branches.append(within)
    return serialize([main, *branches])


def test_weights_that_a_branch_is_given_are_its_own() -> None:
    graph = tflite.load(with_weights())
    (node,) = graph.nodes
    assert len(node.inputs) == 2 and all(len(within.inputs) == 1 for within in node.attrs.graphs)
    ours, theirs = open_oracle("spec", graph), open_oracle("tflm", graph)
    x = np.array([[1.5, -2, 3, 0.25]], np.float32)
    for holds in (True, False):
        vector = [np.array([holds]), x]
        np.testing.assert_array_equal(ours.invoke(vector).outputs[0], theirs.invoke(vector).outputs[0])
    assert check_on_board([graph], "host", sanitize=True)


def test_what_no_turn_changes_is_a_constant_of_the_loop() -> None:
    main, condition, body, *_ = counting()
    step = main.constant("step", np.array([1, 2, 3, 4], np.float32))
    main.add(TensorDraft("same", SHAPE, "float32"))
    same = len(main.tensors) - 1
    main.operators[0] = replace(main.operators[0], inputs=(0, 1, step), outputs=(2, 3, same))
    main.operators.append(OperatorDraft("NEG", (same,), (main.add(TensorDraft("negative", SHAPE, "float32")),)))
    main.outputs = (2, 3, len(main.tensors) - 1)
    condition.inputs = (0, 1, condition.add(TensorDraft("step", SHAPE, "float32")))
    kinds = {"n": "int32", "x": "float32", "step": "float32", "more": "int32", "y": "float32"}
    body = subgraph("body", 3, kinds, (3, 4, 2))
    one = body.constant("one", np.array([1], np.int32))
    body.operators += [OperatorDraft("ADD", (0, one), (3,), "Add", {}), OperatorDraft("ADD", (1, 2), (4,), "Add", {})]
    graph = tflite.load(serialize([main, condition, body]))
    node = graph.nodes[0]
    assert len(node.inputs) == len(node.outputs) == 2
    sessions = [open_oracle(name, graph) for name in ("spec", "tflm")]
    for start in (0, 3, 7):
        vector = [np.array([start], np.int32), np.array([1, 1, 1, 1], np.float32)]
        ours, theirs = (session.invoke(vector).outputs for session in sessions)
        assert len(ours) == 3
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_constant_condition_leaves_one_branch() -> None:
    graph = tflite.load(serialize([main_if(), unary("NEG"), unary("SQUARE")]))
    held = replace(graph.tensors[0], data=np.array([False]))
    known = replace(graph, tensors=(held, *graph.tensors[1:]), inputs=graph.inputs[1:])
    text = emit(compile_graph(known)).files["model.c"]
    assert "if (*" not in text and "HIL_UNARY_SQUARE" not in text
    assert "if (*" in emit(compile_graph(graph)).files["model.c"]
    assert len(compile_graph(known).steps[0].lowered.calls) < len(compile_graph(graph).steps[0].lowered.calls)


def test_a_loop_without_end_is_told() -> None:
    graph = tflite.load(serialize(counting("GREATER_EQUAL")))
    (node,) = graph.nodes
    assert isinstance(node.attrs, WhileAttrs)
    still = replace(node.attrs.body, outputs=node.attrs.body.inputs)
    graph = replace(graph, nodes=(replace(node, attrs=replace(node.attrs, body=still)),))
    with pytest.raises(GraphError, match="still runs after 65,536 turns"):
        run(graph, [np.array([5], np.int32), np.zeros(SHAPE, np.float32)])


def test_compiled_loops_and_branches_equal_the_specification_on_every_path() -> None:
    graph = tflite.load(serialize([main_if(), unary("NEG"), unary("SQUARE")]))
    assert check_on_board([graph], "host", sanitize=True)


def recursive() -> bytes:
    within = subgraph("again", 1, {"x": "float32", "y": "float32", "holds": "bool"}, (1,))
    always = within.constant("always", np.array([True]))
    within.operators.append(
        OperatorDraft("IF", (always, 0), (1,), "If", {"ThenSubgraphIndex": 1, "ElseSubgraphIndex": 1})
    )
    return serialize([main_if(1, 1), within])


def doubling() -> bytes:
    """Each of twelve subgraphs runs the next one twice."""
    chain = [main_if(1, 1)]
    for number in range(1, 12):
        within = subgraph(f"s{number}", 1, {"x": "float32", "y": "float32"}, (1,))
        always = within.constant("always", np.array([True]))
        fields = {"ThenSubgraphIndex": number + 1, "ElseSubgraphIndex": number + 1}
        within.operators.append(OperatorDraft("IF", (always, 0), (1,), "If", fields))
        chain.append(within)
    return serialize([*chain, unary("NEG")])


def with_state() -> bytes:
    within = subgraph("keeps", 1, {"x": "float32", "y": "float32"}, (1,))
    handle = within.add(TensorDraft("handle", (), "resource"))
    names = {"SharedName": "v", "Container": ""}
    within.operators.append(OperatorDraft("VAR_HANDLE", (), (handle,), "VarHandle", names))
    within.operators.append(OperatorDraft("READ_VARIABLE", (handle,), (1,)))
    return serialize([main_if(1, 2), within, unary("NEG")])


def of_another_shape() -> bytes:
    made = [TensorDraft("x", SHAPE, "float32"), TensorDraft("y", (5,), "float32")]
    within = SubgraphDraft("longer", (0,), (1,), made)
    within.operators.append(OperatorDraft("NEG", (0,), (1,)))
    return serialize([main_if(1, 2), within, unary("NEG")])


def unknown() -> bytes:
    return serialize([main_if(), unary("GELU"), unary("ATAN2")])


def of_another_condition() -> bytes:
    main = main_if()
    main.tensors[0] = TensorDraft("condition", (2,), "bool")
    return serialize([main, unary("NEG"), unary("ABS")])


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: serialize([main_if(1, 7), unary("NEG")]), "subgraph 7 of 2"),
        (lambda: serialize([main_if(0, 1), unary("NEG")]), "subgraph 0 of 2"),
        (recursive, "subgraph 1 of 2 in [0, 1]"),
        (doubling, "more than 256 subgraphs within each other"),
        (with_state, "READ_VARIABLE with states in a subgraph, where tinyhil keeps none x1"),
        (of_another_shape, "runs 'subgraph 1'"),
        (unknown, "operators: GELU x1, ATAN2 x1;"),
        (of_another_condition, "has the condition 'condition' of bool[2]"),
        (lambda: serialize([main_if(1, 2), unary("NEG"), *counting()[2:]]), "has 1 inputs, its graph 2"),
    ],
)
def test_what_cannot_run_is_refused(make: Callable[[], bytes], told: str) -> None:
    with pytest.raises(TinyhilError) as caught:
        tflite.load(make())
    assert told in caught.value.message, caught.value.message


def test_macs_are_those_of_the_larger_branch() -> None:
    found = 0
    for number in range(20):
        graph = random_graph(np.random.default_rng([32, number]), "IF")
        (node,) = [node for node in graph.nodes if node.op == "IF"]
        each = [sum(macs(within, inner) for inner in within.nodes) for within in node.attrs.graphs]
        assert macs(graph, node) == max(each)
        found += max(each)
    assert found
