"""Budgets of flash: layers get packed weights one by one, the cheapest first, and only as many as are needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.compiler.compile import compile_graph
from harness.compiler.cost.estimate import estimate_costs
from harness.compiler.cost.flash import FlashEstimate
from harness.compiler.goals import Goals
from harness.compiler.plan import Plan
from harness.ir.graph import Graph
from tests.support.few_values import few_values
from tests.support.kws import kws_graph


def packable(graph: Graph) -> Graph:
    """A graph whose layers' weights have 16 values each."""
    rng, tensors = np.random.default_rng(0), list(graph.tensors)
    for node in graph.nodes:
        w = node.inputs[1] if len(node.inputs) > 1 else -1
        data = tensors[w].data if w >= 0 else None
        if data is not None and data.ndim > 1:
            tensors[w] = replace(tensors[w], data=few_values(rng, data, 0, "shared"))
    return replace(graph, tensors=tuple(tensors))


def packed_layers(plan: Plan) -> list[str]:
    return [layer.name for layer in plan.layers if "lut16" in layer.kernel]


def flash(plan: Plan) -> int:
    return FlashEstimate(plan.steps).total


def cycles(plan: Plan) -> float:
    return sum(cost.cycles for cost in estimate_costs(plan))


def test_layers_are_packed_one_by_one() -> None:
    graph = packable(kws_graph())
    fastest = compile_graph(graph, core="cortex-m4", goals=Goals("time"))
    least = compile_graph(graph, core="cortex-m4", goals=Goals("flash"))
    assert not packed_layers(fastest) and len(packed_layers(least)) >= 4
    assert flash(least) < 0.75 * flash(fastest)
    limits = np.linspace(flash(fastest), flash(least), 5).astype(int)
    plans = [compile_graph(graph, core="cortex-m4", goals=Goals("time", max_flash=int(limit))) for limit in limits]
    assert all(flash(plan) <= limit for plan, limit in zip(plans, limits, strict=True))
    counts = [len(packed_layers(plan)) for plan in plans]
    assert counts == sorted(counts) and counts[0] == 0 and 0 < counts[2] < counts[-1]
    assert all(cycles(plan) <= cycles(plans[-1]) * 1.001 for plan in plans)
    # those that are packed first lose less of the time for what they save
    assert cycles(plans[2]) - cycles(plans[0]) <= 0.6 * (cycles(plans[-1]) - cycles(plans[0]))


def test_time_and_balanced_leave_weights_as_they_are_where_that_is_faster() -> None:
    graph = packable(kws_graph())
    for mode in ("time", "balanced"):
        assert not packed_layers(compile_graph(graph, core="cortex-m4", goals=Goals(mode)))
