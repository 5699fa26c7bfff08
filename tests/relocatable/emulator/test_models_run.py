"""Relocatable models compute what the specification says, at any address and at hardly any cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness import frontends
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.compiler.goals import MODES, Goals
from harness.ir.graph import Graph
from harness.ir.interpreter import run
from harness.quantization.types import Array
from harness.relocatable.make import make_relocatable
from tests.support.compiled import assert_same_bits
from tests.support.generated import random_inputs
from tests.support.kws import kws_graph
from tests.support.merged import side_by_side
from tests.support.paths import FIXTURES
from tests.support.relocatable import run_relocatable, run_static
from tests.support.relocatable_board import outputs_at_three_addresses
from tests.support.scale import scaled
from tests.support.typed import combinations, typed_graphs

BARE = ("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33")
"""Cores that Unicorn emulates: with nothing mapped but model, arena, context and stack."""
ADDRESSES = 0x0800_0000, 0x2000_0004, 0x9000_000C
"""Flash, RAM and external memory."""
WEIGHTS = 0x3000_0004
LONG = scaled(False, True)
MOST_INSTRUCTIONS = 1.005
MOST_FLASH = 1024


def wanted(graph: Graph, vectors: list[list[Array]]) -> list[tuple[Array, ...]]:
    states, found = None, []
    for vector in vectors:
        done = run(graph, vector, states)
        states = done.states
        found.append(done.outputs)
    return found


def assert_computed(graph: Graph, core: str, *, apart: bool, goals: Goals, addresses: tuple[int, ...]) -> None:
    made = make_relocatable(compile_graph(graph, core=core, name="model", goals=goals), weights_apart=apart)
    vectors = [list(vector) for vector in random_inputs(graph, np.random.default_rng(1), 2)]
    for address in addresses:
        ran = run_relocatable(made, address, vectors, weights_at=WEIGHTS if apart else 0, counted=False)
        for ours, theirs in zip(ran.outputs, wanted(graph, vectors), strict=True):
            for one, other in zip(ours, theirs, strict=True):
                assert_same_bits(one, other, f"{graph.name} at {address:#x}")


@pytest.mark.parametrize(
    ("core", "apart"), scaled([("cortex-m4", True)], [(c, a) for c in BARE for a in (False, True)])
)
def test_a_network_costs_hardly_more_than_in_its_firmware(core: str, apart: bool) -> None:
    graph = frontends.load(FIXTURES / "digits.tflite")
    plan = compile_graph(graph, core=core, name="digits")
    vectors = [list(vector) for vector in random_inputs(graph, np.random.default_rng(0), 2)]
    static, flash = run_static(emit(plan), vectors)
    made = make_relocatable(plan, weights_apart=apart)
    for address in ADDRESSES:
        ran = run_relocatable(made, address, vectors, weights_at=WEIGHTS if apart else 0)
        for ours, theirs in zip(ran.outputs, wanted(graph, vectors), strict=True):
            assert_same_bits(ours[0], theirs[0], f"{core} at {address:#x}")
        assert ran.instructions <= static.instructions * MOST_INSTRUCTIONS
    assert len(made.file) + len(made.weights or b"") <= flash + MOST_FLASH


@pytest.mark.parametrize(("core", "part"), scaled([("cortex-m0plus", 1)], [(c, p) for c in BARE for p in range(40)]))
def test_operators_of_every_type(core: str, part: int) -> None:
    graphs = side_by_side(typed_graphs(combinations()[part::40], seed=900 + part, each=1), 6)
    for number, graph in enumerate(graphs):
        goals = Goals(MODES[(part + number) % len(MODES)])
        assert_computed(graph, core, apart=bool((part + number) % 2), goals=goals, addresses=(0x0800_0004, 0x2000_0008))


@pytest.mark.parametrize("core", scaled(("cortex-m55",), ("cortex-m4", "cortex-m7", "cortex-m55")))
def test_a_real_network_on_a_board(core: str, tmp_path: Path) -> None:
    """In flash, in flash at a multiple of 4 only, and in RAM."""
    graph = kws_graph() if LONG else frontends.load(FIXTURES / "digits.tflite")
    made = make_relocatable(compile_graph(graph, core=core, name="model"), weights_apart=core == "cortex-m7")
    vector = list(random_inputs(graph, np.random.default_rng(2), 1)[0])
    bytes_wanted = b"".join(np.ascontiguousarray(one).tobytes() for one in run(graph, vector).outputs)
    assert outputs_at_three_addresses(made, vector, tmp_path) == [bytes_wanted] * 3
