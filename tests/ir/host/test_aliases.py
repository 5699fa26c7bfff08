"""Operators that only say where bytes are cost nothing: parts are written where they belong, rings shift once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.compiler.compile import compile_graph
from harness.compiler.plan import Plan
from harness.frontends import load
from harness.ir.aliases import find_aliases
from harness.ir.graph import Graph, NoAttrs, Node, State
from harness.ir.operators.joining import ConcatAttrs, SplitAttrs
from harness.ir.operators.strided_slice import SliceAttrs
from harness.passes import optimize
from harness.quantization.types import DType
from tests.support.graphs import FULL, Builder
from tests.support.models import wake_word_models


def layers(plan: Plan) -> list[str]:
    """Operators that a layer computes."""
    return [layer.op for layer in plan.layers]


def offset(plan: Plan, tensor: str) -> int:
    """Where the tensor of that name is."""
    return next(p.offset for p in plan.placements if p.name == tensor)


def test_a_concatenation_along_the_outermost_dimension_is_written_in_place() -> None:
    b = Builder()
    x = b.input(1, 4, 4, 4)
    one, two = b.conv(x, 4, size=1), b.conv(x, 4, size=1, seed=1)
    joined = b.tensor(1, 8, 4, 4, scale=0.2, zero=3)
    y = b.conv(b.node("CONCATENATION", (one, two), joined, ConcatAttrs(1, FULL)), 3)
    plan = compile_graph(b.graph(y))
    assert layers(plan) == ["CONV_2D"] * 3
    assert offset(plan, f"t{two}") == offset(plan, f"t{one}") + 64
    assert offset(plan, f"t{joined}") == offset(plan, f"t{one}")


@pytest.mark.parametrize("axis, parts", [(3, 2), (1, 3)])
def test_a_concatenation_of_strided_or_repeated_parts_is_copied(axis: int, parts: int) -> None:
    b = Builder()
    one = b.conv(b.input(1, 4, 4, 4), 4, size=1)
    shape = [1, 4, 4, 4]
    shape[axis] *= parts
    inputs = (one, b.conv(b.inputs[0], 4, size=1, seed=1)) if parts == 2 else (one,) * 3
    joined = b.node("CONCATENATION", inputs, b.tensor(*shape, scale=0.2, zero=3), ConcatAttrs(axis, FULL))
    assert "CONCATENATION" in layers(compile_graph(b.graph(b.conv(joined, 3))))


def test_contiguous_parts_are_views_and_others_are_copied() -> None:
    for axis, copied in ((1, False), (3, True)):
        b = Builder()
        x = b.conv(b.input(1, 8, 8, 8), 8, size=1)
        shape = [1, 8, 8, 8]
        shape[axis] = 4
        parts = tuple(b.tensor(*shape, scale=0.2, zero=3) for _ in range(2))
        b.nodes.append(replace(b.nodes[-1], op="SPLIT", inputs=(x,), outputs=parts, attrs=SplitAttrs(axis)))
        plan = compile_graph(b.graph(b.conv(parts[0], 3), b.conv(parts[1], 3)))
        assert ("SPLIT" in layers(plan)) == copied


def test_a_slice_that_does_not_begin_at_a_word_is_copied() -> None:
    for first, copied in ((2, False), (1, True)):
        b = Builder()
        x = b.conv(b.input(1, 4, 4, 2), 2, size=1)
        part = b.tensor(1, 1, 2, 2, scale=0.2, zero=3)
        attrs = SliceAttrs((0, 1, first, 0), (1, 1, 1, 1), (1, 1, 2, 2))
        plan = compile_graph(b.graph(b.conv(b.node("STRIDED_SLICE", (x,), part, attrs), 3, size=1)))
        assert ("STRIDED_SLICE" in layers(plan)) == copied


def ring(*, late_reader: bool = False) -> Graph:
    """Four frames kept of each five, then a convolution over the five; the assignment comes before it."""
    b = Builder()
    x = b.conv(b.input(1, 1, 1, 8), 8, size=1)
    before = b.tensor(1, 4, 1, 8, scale=0.2, zero=3)
    window = b.tensor(1, 5, 1, 8, scale=0.2, zero=3)
    newest = b.tensor(1, 4, 1, 8, scale=0.2, zero=3)
    b.nodes.append(Node("READ_VARIABLE", (), (before,), NoAttrs(), states=(0,)))
    b.node("CONCATENATION", (before, x), window, ConcatAttrs(1, FULL))
    b.node("STRIDED_SLICE", (window,), newest, SliceAttrs((0, 1, 0, 0), (1, 1, 1, 1), (1, 4, 1, 8)))
    b.nodes.append(Node("ASSIGN_VARIABLE", (newest,), (), NoAttrs(), states=(0,)))
    y = b.conv(window, 3, size=1)
    again = ()
    if late_reader:
        after = b.tensor(1, 4, 1, 8, scale=0.2, zero=3)
        read = Node("READ_VARIABLE", (), (after,), NoAttrs(), states=(0,))
        b.nodes.append(read)
        again = (b.conv(after, 3, size=1, seed=2),)
    state = State("ring", DType.INT8, np.full((1, 4, 1, 8), 3, np.int8), b.tensors[before].quant)
    return replace(b.graph(y, *again), states=(state,))


def test_a_ring_is_joined_in_place_and_shifts_once_its_window_is_read() -> None:
    plan = compile_graph(ring(), core="cortex-m3")
    assert layers(plan) == ["CONV_2D", "CONV_2D", "ASSIGN_VARIABLE"]
    assert plan.layers[2].kernel == "move_portable"
    state = next(p for p in plan.placements if p.state == 0)
    joined, newest = (next(p for p in plan.placements if p.name == name) for name in ("t4", "t5"))
    assert joined.offset == state.offset and newest.offset == state.offset + 8
    # 40 bytes of window, and what the outer convolutions need
    assert plan.arena_size <= 40 + 8 + 16


def test_a_variable_that_is_read_again_is_not_assigned_late() -> None:
    graph = optimize(ring(late_reader=True))
    ops = [node.op for node in graph.nodes]
    assert ops[1:2] + ops[4:7] == ["READ_VARIABLE", "CONV_2D", "ASSIGN_VARIABLE", "READ_VARIABLE"]
    assert layers(compile_graph(graph)) == ["CONV_2D", "CONV_2D", "ASSIGN_VARIABLE", "CONV_2D"]


def test_a_window_that_is_read_after_the_next_assignment_is_copied() -> None:
    graph = ring()
    first = graph.nodes[-1]
    end = graph.nodes[3]
    twice = replace(graph, nodes=(*graph.nodes[:4], replace(end, inputs=(graph.nodes[1].outputs[0],)), first))
    plan = compile_graph(twice)
    assert "CONCATENATION" in layers(plan) or "READ_VARIABLE" in layers(plan)


def test_an_old_value_that_is_assigned_again_is_copied() -> None:
    """A second assignment of the same variable is a reader of what the first one overwrites."""
    b = Builder()
    x = b.conv(b.input(1, 1, 1, 8), 8, size=1)
    before = b.like(x)
    b.nodes.append(Node("READ_VARIABLE", (), (before,), NoAttrs(), states=(0,)))
    b.nodes += [Node("ASSIGN_VARIABLE", (t,), (), NoAttrs(), states=(0,)) for t in (x, before)]
    after = b.like(x)
    b.nodes.append(Node("READ_VARIABLE", (), (after,), NoAttrs(), states=(0,)))
    state = State("kept", DType.INT8, np.full((1, 1, 1, 8), 3, np.int8), b.tensors[before].quant)
    graph = replace(b.graph(b.conv(after, 3, size=1)), states=(state,))
    assert find_aliases(graph).bytes_of(before) == before
    assert find_aliases(graph).bytes_of(after) == "state 0"


def test_wake_word_models_copy_nothing_but_their_rings() -> None:
    for path in wake_word_models():
        graph = load(path)
        plan = compile_graph(graph, core="cortex-m3")
        moved = [layer.op for layer in plan.layers if layer.kernel in ("move_portable", "strided_copy_portable")]
        assert len(graph.states) == 6 and moved == ["ASSIGN_VARIABLE"] * len(graph.states), path.name
        assert not [layer for layer in plan.layers if layer.op == "CONCATENATION"], path.name
        assert plan.arena_size < 1.2 * plan.liveness_bound
