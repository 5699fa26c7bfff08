"""Modes and budgets: what each asks for, and what is told when it cannot be had."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.compiler.goals import (
    MODES,
    RAM_FEW,
    RAM_MORE,
    Goals,
    Overrides,
    parse_bytes,
    parse_mode,
    parse_overrides,
)
from harness.compiler.plan import Plan
from harness.errors import BudgetError, CardError, OptionError
from harness.frontends import load
from harness.hardware.cores import CORES as ALL_CORES
from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.validate.card import load_card
from tests.support.conv_networks import vgg_like
from tests.support.expected_time import time_of
from tests.support.generated import graphs, random_graph
from tests.support.models import real_model
from tests.support.scale import scaled

CORES = sorted(ALL_CORES.names())


def least_arena(graph: Graph, core: str) -> int:
    """Bytes of the smallest arena that is found, as the error of a budget that cannot be kept tells it."""
    try:
        return compile_graph(graph, core=core, goals=Goals("ram", max_arena=1)).arena_size
    except BudgetError as error:
        return int(error.message.split("arena found is ")[1].split()[0].replace(",", ""))


@settings(max_examples=scaled(40, 1500), deadline=None)
@given(st.one_of(graphs("SPARSE"), graphs("STATE"), graphs("CHAIN")), st.sampled_from(CORES))
def test_modes_give_what_they_are_named_for(graph: Graph, core: str) -> None:
    plans = {mode: compile_graph(graph, core=core, goals=Goals(mode)) for mode in MODES}
    whole = [plan for plan in plans.values() if not any(layer.hidden for layer in plan.layers)]
    assert time_of(plans["time"]) <= min(map(time_of, whole)) * 1.000001
    # what aligning a value to words takes is known only when everything has its place
    least = min(plan.arena_size for plan in plans.values())
    assert plans["ram"].arena_size <= least + max(RAM_MORE * least, RAM_FEW)
    balanced = plans["balanced"]
    if not any(step.kernel.trades_ram for step in plans["time"].steps):
        assert time_of(balanced) <= 1.05 * time_of(plans["time"]) * 1.000001
    assert balanced.arena_size <= plans["time"].arena_size
    scratch = max((layer.scratch for layer in balanced.layers), default=0)
    slack = 4 * len(balanced.placements)  # what aligning every value to words may take
    assert (
        balanced.arena_size <= balanced.liveness_bound + scratch + slack
        or balanced.arena_size <= 1.1 * balanced.arena_bound
    )


def test_kernels_that_trade_ram_for_time_count_within_a_share_of_it() -> None:
    graph = vgg_like(32, (16,))

    def plan(mode: str, ram: int | None) -> Plan:
        return compile_graph(graph, core=Target("cortex-m4", ram=ram), goals=Goals(parse_mode(mode)))

    def trades(plan: Plan) -> bool:
        return any(step.kernel.trades_ram for step in plan.steps)

    small, fast = plan("balanced", None), plan("time", None)
    assert not trades(small) and trades(fast) and time_of(fast) < 0.7 * time_of(small)
    roomy = plan("balanced", 10**6)
    assert trades(roomy) and roomy.arena_size <= 2.5 * small.arena_size and time_of(roomy) < 1.2 * time_of(fast)
    assert plan("balanced", 4 * small.arena_size).arena_size <= small.arena_size
    tight = int(1.2 * small.arena_size)
    assert plan("time", tight).arena_size <= tight and not trades(plan("flash", 10**6))


@pytest.mark.parametrize("mode", MODES)
def test_a_variable_that_is_read_by_a_copy_meets_every_mode(mode: str) -> None:
    graph = random_graph(np.random.default_rng(5126), "STATE")
    assert compile_graph(graph, core="cortex-m0plus", goals=Goals(parse_mode(mode))).arena_size > 0


@settings(max_examples=scaled(25, 500), deadline=None)
@given(graphs("SPARSE"), st.sampled_from(CORES), st.sampled_from(MODES), st.floats(0, 1.2))
def test_an_arena_budget_is_kept_or_told(graph: Graph, core: str, mode: str, share: float) -> None:
    small = least_arena(graph, core)
    large = compile_graph(graph, core=core, goals=Goals("time")).arena_size
    limit = max(1, int(small + (large - small) * share))
    plan = compile_graph(graph, core=core, goals=Goals(parse_mode(mode), max_arena=limit))
    assert plan.arena_size <= limit
    if small > 1:
        with pytest.raises(BudgetError, match=f"{small:,} bytes, 1 over the budget of {small - 1:,}"):
            compile_graph(graph, core=core, goals=Goals(parse_mode(mode), max_arena=small - 1))


def test_a_flash_budget_is_kept_or_told_with_what_it_lacks() -> None:
    graph = load(real_model("mlperftiny_kws_int8"))
    roomy = compile_graph(graph, core="cortex-m7", goals=Goals("time"))
    with pytest.raises(
        BudgetError, match=r"take [\d,]+ bytes of flash at least, [\d,]+ over the budget of 20,000"
    ) as told:
        compile_graph(graph, core="cortex-m7", goals=Goals("time", max_flash=20_000))
    least = int(told.value.message.split(" take ")[1].split()[0].replace(",", ""))
    tight = compile_graph(graph, core="cortex-m7", goals=Goals("time", max_flash=least))
    assert time_of(tight) > time_of(roomy)


def test_the_smallest_arena_names_the_layer_that_needs_it() -> None:
    graph = load(real_model("mlperftiny_vww_int8"))
    with pytest.raises(BudgetError, match="over the budget of 1,000") as told:
        compile_graph(graph, core="cortex-m4", goals=Goals("time", max_arena=1000))
    assert "of layer" in told.value.hint and "into '" in told.value.hint


def test_the_mode_is_in_the_manifest() -> None:
    graph = random_graph(np.random.default_rng(0), op="CHAIN")
    goals = Goals("ram", max_arena=10**6)
    package = emit(compile_graph(graph, core="cortex-m4", goals=goals))
    manifest = json.loads(package.files[f"{package.plan.name}.json"])
    assert manifest["goals"] == {"optimize": "ram", "max_arena": 10**6, "max_flash": None, "compress": False}


@pytest.mark.parametrize(
    "text, value",
    [
        ("32000", 32_000),
        ("32k", 32_000),
        ("32 kB", 32_000),
        ("32KiB", 32_768),
        ("1.5Ki", 1536),
        ("1M", 10**6),
        ("7b", 7),
    ],
)
def test_bytes_are_read(text: str, value: int) -> None:
    assert parse_bytes(text, "max-arena") == value


@pytest.mark.parametrize("text", ["", "0", "-3", "k", "3x", "1e9", "0.1", "32kk"])
def test_what_is_no_number_of_bytes_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="max-arena"):
        parse_bytes(text, "max-arena")


def test_wishes_of_the_command_line_go_before_the_cards() -> None:
    card = Overrides("ram", 1000, None)
    assert parse_overrides("time", None, "2k").or_else(card).goals == Goals("time", 1000, 2000)
    assert Overrides().goals == Goals() == Goals("balanced", None, None)
    with pytest.raises(OptionError, match="nothing is optimized for 'size'"):
        parse_overrides("size", None, None)


def test_a_card_says_what_to_compile_for(tmp_path) -> None:
    path = tmp_path / "m.hil.yaml"
    path.write_text("model: m.tflite\ncompile: {optimize: ram, max_arena: 32k, max_flash: 100000}\n")
    assert load_card(path).compile.overrides == Overrides("ram", 32_000, 100_000)
    for wrong in ("{optimize: size}", "{max_arena: much}", "{arena: 3}"):
        path.write_text(f"model: m.tflite\ncompile: {wrong}\n")
        with pytest.raises(CardError, match="line 2"):
            load_card(path)
