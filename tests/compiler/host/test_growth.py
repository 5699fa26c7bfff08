"""Analysis takes time in proportion to the operators: work is counted, as function calls, not timed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.frontends.tflite.reader import load
from harness.ir.aliases import last_use
from harness.ir.graph import Graph, NoAttrs
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.joining import ConcatAttrs, SplitAttrs
from tests.support.draft import Draft
from tests.support.long_network import long_network


def test_passes_and_compilation_grow_with_the_network() -> None:
    small, large = load(long_network(100).model), load(long_network(400).model)
    times = len(large.nodes) / len(small.nodes)
    analyse(small)  # what is worked out once for all networks
    assert calls(lambda: analyse(large)) < 1.4 * times * calls(lambda: analyse(small))


def test_many_inputs_that_live_long_take_no_cube_of_time() -> None:
    small, large = many_inputs(20), many_inputs(80)
    analyse(small)
    assert calls(lambda: analyse(large)) < 4 * 4 * calls(lambda: analyse(small))


def test_a_long_network_keeps_its_arena_and_its_channels() -> None:
    plan = compile_graph(load(long_network(400).model))
    assert plan.arena_size == plan.arena_bound
    wide = {plan.graph.tensors[t].shape[3] for node in plan.graph.nodes for t in node.outputs}
    assert 12 in wide, "of 16 channels 5 are dead: 11, rounded up to whole granules"


@pytest.mark.parametrize("depth", [40, 2000])
def test_parts_that_are_joined_again_and_again_are_followed_once(depth: int) -> None:
    draft = Draft(np.random.default_rng(3))
    x = first = draft.input((1, 4))
    for _ in range(depth):
        parts = tuple(draft.like(x, (1, 2)) for _ in range(2))
        draft.node("SPLIT", (x,), parts, SplitAttrs(1))
        x = draft.node("CONCATENATION", parts, (draft.like(x, (1, 4)),), ConcatAttrs(1, (-128, 127)))
    last = draft.node("RELU", (x,), (draft.like(x, (1, 4)),), NoAttrs())
    graph = draft.finish("parts", (last,))
    assert last_use(graph, first) == len(graph.nodes) - 1


def analyse(graph: Graph) -> None:
    """What the command `analyze` does with a graph before it builds anything."""
    emit(compile_graph(replace(graph), core="cortex-m4"))


def many_inputs(count: int) -> Graph:
    """A sum of that many inputs, one after another."""
    draft = Draft(np.random.default_rng(4))
    x = draft.input((1, 2, 2, 4))
    for _ in range(count):
        other = draft.input((1, 2, 2, 4), draft.quant(x))
        x = draft.node("ADD", (x, other), (draft.like(x, (1, 2, 2, 4)),), BinaryAttrs((-128, 127)))
    return load(draft.finish("inputs", (x,)).model)


def calls(work: Callable[[], object]) -> int:
    """How many functions `work` calls, those of C and every turn of a generator among them."""
    count = 0

    def see(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
