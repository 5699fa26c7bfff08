"""Layers computed together a few rows at a time: nothing is read that is not there, and the result is the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compiler.choice import Choice, candidates
from harness.compiler.compile import compile_graph
from harness.compiler.fusion import Stream
from harness.compiler.fusion.build import folded
from harness.compiler.fusion.groups import FusionGroups
from harness.compiler.fusion.rows import needed, row_bytes, rows_of
from harness.compiler.fusion.schedule import Move, schedule
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
from tests.support.generated import graphs, random_graph
from tests.support.models import real_model
from tests.support.scale import scaled


def streams(graph: Graph, core: str = "cortex-m4") -> Iterator[Stream]:
    """Every run of layers of a graph that can be computed together."""
    graph = optimize(graph)
    views = find_aliases(graph)
    target = Target(core)
    contexts = [Context(graph, node, target) for i, node in enumerate(graph.nodes) if i not in views.free]
    layers = [[Choice(context, kernel) for kernel in candidates(context)] for context in contexts]
    chains = FusionGroups(graph, views, layers, PeakMemory(graph, views, [choices[0].use for choices in layers]))
    for option in chains.options():
        for resolved in chains.resolved(option):
            assert isinstance(resolved.choice, Stream)
            assert resolved.need >= option.need or resolved.choice.rows > 1, "an estimate is a bound"
            yield resolved.choice


def test_rows_are_where_they_are_read() -> None:
    found = turns = 0

    @settings(max_examples=scaled(20, 600), deadline=None)
    @given(graphs("ROWS"), st.integers(1, 5))
    def check(graph: Graph, rows: int) -> None:
        nonlocal found, turns
        for stream in streams(graph):
            turns += follow(stream, rows)
            found += 1

    check()
    assert found >= 20 and turns > found, "most graphs can be computed together, in several turns"


def follow(stream: Stream, rows: int) -> int:
    """Follows which rows lie in each window while the schedule runs; returns how many turns that takes."""
    nodes, inner = stream.nodes, {node.outputs[0] for node in stream.nodes[:-1]}
    planned = schedule(stream.graph, nodes, rows)
    windows: dict[int, list[int | None]] = {t: [None] * size for t, size in planned.windows.items()}
    done: list[int] = []
    for turn in planned.turns:
        for t in windows.keys() - planned.carried:
            windows[t] = [None] * len(windows[t])  # its bytes may be another's between turns
        for step in turn:
            if isinstance(step, Move):
                window = windows[step.tensor]
                window[: step.rows] = window[step.start : step.start + step.rows]
                continue
            node = nodes[step.number]
            for t, (first, end) in needed(stream.graph, node, step.first, step.end).items():
                if t in inner:
                    at = first - step.fronts[t]
                    assert windows[t][at : at + end - first] == list(range(first, end))
            y = node.outputs[0]
            if y in inner:
                at = step.first - step.fronts[y]
                assert at >= 0 and at + step.end - step.first <= len(windows[y])
                windows[y][at : at + step.end - step.first] = range(step.first, step.end)
            else:
                done += range(step.first, step.end)
    assert done == list(range(rows_of(stream.graph, nodes[-1])))
    for t in planned.windows:
        assert planned.windows[t] * row_bytes(stream.graph.tensors[t]) <= stream.graph.tensors[t].bytes
    return len(planned.turns)


Made = tuple[str, dict[str, int], list[object]]


def made(call: Call, turn: int = 0) -> Made:
    """A call as it is made: function, shape, and where each pointer points."""
    places = [
        (a.tensor, a.offset + turn * a.step) if isinstance(a, At) else a.data.tobytes() for a in call.arguments
    ]
    return call.function, dict(call.shape), places


def unfolded(calls: tuple[Call, ...], repeats: tuple[Repeat, ...]) -> Iterator[Made]:
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
        for stream in streams(graph):
            plain = [made(call) for turn in stream.turns() for call in turn]
            calls, repeats = folded(stream.turns())
            assert list(unfolded(calls, repeats)) == plain
            shorter += len(calls) < len(plain)

    check()
    assert shorter >= 10, "loops are found"


def test_random_networks_computed_together_equal_the_specification() -> None:
    rng = np.random.default_rng(77)
    kinds = ("ROWS", "ROWS", "SPARSE", "CHAIN")
    found = [random_graph(rng, op=kinds[i % len(kinds)]) for i in range(scaled(36, 800))]
    plans = [compile_graph(graph, core="host", prefer={"Stream"}) for graph in found]
    assert sum(any(layer.hidden for layer in plan.layers) for plan in plans) > len(found) / 2
    assert check_on_board(found, "host", sanitize=True, prefer={"Stream"}) == len(found) * VECTORS


@pytest.mark.parametrize("name, most", [("kws", 6900), ("vww", 30_300), ("ic", 20_800), ("ad", 800), ("sww", 3700)])
def test_the_smallest_arenas_of_mlperf_tiny(name: str, most: int) -> None:
    graph = load(real_model(f"mlperftiny_{name}_int8"))
    for core in ("cortex-m4", "cortex-m55"):
        assert compile_graph(graph, core=core, goals=Goals("ram")).arena_size <= most, core


def test_layers_computed_together_tell_their_operators() -> None:
    graph = load(real_model("mlperftiny_kws_int8"))
    plan = compile_graph(graph, core="cortex-m4", goals=Goals("ram"))
    layer = max(plan.layers, key=lambda layer: layer.hidden)
    assert layer.hidden == len(layer.sources) - 1 == len(layer.fused) and layer.name.startswith("rows_")
    assert sum(layer.macs for layer in plan.layers) == sum(layer.macs for layer in compile_graph(graph).layers)
    covered = {source for layer in plan.layers for source in layer.sources}
    assert covered | {index for index, *_ in plan.removed} == set(range(len(graph.source_ops)))
