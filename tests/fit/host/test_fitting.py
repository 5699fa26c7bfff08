"""Whether a model fits a microcontroller, by how much, how fast, which is the cheapest, and what to change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.build import build_image
from harness.build.toolchain import find
from harness.compiler.compile import compile_graph
from harness.compiler.cost import model
from harness.compiler.cost.estimate import estimate_costs
from harness.compiler.emit.package import emit
from harness.compiler.goals import Goals
from harness.cycles.targets import target_of
from harness.errors import ToolchainMissingError
from harness.fit import Compilations, Wishes, fit, fit_all, known_parts
from harness.fit.advice import advice, peak_of
from harness.fit.fitting import code_doubt, worst
from harness.fit.microcontroller import STACK, Microcontroller
from harness.fit.prices import Prices
from harness.fit.ranking import cheapest, ranked
from harness.frontends.tflite import reader
from harness.hardware.boards_file import known_board
from harness.kernels.cost_coefficients import CoreCoefficients, core_coefficients
from harness.units import Unit
from tests.support.odd_floats import float_graphs
from tests.support.paths import FIXTURES

GRAPH = reader.load(FIXTURES / "digits.tflite")
KNOWN = known_parts()
SHARED = Compilations(GRAPH)
BALANCED = Wishes(modes=("balanced",))


def on(name: str | Microcontroller, wishes: Wishes = BALANCED, **changes: object):
    part = replace(KNOWN[name] if isinstance(name, str) else name, **changes)
    return fit(GRAPH, part, wishes, compilations=SHARED)


def resized(name: str, **sizes: int) -> Microcontroller:
    part = KNOWN[name]
    return replace(part, memory=tuple(replace(r, size=sizes.get(r.name, r.size)) for r in part.memory))


def test_a_board_gets_the_figures_that_the_compiler_has_for_it():
    board = known_board("nucleo-l4r5")
    plan = compile_graph(GRAPH, core=target_of(board))
    mode = on("nucleo-l4r5").modes[0]
    assert mode.arena == plan.arena_size
    assert mode.constants == emit(plan).constant_bytes
    cycles = sum(cost.cycles for cost in estimate_costs(plan))
    assert mode.time.cycles.value == round(cycles)
    assert mode.time.cycles.unit is Unit.MODELLED_CYCLES
    assert mode.time.expected_s == pytest.approx(cycles / board.clock_hz, rel=1e-3)
    assert mode.time.low_s < mode.time.expected_s < mode.time.high_s


def test_a_byte_of_ram_more_or_less_decides():
    arena = on("stm32f446re").modes[0].arena
    exact = on(resized("stm32f446re", sram=arena + STACK))
    assert exact.verdict == "fits"
    assert exact.best.tightest("ram").slack == 0
    short = on(resized("stm32f446re", sram=arena + STACK - 1))
    assert short.verdict == "no"
    assert short.best.tightest("ram").slack == -1
    assert "sram lacks 1 B" in advice(short)[0]


def test_the_arena_must_lie_in_one_region_though_all_together_would_have_the_room():
    arena = on("stm32f407vg").modes[0].arena
    part = resized("stm32f407vg", sram=arena - 1, ccm=arena - 1)
    assert part.bytes_of("ram") > arena + STACK
    assert on(part).verdict == "no"


def test_code_that_is_estimated_leaves_a_doubt_of_its_error():
    mode = on("stm32f446re").modes[0]
    flash, doubt = mode.constants + mode.code, code_doubt(mode.code)
    for size, verdict in ((flash + doubt, "fits"), (flash + doubt - 1, "perhaps"), (flash - doubt, "perhaps"),
                          (flash - doubt - 1, "no")):  # fmt: skip
        assert on(resized("stm32f446re", flash=size)).verdict == verdict
    assert "may be off" in advice(on(resized("stm32f446re", flash=flash)))[0]
    assert "must shrink by" in advice(on(resized("stm32f446re", flash=flash - doubt - 1)))[0]
    assert "no weights would fit" in advice(on(resized("stm32f446re", flash=1024)))[0]


def test_budgets_count_like_memory():
    mode = on("stm32h743zi").modes[0]
    fits = Wishes(max_ram=mode.arena + STACK, max_flash=mode.constants + 2 * mode.code, modes=("balanced",))
    assert on("stm32h743zi", fits).verdict == "fits"
    for wish, name in (
        (replace(fits, max_ram=mode.arena), "RAM budget"),
        (replace(fits, max_flash=99), "flash budget"),
    ):
        found = on("stm32h743zi", wish)
        assert found.verdict == "no"
        assert name in advice(found)[0]


def test_a_latency_is_kept_for_certain_only_outside_the_error():
    time = on("stm32f446re").modes[0].time
    for latency, verdict in ((time.high_s * 1.001, "fits"), (time.expected_s, "perhaps"), (time.low_s * 0.999, "no")):
        wishes = Wishes(latency_s=latency, modes=("balanced",))
        assert on("stm32f446re", wishes).verdict == verdict
    assert any("times too slow" in line for line in advice(on("stm32f446re", wishes)))


def test_time_goes_with_the_clock_and_knows_whose_memory_it_counts():
    fast, slow = on("stm32g474re"), on("stm32g474re", clock_hz=17_000_000)
    assert slow.best.time.cycles == fast.best.time.cycles
    assert slow.best.time.expected_s == pytest.approx(10 * fast.best.time.expected_s)
    assert "nucleo-l4r5" in fast.best.time.memory
    assert on("stm32f446re").best.time.memory == "like nucleo-f446"
    assert on("stm32h743zi").best.time.memory == "like nucleo-h743 at 400 MHz"
    assert on("nucleo-h743").best.time.memory == "its own"


def test_what_is_not_modelled_has_no_bounds_or_no_time_and_is_never_promised(monkeypatch):
    def others(core: str) -> CoreCoefficients | None:
        return None if core == "cortex-m0plus" else core_coefficients(core)

    wishes = Wishes(latency_s=1000.0, modes=("balanced",))
    external, none = (on(name, wishes) for name in ("rp2350", "stm32f072rb"))
    monkeypatch.setattr(model, "core_coefficients", others)
    apart = Compilations(GRAPH)
    other = fit(GRAPH, KNOWN["stm32g071rb"], wishes, compilations=apart)
    assert external.best.time.high is None
    assert other.best.time.error is None
    assert other.best.time.low_s == pytest.approx(other.best.time.expected_s / 3, rel=1e-4)
    hopeless = Wishes(latency_s=other.best.time.expected_s / 4, modes=("balanced",))
    assert fit(GRAPH, KNOWN["stm32g071rb"], hopeless, compilations=apart).verdict == "no"
    assert "another core" in other.best.time.memory
    assert none.best.time is None
    assert "no cycle model of cortex-m0;" in none.untimed
    for found in (external, other, none):
        assert found.verdict == "perhaps"
        assert replace(found, wishes=wishes).best.verdict == "perhaps"
        assert advice(found)
    assert on("stm32f072rb").verdict == "fits", "by memory"
    assert "cortex-m85" in on("r7fa8m1ah").untimed


def test_a_core_without_the_dsp_extension_is_refused_by_name():
    found = on("stm32l552ze", dsp=False)
    assert "DSP extension" in found.refused
    assert found.best is None
    assert found.verdict == "no"
    assert advice(found) == ()
    assert "cortex-a9" in on("stm32l552ze", core="cortex-a9").refused


def test_floats_without_an_fpu_have_no_time():
    (graph,) = float_graphs("CONV_2D", 0, 1)
    with_fpu, without = (fit(graph, KNOWN[name], BALANCED) for name in ("nrf52832", "nrf52810"))
    assert with_fpu.best.time is not None
    assert without.best.time is None
    assert "without an FPU" in without.untimed


def test_the_first_mode_that_fits_is_taken_and_a_smaller_arena_where_only_that_does():
    parts = {name: KNOWN[name] for name in ("stm32f446re",)}
    found = fit_all(GRAPH, parts)[0]
    assert found.best.mode == "balanced"
    assert [mode.mode for mode in found.modes] == ["balanced", "time", "ram", "flash"]
    small, large = sorted(found.modes, key=lambda mode: mode.arena)[:: len(found.modes) - 1]
    if small.arena < large.arena:
        part = resized("stm32f446re", sram=small.arena + STACK)
        assert fit(GRAPH, part, compilations=SHARED).best.arena == small.arena


def test_the_cheapest_has_least_ram_or_the_lowest_price_and_is_no_emulator():
    names = ("stm32h743zi", "stm32f446re", "mps2-an386", "nrf52832", "stm32l031k6", "rp2350")
    fits = [on(name) for name in names]
    assert cheapest(fits).part.bytes_of("ram") == min(f.part.bytes_of("ram") for f in fits if f.verdict == "fits")
    prices = Prices("EUR", {"stm32h743zi": 1.0, "nrf52832": 2.0})
    assert cheapest(fits, prices).part.name == "stm32h743zi"
    assert [f.part.name for f in ranked(fits, prices)][:2] == ["stm32h743zi", "nrf52832"]
    assert cheapest([on("mps2-an386")]) is None
    none = [on(name, Wishes(max_ram=1, modes=("balanced",))) for name in names]
    assert cheapest(none) is None
    assert {f.part.name for f in ranked(none)} == set(names)


def test_the_peak_is_where_the_arena_ends():
    plan = SHARED.get(on("stm32f446re").modes[0].compiled.target, "balanced").plan
    peak = peak_of(plan)
    assert peak.bytes <= plan.arena_size < peak.bytes + plan.arena_align
    assert peak.name == plan.layers[peak.layer].name
    assert sum(place.size for place in peak.kept) >= peak.kept[0].size
    assert all(place.first <= peak.layer <= place.last for place in peak.kept)


def test_each_core_and_mode_is_compiled_once():
    told: list[str] = []
    names = ("stm32g431rb", "stm32g474re", "nrf52840", "stm32f446re", "nucleo-f446", "rp2040", "stm32g071rb")
    fit_all(GRAPH, {name: KNOWN[name] for name in names}, BALANCED, progress=lambda what, *_: told.append(what))
    assert len(told) == 3, told  # cortex-m4 alone, with the memory of nucleo-f446, and cortex-m0plus


@pytest.mark.parametrize("name", KNOWN)
def test_every_board_and_part_gets_an_answer(name):
    found = on(name, Wishes(latency_s=0.01, modes=("balanced",)))
    assert not found.refused
    assert found.best.rooms
    assert {room.kind for room in found.best.rooms} == {"flash", "ram"}
    assert found.best.time is not None or found.untimed


def test_the_worst_of_nothing_is_good():
    assert worst(()) == "fits"
    assert worst(("fits", "no", "perhaps")) == "no"
    assert Goals().optimize == "balanced"


def test_code_that_is_built_is_within_the_doubt():
    try:
        find("arm")
    except ToolchainMissingError:
        pytest.skip("no arm-none-eabi-gcc")
    for name in ("nucleo-l4r5", "mps3-an547"):
        mode = on(name).modes[0]
        built = build_image([mode.compiled.package], known_board(name)).sizes.network.flash
        assert abs(built - mode.constants - mode.code) <= code_doubt(mode.code)
    assert code_doubt(0) == 0
