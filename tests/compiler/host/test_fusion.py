"""Layers computed together a few rows at a time: nothing is read that is not there, and the result is the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compiler.choice import KernelChoice, candidates
from harness.compiler.compile import compile_graph, trade_offs
from harness.compiler.fusion import FusedRows
from harness.compiler.fusion.groups import FusionGroups
from harness.compiler.fusion.repeats import merge_repeats
from harness.compiler.fusion.rows import row_bytes, rows_of
from harness.compiler.fusion.schedule import MoveRows, schedule_rows
from harness.compiler.goals import Goals
from harness.compiler.memory.peak import PeakMemory
from harness.frontends import load
from harness.hardware.target import Target
from harness.ir.aliases import find_aliases
from harness.ir.graph import Graph
from harness.kernels.base import At, Call, Repeat
from harness.kernels.context import Context
from harness.passes import optimize
from tests.support.compiled import VECTORS, check_on_board
from tests.support.expected_time import time_of
from tests.support.generated import graphs, random_graph
from tests.support.models import real_model
from tests.support.scale import scaled


def fused_rows(graph: Graph, core: str = "cortex-m4") -> Iterator[FusedRows]:
    """Every run of layers of a graph that can be computed together."""
    graph = optimize(graph)
    aliases = find_aliases(graph)
    target = Target(core)
    contexts = [Context(graph, node, target) for i, node in enumerate(graph.nodes) if i not in aliases.elided]
    layers = [[KernelChoice(context, kernel) for kernel in candidates(context)] for context in contexts]
    groups = FusionGroups(
        graph, aliases, layers, PeakMemory(graph, aliases, [choices[0].memory_use for choices in layers])
    )
    for estimate in groups.estimates():
        for variant in groups.resolve(estimate):
            (segment,) = groups.resolve(variant)
            assert isinstance(segment.computation, FusedRows)
            assert segment.peak >= variant.peak and segment.time == variant.time >= estimate.time, "all are bounds"
            assert segment.peak >= estimate.peak or segment.computation.rows > 1
            yield segment.computation


def test_rows_are_where_they_are_read() -> None:
    found = turns = 0

    @settings(max_examples=scaled(20, 600), deadline=None)
    @given(graphs("ROWS"), st.integers(1, 5), st.booleans())
    def check(graph: Graph, rows: int, narrow: bool) -> None:
        nonlocal found, turns
        for fused in fused_rows(graph):
            turns += follow(fused, rows, narrow)
            found += 1

    check()
    assert found >= 20 and turns > found, "most graphs can be computed together, in several turns"


def follow(fused: FusedRows, rows: int, narrow: bool) -> int:
    """Follows which rows lie in each window while the schedule runs; returns how many turns that takes."""
    inner = {node.outputs[0] for node in fused.nodes[:-1]}
    nodes = [rows_of(fused.graph, node) for node in fused.nodes]
    planned = schedule_rows(nodes, rows, narrow=narrow)
    passing = {  # between these nodes; at others its bytes may be another's
        node.output: (number, max(i for i, reader in enumerate(nodes) if node.output in reader.inputs))
        for number, node in enumerate(nodes[:-1])
        if node.output not in planned.carried
    }
    buffer_rows: dict[int, list[int | None]] = {t: [None] * size for t, size in planned.buffer_rows.items()}
    done: list[int] = []
    for turn in planned.iterations:
        for step in turn:
            if isinstance(step, MoveRows):
                window = buffer_rows[step.tensor]
                window[: step.rows] = window[step.start : step.start + step.rows]
                continue
            node = nodes[step.number]
            assert step.end - step.first <= rows or not narrow
            for t in (t for t, (first, last) in passing.items() if not first <= step.number <= last):
                buffer_rows[t] = [None] * len(buffer_rows[t])
            first, end = node.needed(step.first, step.end)
            for t in node.inputs:
                if t in inner:
                    at = first - step.buffer_starts[t]
                    assert buffer_rows[t][at : at + end - first] == list(range(first, end))
            y = node.output
            if y in inner:
                at = step.first - step.buffer_starts[y]
                assert at >= 0 and at + step.end - step.first <= len(buffer_rows[y])
                buffer_rows[y][at : at + step.end - step.first] = range(step.first, step.end)
            else:
                done += range(step.first, step.end)
    assert done == list(range(nodes[-1].count))
    for t in planned.buffer_rows:
        assert planned.buffer_rows[t] * row_bytes(fused.graph.tensors[t]) <= fused.graph.tensors[t].bytes
    return len(planned.iterations)


Computation = tuple[str, dict[str, int], list[object]]


def made(call: Call, turn: int = 0) -> Computation:
    """A call as it is made: function, shape, and where each pointer points."""
    places = [
        (a.tensor, a.offset + turn * a.step) if isinstance(a, At) else a.data.tobytes() for a in call.arguments
    ]
    return call.function, dict(call.shape), places


def unfolded(calls: tuple[Call, ...], repeats: tuple[Repeat, ...]) -> Iterator[Computation]:
    """Every call in order."""
    at = 0
    for repeat in (*repeats, Repeat(len(calls), 0, 0)):
        yield from map(made, calls[at : repeat.first])
        at = repeat.first + repeat.calls
        for turn in range(repeat.times):
            yield from (made(call, turn) for call in calls[repeat.first : at])


def test_loops_are_the_turns_that_they_stand_for() -> None:
    shorter = 0

    @settings(max_examples=scaled(10, 300), deadline=None)
    @given(graphs("ROWS"))
    def check(graph: Graph) -> None:
        nonlocal shorter
        for fused in fused_rows(graph):
            plain = [made(call) for turn in fused.iterations() for call in turn]
            calls, repeats = merge_repeats(fused.iterations())
            assert list(unfolded(calls, repeats)) == plain
            shorter += len(calls) < len(plain)

    check()
    assert shorter >= 10, "loops are found"


def test_random_networks_computed_together_equal_the_specification() -> None:
    rng = np.random.default_rng(77)
    kinds = ("ROWS", "ROWS", "SPARSE", "CHAIN")
    found = [random_graph(rng, op=kinds[i % len(kinds)]) for i in range(scaled(36, 800))]
    plans = [compile_graph(graph, core="host", prefer={"RowFusion"}) for graph in found]
    assert sum(any(layer.hidden for layer in plan.layers) for plan in plans) > len(found) / 2
    assert check_on_board(found, "host", sanitize=True, prefer={"RowFusion"}) == len(found) * VECTORS


@pytest.mark.parametrize(
    ("name", "most"),
    [("kws", 5100), ("ic", 14_800), ("ad", 800), ("sww", 3720), ("vww", 28_000)][: scaled(4, 5)],
)
def test_the_smallest_arenas_of_mlperf_tiny(name: str, most: int) -> None:
    graph = load(real_model(f"mlperftiny_{name}_int8"))
    for core in ("cortex-m4", "cortex-m55"):
        assert compile_graph(graph, core=core, goals=Goals("ram", max_arena=most)).arena_size <= most, core


@pytest.mark.parametrize(
    ("name", "arena", "more"), [("kws", 6_800, 1.25), ("ic", 17_200, 1.6), ("vww", 28_000, 1.1)][: scaled(2, 3)]
)
def test_small_arenas_keep_fast_kernels(name: str, arena: int, more: float) -> None:
    graph = load(real_model(f"mlperftiny_{name}_int8"))
    small = compile_graph(graph, core="cortex-m7", goals=Goals("ram"))
    assert small.arena_size <= arena
    assert time_of(small) <= more * time_of(compile_graph(graph, core="cortex-m7", goals=Goals("time")))


@settings(max_examples=scaled(8, 200), deadline=None)
@given(graphs("ROWS"), st.sampled_from(["cortex-m4", "cortex-m55"]))
def test_every_point_of_the_curve_is_reached_by_its_budget(graph: Graph, core: str) -> None:
    points = trade_offs(graph, Target(core))
    assert all(a.arena > b.arena and a.cycles < b.cycles for a, b in pairwise(points))
    for point in points:
        plan = compile_graph(graph, core=core, goals=Goals("time", max_arena=point.arena))
        assert plan.arena_size <= point.arena and time_of(plan) <= point.cycles * 1.000001


def test_layers_computed_together_tell_their_operators() -> None:
    graph = load(real_model("mlperftiny_kws_int8"))
    plan = compile_graph(graph, core="cortex-m4", goals=Goals("ram"))
    layer = max(plan.layers, key=lambda layer: layer.hidden)
    assert layer.hidden == len(layer.sources) - 1 == len(layer.fused) and layer.name.startswith("rows_")
    assert sum(layer.macs for layer in plan.layers) == sum(layer.macs for layer in compile_graph(graph).layers)
    covered = {source for layer in plan.layers for source in layer.sources}
    assert covered | {index for index, *_ in plan.removed} == set(range(len(graph.source_ops)))
