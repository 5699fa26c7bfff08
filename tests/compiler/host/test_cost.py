"""Cost models: their tables, that they grow with the work, and that every choice is made in one unit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harness.compiler.choice import applicable, candidates
from harness.compiler.cost import model as costs
from harness.compiler.cost.model import GUESS_CYCLES, cost_of
from harness.errors import CostTableError
from harness.frontends.tflite.reader import load
from harness.hardware.cores import CORES
from harness.hardware.target import Cached, Target
from harness.ir.graph import Graph
from harness.kernels import cost_coefficients as coefficients
from harness.kernels.context import Context
from harness.kernels.cost_coefficients import (
    CoreCoefficients,
    coefficients_text,
    core_coefficients,
    folder,
    read_coefficients,
    without_coefficients,
)
from harness.kernels.discovery import all_kernels
from harness.kernels.elementwise import AddS8Portable
from harness.kernels.work import Reuse, Work
from tests.bench.cost_fit import Sample, fit, nnls
from tests.support.generated import random_graph
from tests.support.layers import conv_layer, fully_connected_layer

FITTED = ("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55")
SEVERAL = ("CONV_2D", "CHAIN", "FULLY_CONNECTED", "ROWS", "DEPTHWISE_CONV_2D")
"""Kinds of graphs whose layers more than one kernel can compute on every core."""
AGAIN = "python -m tests.bench costs --fit"

L4R5 = Target("cortex-m4", Cached(32, 4, 8, 12.3), Cached(8, 4, 8, 7.3), separate_data_bus=True)
H7A3 = Target(
    "cortex-m7", Cached(256, 2, 32, 20), Cached(128, 4, 32, 20), Cached(128, 4, 32, 10, 5), separate_data_bus=True
)


def context_of(graph: Graph, target: Target) -> Context:
    return Context(graph, graph.nodes[0], target)


# --- tables ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("core", FITTED)
def test_every_kernel_of_tinyhil_has_coefficients_on_every_core_that_runs_it(core: str) -> None:
    """Of other packages' kernels, `python -m tests.bench costs` tells which have none; they are not chosen there."""
    table = read_coefficients(folder() / f"{core}.json")
    own = {type(kernel).__name__: kernel for kernel in all_kernels() if type(kernel).__module__.startswith("harness.")}
    missing = set(without_coefficients(core)) & set(own)
    assert missing == set(), f"not fitted: {AGAIN} --core {core}"
    able = {name for name, kernel in own.items() if kernel.features <= CORES.get(core).features}
    assert set(table.kernels) | set(table.absent) <= able, f"gone: {AGAIN}"


def test_tables_are_written_as_they_are_read(tmp_path: Path) -> None:
    for core in FITTED:
        table = read_coefficients(folder() / f"{core}.json")
        assert coefficients_text(table) == (folder() / f"{core}.json").read_text(encoding="utf-8")
        assert "gcc" in table.compiler and "MLPerf" in table.fitted_on


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d | {"core": "cortex-m7"}, "core: these are coefficients of cortex-m7"),
        (lambda d: d | {"format": 2}, "format"),
        (lambda d: d | {"color": "red"}, "color"),
        (lambda d: {k: v for k, v in d.items() if k != "compiler"}, "compiler"),
        (lambda d: d | {"kernels": {"AddS8Dsp": {"layers": 1, "error": 0, "cycles": {}}}}, "AddS8Dsp.instructions"),
        (
            lambda d: d | {"kernels": {"AddS8Dsp": {"layers": 1, "error": 0, "cycles": {"a": -1}, "instructions": {}}}},
            "AddS8Dsp.cycles.a",
        ),
    ],
)
def test_what_is_wrong_in_a_table_is_told(change, told: str, tmp_path: Path) -> None:
    document = json.loads((folder() / "cortex-m4.json").read_text(encoding="utf-8")) | {"kernels": {}}
    path = tmp_path / "cortex-m4.json"
    path.write_text(json.dumps(change(document)), encoding="utf-8")
    with pytest.raises(CostTableError, match="cortex-m4.json: .*" + told.replace(".", r"\.")):
        read_coefficients(path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(CostTableError, match="cortex-m4.json"):
        read_coefficients(path)


# --- figures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("core", FITTED)
@pytest.mark.parametrize("operator", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"])
def test_more_work_costs_more(core: str, operator: str) -> None:
    """Of every kernel that computes both: twice the channels, and more rows."""

    def layer(rows: int, channels: int) -> Graph:
        rng = np.random.default_rng(1)
        if operator == "FULLY_CONNECTED":
            return fully_connected_layer(rng, rows, 32, channels)
        depth = channels if operator == "DEPTHWISE_CONV_2D" else 16
        return conv_layer(
            rng, (1, rows, 8, depth), channels, (3, 3), (1, 1), depthwise=operator == "DEPTHWISE_CONV_2D"
        )

    small, wide, tall = (context_of(layer(*sizes), Target(core)) for sizes in ((4, 16), (4, 32), (9, 16)))
    compared = 0
    for kernel in candidates(small):
        if kernel.applies(wide) and kernel.applies(tall):
            of_small, of_wide, of_tall = (cost_of(kernel, each) for each in (small, wide, tall))
            assert of_small.instructions < min(of_wide.instructions, of_tall.instructions)
            assert of_small.cycles < min(of_wide.cycles, of_tall.cycles)
            compared += 1
    assert compared


def test_wait_states_cost_cycles_and_no_instructions() -> None:
    graph = conv_layer(np.random.default_rng(3), (1, 8, 8, 32), 64, (3, 3), (1, 1))
    for slow in (L4R5, H7A3):
        fast = Target(slow.core)
        assert len(candidates(context_of(graph, fast))) > 1
        for kernel in candidates(context_of(graph, fast)):
            here, there = cost_of(kernel, context_of(graph, fast)), cost_of(kernel, context_of(graph, slow))
            assert here.instructions == there.instructions and here.cycles < there.cycles


def test_weights_that_fit_the_cache_are_waited_for_once() -> None:
    graph = conv_layer(np.random.default_rng(3), (1, 8, 8, 8), 8, (1, 1), (1, 1))
    once = costs.stalls(Work({}, (Reuse("weights", 4096, 1),)), context_of(graph, H7A3))
    assert once == 128 * 20  # and all of the activations are still there
    assert costs.stalls(Work({}, (Reuse("weights", 4096, 9),)), context_of(graph, H7A3)) == once
    many = costs.stalls(Work({}, (Reuse("weights", 32768, 9),)), context_of(graph, H7A3))
    assert many == 9 * 1024 * 20 + 512 / 32 * 10 + 512 / 32 * 5
    assert costs.stalls(Work({}, (Reuse("weights", 32768, 9),)), context_of(graph, Target("cortex-m7"))) == 0


# --- choice ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("core", sorted(CORES.names()))
def test_kernels_are_ranked_by_modelled_cycles_alone(core: str) -> None:
    """All that apply are there, the cheapest first, whatever the order in which they were found."""
    rng = np.random.default_rng(7)
    several = reordered = 0
    for number in range(100):
        drawn = random_graph(rng, op=None if number % 2 else SEVERAL[number // 2 % len(SEVERAL)])
        graph = load(drawn.model)  # without what is computed when it is read
        for node in graph.nodes:
            context = Context(graph, node, Target(core))
            kernels = candidates(context)
            ranked = [cost_of(kernel, context) for kernel in kernels]
            assert [c.cycles for c in ranked] == sorted(c.cycles for c in ranked)
            assert all(c.cycles >= 0 and c.instructions >= 0 for c in ranked)
            found = applicable(context)
            assert set(kernels) == set(found) and len(kernels) == len(found)
            assert ranked[0].cycles == min(cost_of(kernel, context).cycles for kernel in found)
            several += len(found) > 1
            reordered += kernels != found
    assert several >= 20 and reordered >= 5


@pytest.mark.parametrize("core", [core for core in FITTED if "registers" in CORES.get(core).features])
def test_instructions_do_not_move_a_kernel(monkeypatch: pytest.MonkeyPatch, core: str) -> None:
    graph = conv_layer(np.random.default_rng(5), (1, 6, 6, 16), 16, (3, 3), (1, 1))
    before = candidates(context_of(graph, Target(core)))
    names = [type(kernel).__name__ for kernel in before]
    assert len(set(names)) > 1

    def turned(core: str) -> CoreCoefficients | None:
        """The more cycles a kernel takes, the fewer instructions it seems to execute."""
        table = core_coefficients(core)
        if table is None:
            return None
        few = {name: float(len(names) - place) for place, name in enumerate(names)}
        kernels = {
            name: entry.model_copy(update={"instructions": dict.fromkeys(entry.instructions, few.get(name, 1.0))})
            for name, entry in table.kernels.items()
        }
        return table.model_copy(update={"kernels": kernels})

    monkeypatch.setattr(costs, "core_coefficients", turned)
    context = context_of(graph, Target(core))
    instructions = [cost_of(kernel, context).instructions for kernel in before]
    assert instructions != sorted(instructions)
    assert candidates(context) == before


def without(monkeypatch: pytest.MonkeyPatch, name: str, *cores: str) -> None:
    """No coefficients of a kernel on these cores."""

    def rest(core: str) -> CoreCoefficients | None:
        table = core_coefficients(core)
        if table is None or core not in cores:
            return table
        return table.model_copy(update={"kernels": {k: entry for k, entry in table.kernels.items() if k != name}})

    monkeypatch.setattr(costs, "core_coefficients", rest)


@pytest.mark.parametrize(("cores", "basis"), [(("cortex-m4",), "another core"), (FITTED, "guess")])
def test_a_kernel_without_coefficients_is_not_chosen(
    monkeypatch: pytest.MonkeyPatch, cores: tuple[str, ...], basis: str
) -> None:
    graph = conv_layer(np.random.default_rng(5), (1, 6, 6, 16), 16, (3, 3), (1, 1))
    context = context_of(graph, Target("cortex-m4"))
    before = candidates(context)
    best = type(before[0]).__name__
    without(monkeypatch, best, *cores)
    assert candidates(context) == before[1:]
    assert [cost_of(kernel, context).basis for kernel in candidates(context)] == ["fitted"] * len(before[1:])
    # unless it is asked for
    preferred = candidates(context, {best})
    assert [type(kernel).__name__ for kernel in preferred[:1]] == [best] and preferred[1:] == before[1:]
    cost = cost_of(preferred[0], context)
    assert cost.basis == basis and (basis != "guess" or cost.cycles == GUESS_CYCLES * cost.instructions)


def test_a_kernel_without_coefficients_is_chosen_where_no_other_applies(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = random_graph(np.random.default_rng(1), op="SOFTMAX")
    context = context_of(graph, Target("cortex-m4"))
    (only,) = candidates(context)
    without(monkeypatch, type(only).__name__, *FITTED)
    assert candidates(context) == [only] and cost_of(only, context).basis == "guess"


def test_kernels_without_coefficients_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class AddS8Other(AddS8Portable):
        pass

    class AddS8OtherMve(AddS8Portable):
        features = frozenset({"mve"})

    monkeypatch.setattr(coefficients, "all_kernels", lambda: (*all_kernels(), AddS8Other(), AddS8OtherMve()))
    assert without_coefficients("cortex-m4") == ("AddS8Other",)
    assert without_coefficients("cortex-m55") == ("AddS8Other", "AddS8OtherMve")


def test_coefficients_of_the_nearest_core_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = fully_connected_layer(np.random.default_rng(5), 1, 32, 16)
    kernel = candidates(context_of(graph, Target("cortex-m4")))[0]
    there = cost_of(kernel, context_of(graph, Target("cortex-m4")))
    tables = {core: None if core == "cortex-m33" else core_coefficients(core) for core in CORES.names()}
    monkeypatch.setattr(costs, "core_coefficients", tables.get)
    here = cost_of(kernel, context_of(graph, Target("cortex-m33")))
    assert (here.basis, here.instructions, here.cycles) == ("another core", there.instructions, there.cycles)
    # a loop that nothing is known of makes those of the others say nothing
    monkeypatch.setattr(type(kernel), "work", lambda self, context: Work({"row": 1, "unheard of": 2}))
    assert cost_of(kernel, context_of(graph, Target("cortex-m4"))).basis == "guess"


def test_every_core_stands_in_for_one_that_is_known() -> None:
    for core in CORES.names():
        others = CORES.get(core).nearest
        assert others and core not in others and set(others) <= set(FITTED)


# --- fitting ---------------------------------------------------------------------------------------------------------


def test_least_squares_without_negative_coefficients() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        work, wanted = rng.uniform(0, 9, (12, 4)), rng.uniform(0, 5, 4) * (rng.random(4) < 0.7)
        np.testing.assert_allclose(nnls(work, work @ wanted), wanted, atol=1e-6)
    # where the best fit has a negative coefficient, its best is zero: the other then has a closed form
    work = np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
    np.testing.assert_allclose(nnls(work, np.array([3.0, 2.0, 1.0])), [2.0, 0.0], atol=1e-9)


def _sample(number: int, tile: float, row: float, known: bool) -> Sample:
    instructions = 7 * tile + 20 * row + 100
    return Sample(
        layer=f"l{number}",
        known=known,
        kernel="K",
        core="cortex-m4",
        loops={"tile": tile, "row": row, "layer": 1.0},
        code={"f": 90.0} | ({"g": 10.0} if row else {}),
        fresh=100.0 * (number == 0),
        instructions=instructions,
        cycles=1.5 * instructions,
        apart=tile,
        fetch=40.0 + 100.0 * (number == 0),
        data=3.0,
        stalled=0.0,
        board_cycles=1.5 * instructions + tile + 12.3 * (40 + 100 * (number == 0)) + 7.3 * 3,
        fetch_stall=12.3,
        data_stall=7.3,
        small_cache=True,
        predicted=(0.0, 0.0),
        basis="guess",
    )


def test_a_fit_finds_the_coefficients_that_samples_were_made_with() -> None:
    rng = np.random.default_rng(2)
    rows = [float(rng.integers(1, 40)) * (i % 4 > 0) for i in range(20)]
    samples = [_sample(i, float(rng.integers(1, 900)), row, i % 3 == 0) for i, row in enumerate(rows)]
    found = fit(samples)
    assert found.layers == 20 and found.error < 1e-4
    assert found.instructions == pytest.approx({"tile": 7, "row": 20, "layer": 100}, abs=0.05)
    assert found.cycles == pytest.approx({"tile": 10.5, "row": 30, "layer": 150}, abs=0.1)
    assert found.apart["tile"] == pytest.approx(1, abs=1e-3)
    assert found.fetch["layer"] == pytest.approx(40, abs=0.1)
    assert [(each.name, each.loop, each.lines) for each in found.code] == [("f", "layer", 90), ("g", "row", 10)]
    assert found.data["layer"] == pytest.approx(3, abs=0.01)


def test_kernels_tell_the_same_loops_for_all_layers() -> None:
    """Loops of a layer are among those that were fitted, whatever its shape, but for copies that compile to nothing."""
    rng = np.random.default_rng(11)
    absent = {core: read_coefficients(folder() / f"{core}.json").absent for core in FITTED}
    for _ in range(60):
        graph = load(random_graph(rng, op=None).model)
        for node in graph.nodes:
            for core in FITTED:
                context = Context(graph, node, Target(core))
                for kernel in (found for found in candidates(context) if found.costs_itself):
                    if kernel.costed_as in absent[core]:
                        continue
                    assert cost_of(kernel, context).basis == "fitted", f"{type(kernel).__name__} on {core}: {AGAIN}"
