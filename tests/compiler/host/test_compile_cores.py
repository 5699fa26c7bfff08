"""Graphs of every kind compile for every core, whatever its kernels; constant operands have no place in the arena."""

from __future__ import annotations

import numpy as np
import pytest

from harness.compiler.compile import compile_graph
from harness.compiler.cost.model import cost_of
from harness.hardware.cores import CORES
from tests.support.generated import KINDS, random_graph
from tests.support.scale import scaled


@pytest.mark.parametrize("core", CORES.names())
def test_every_kind_compiles(core: str) -> None:
    rng = np.random.default_rng([31, list(CORES.names()).index(core)])
    with_scratch = 0
    for kind in KINDS * scaled(2, 10):
        graph = random_graph(rng, op=kind)
        plan = compile_graph(graph, core=core)
        # What the arena is planned by and what the calls use are told by two methods of a kernel.
        for part in (part for step in plan.steps for part in step.parts):
            told = cost_of(part.kernel, part.context).scratch
            assert told == part.kernel.lower(part.context).scratch, (graph.name, type(part.kernel))
            with_scratch += told > 0
        assert all(p.offset + p.size <= plan.arena_size for p in plan.placements), graph.name
    assert with_scratch > 0


@pytest.mark.parametrize("core", CORES.names())
@pytest.mark.parametrize("kind", ["ADD", "MUL"])
def test_a_constant_operand_shares_no_bytes(kind: str, core: str) -> None:
    rng = np.random.default_rng(5)
    constant = 0
    for _ in range(60):
        graph = random_graph(rng, op=kind)
        if any(graph.tensors[t].data is not None for node in graph.nodes for t in node.inputs):
            plan = compile_graph(graph, core=core)
            placed = {p.tensor for p in plan.placements}
            assert not any(plan.graph.tensors[t].data is not None for t in placed if t is not None)
            constant += 1
    assert constant > 3
