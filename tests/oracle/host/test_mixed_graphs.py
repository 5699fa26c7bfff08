"""Networks of all operators and element types: the specification equals TFLM, and passes and files change nothing."""

from __future__ import annotations

from collections import Counter

import numpy as np

from harness.frontends.tflite.reader import load
from harness.ir.graph import Graph
from harness.ir.interpreter import run
from harness.ir.operators import OPERATORS, has, operator_of
from harness.ir.operators.traits import Trait
from harness.oracle import open_oracle
from harness.passes import optimize
from harness.quantization.types import Array
from harness.validate.conformance.ulp import first_beyond
from tests.support.builders import BUILDERS
from tests.support.generated import random_inputs
from tests.support.mixed import FEWEST, MOST, mixed_graphs
from tests.support.scale import scaled
from tests.support.typed import combinations

COUNT = scaled(50, 1000)
ODD = 0.02
"""Share of floats that are no number, infinite, or near the ends."""


def over_time(graph: Graph, vectors: list[list[Array]]) -> list[tuple[Array, ...]]:
    """Outputs by the specification, states carried on."""
    states, outputs = None, []
    for vector in vectors:
        done = run(graph, vector, states)
        states = done.states
        outputs.append(done.outputs)
    return outputs


def vectors_of(number: int, graph: Graph) -> list[list[Array]]:
    return random_inputs(graph, np.random.default_rng([11, number]), 3, ODD if number % 2 else 0)


def test_every_node_computes_what_tflm_does_of_the_same_inputs() -> None:
    for number, graph in enumerate(mixed_graphs(41, COUNT)):
        vectors = vectors_of(number, graph)
        with open_oracle("tflm", graph) as tflm, np.errstate(all="ignore"):
            seen = [tflm.invoke(vector, tensors=True) for vector in vectors]
            beyond = first_beyond(graph, [result.tensors for result in seen])
        assert beyond is None, f"graph {number}: {beyond}"
        for result in seen:
            for t, output in zip(graph.outputs, result.outputs, strict=True):
                np.testing.assert_array_equal(result.tensors[graph.tensors[t].source], output)


def test_a_file_comes_back_and_passes_change_no_output() -> None:
    for number, graph in enumerate(mixed_graphs(42, COUNT)):
        vectors = vectors_of(number, graph)
        again = load(graph.model)
        with np.errstate(all="ignore"):
            wanted = over_time(graph, vectors)
            for other in (again, optimize(graph), optimize(again)):
                for ours, theirs in zip(over_time(other, vectors), wanted, strict=True):
                    for a, b in zip(ours, theirs, strict=True):
                        np.testing.assert_array_equal(a, b, f"graph {number}")


def test_networks_are_of_all_operators_and_types() -> None:
    graphs = mixed_graphs(43, 400)
    found = Counter(node.op for graph in graphs for node in graph.nodes)
    assert set(found) >= BUILDERS.keys()
    rows = {(node.op, operator_of(node).types_of(graph, node)) for graph in graphs for node in graph.nodes}
    assert len(rows & set(combinations())) > 0.9 * len(combinations())
    assert all(FEWEST <= len(graph.nodes) <= MOST for graph in graphs)
    assert any(len(graph.inputs) > 3 for graph in graphs) and any(len(graph.outputs) > 3 for graph in graphs)
    assert sum(any(len(read) > 1 for read in graph.consumers().values()) for graph in graphs) > 200, "branches"
    assert sum(any(has(node, Trait.WRITES_STATE) for node in graph.nodes) for graph in graphs) > 100
    linked = [n for graph in graphs for n in graph.nodes if any(t in graph.producers() for t in n.inputs)]
    assert len(linked) > sum(found.values()) / 2, "operators read what others made"
    assert {name for name in OPERATORS if OPERATORS[name].states} <= set(found)
