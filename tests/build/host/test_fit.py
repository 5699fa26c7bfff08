"""What does not fit a board is told before anything is built, in bytes, with what would help."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from harness.boards import find_board
from harness.build import BuildOptions, build_image
from harness.build.fit import HARNESS, fit, misfit
from harness.build.toolchain import find
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import Package, emit
from harness.compiler.goals import Goals
from harness.errors import BudgetError, DoesNotFitError, ToolchainMissingError
from harness.frontends.tflite import reader
from harness.hardware.board import Board, Placement, Region, Resolved
from harness.hardware.placement import assign_regions
from harness.validate.card import card_for_model
from harness.validate.options import Options
from harness.validate.placing import stand_in_notes
from tests.support.paths import FIXTURES

F446, H743 = find_board("nucleo-f446"), find_board("nucleo-h743")
GRAPH = reader.load(FIXTURES / "digits.tflite")


def package_for(board: Board, **goals) -> Package:
    return emit(compile_graph(GRAPH, core=board.core, goals=Goals(**goals)))


def with_size(board: Board, **sizes: int) -> Board:
    return replace(board, memory=tuple(replace(r, size=sizes.get(r.name, r.size)) for r in board.memory))


@pytest.fixture
def no_compiler(monkeypatch):
    """Whatever is told is told before a compiler is even looked for."""

    def missing(*arguments, **rest):
        raise AssertionError("compiled")

    monkeypatch.setattr("harness.build.image.make_image", missing)
    monkeypatch.setattr("harness.build.image.cached_image", missing)


@pytest.mark.parametrize("name", ["nucleo-f446", "nucleo-l476", "mps2-an386", "mps3-an547"])
def test_the_estimate_is_near_what_is_built(name, tmp_path):
    board = find_board(name)
    package = package_for(board)
    try:
        find("arm")
    except ToolchainMissingError:
        pytest.skip("no arm-none-eabi-gcc")
    uses = {use.region.name: use for use in fit([package], board, None, harness=True)}
    built = build_image([package], board).regions
    for region, use in uses.items():
        assert abs(use.used - built[region]) < 4_000, region
    assert all(not use.excess for use in uses.values())


def test_certain_parts_are_exact():
    package = package_for(F446)
    flash, sram = fit([package], F446, None)
    assert [(p.name, p.bytes, p.estimated) for p in sram.parts] == [
        ("arena", package.plan.arena_size, False),
        ("stack", F446.stack_size, False),
    ]
    assert [p.name for p in flash.parts if p.estimated] == ["code"]
    assert flash.certain.used == package.constant_bytes
    assert fit([package], find_board("host"), None) == ()
    two = replace(package, plan=replace(package.plan, name="two"))
    assert fit([package, two], F446, None)[1].used == sram.used, "one arena for all models"


def test_parts_that_are_copied_to_ram_count_in_both_memories():
    package = package_for(H743)
    uses = {u.region.name: u for u in fit([package], H743, assign_regions(H743, {"weights": "axi", "code": "itcm"}))}
    assert uses["axi"].holds("weights") and uses["axi"].holds("arena") and uses["itcm"].holds("code")
    assert uses["flash"].holds("weights") and uses["flash"].holds("code")


def test_a_model_that_cannot_fit_is_refused_before_building(no_compiler):
    package = package_for(F446)
    small = with_size(F446, sram=8_192 + 2_000)
    with pytest.raises(DoesNotFitError) as caught:
        build_image([package], small)
    over = package.plan.arena_size - 2_000
    assert f"sram overflows by at least {over:,} bytes" in caught.value.message
    assert f"arena {package.plan.arena_size:,}, stack 8,192 of 10,192" in caught.value.message
    assert caught.value.facts == {"excess": {"sram": over}}
    with pytest.raises(DoesNotFitError, match=r"flash overflows by at least [\d,]+ bytes \(weights"):
        build_image([package], with_size(F446, flash=4_096))
    json.dumps(caught.value.as_dict())


def test_what_is_advised_helps(no_compiler):
    package = package_for(F446, optimize="time")
    small_arena = package_for(F446, optimize="ram").plan.arena_size
    with pytest.raises(BudgetError) as caught:
        package_for(F446, optimize="ram", max_arena=1)
    smallest = int(re.search(r"smallest arena found is ([\d,]+)", str(caught.value))[1].replace(",", ""))
    assert smallest < small_arena < package.plan.arena_size - 50
    package = replace(package, plan=replace(package.plan, arena_size=package.plan.arena_size + 2 * HARNESS))
    small = with_size(F446, sram=8_192 + HARNESS + small_arena + 40)
    with pytest.raises(DoesNotFitError) as caught:
        build_image([package], small)
    hint = caught.value.hint
    assert f"--optimize ram, which gives an arena of {small_arena:,} bytes" in hint
    budget = int(re.search(r"--max-arena (\d+)", hint)[1])
    within = package_for(F446, optimize="time", max_arena=budget)
    assert not any(use.excess for use in fit([within], small, None, harness=True))
    smaller = with_size(F446, sram=8_192 + HARNESS + small_arena - 40)
    with pytest.raises(DoesNotFitError) as caught:
        build_image([package], smaller)
    assert "--max-arena" in caught.value.hint and "--optimize ram" not in caught.value.hint
    tiny = with_size(F446, sram=8_192 + HARNESS + smallest - 40)
    with pytest.raises(DoesNotFitError, match="overflows") as caught:
        build_image([package], tiny)
    assert "--optimize ram is not enough" in caught.value.hint and "--max-arena" not in caught.value.hint
    with pytest.raises(DoesNotFitError) as caught:
        build_image([package_for(F446, optimize="ram")], with_size(F446, sram=8_192 + smallest - 40))
    assert "--optimize ram" not in caught.value.hint
    with pytest.raises(DoesNotFitError) as caught:
        build_image([package_for(F446)], with_size(F446, sram=100))
    assert caught.value.hint


def test_boards_that_are_advised_have_the_room(no_compiler):
    small = with_size(F446, sram=9_000)
    with pytest.raises(DoesNotFitError) as caught:
        build_image([package_for(F446)], replace(small, name="small"))
    named = re.search(r"--board ([\w-]+)(?: or ([\w-]+))?, where it fits", caught.value.hint).groups()
    assert named[0] == "nucleo-f446", "the smallest of the same core and kind first"
    for name in filter(None, named):
        assert not misfit([package_for(F446)], find_board(name), None)
    with pytest.raises(DoesNotFitError) as caught:
        build_image([replace(package_for(F446), constant_bytes=1 << 30)], F446)
    assert "--board" not in caught.value.hint


def test_another_region_is_advised_where_that_is_all_it_takes(no_compiler):
    board = with_size(H743, axi=1_024)
    with pytest.raises(DoesNotFitError) as caught:
        build_image([package_for(H743)], board)
    assert "--placement arena=dtcm" in caught.value.hint
    moved = assign_regions(board, {"arena": "dtcm"})
    assert not misfit([package_for(H743)], board, moved)


def test_what_only_linking_shows_gets_the_same_advice(tmp_path):
    package = package_for(F446, optimize="time")
    board = with_size(F446, sram=8_192 + package.plan.arena_size + 64)
    try:
        find("arm")
    except ToolchainMissingError:
        pytest.skip("no arm-none-eabi-gcc")
    with pytest.raises(DoesNotFitError, match="sram overflows by") as caught:
        build_image([package], replace(board, name="small"), BuildOptions(), cache_dir=tmp_path)
    assert 0 < caught.value.excess["sram"] < HARNESS + 2_000
    assert "--board nucleo-f446" in caught.value.hint


def test_a_stand_in_with_more_room_does_not_hide_that_the_board_has_none():
    package, an386 = package_for(F446), find_board("mps2-an386")
    card = card_for_model(FIXTURES / "digits.tflite")
    small = with_size(F446, sram=9_000)
    (note,) = stand_in_notes(card, Resolved(small, an386, True, "it is not attached"), package, Options())
    assert "nucleo-f446 itself has no room for it: sram overflows by at least" in note
    assert stand_in_notes(card, Resolved(F446, an386, True, "it is not attached"), package, Options()) == ()
    assert stand_in_notes(card, Resolved(small, small, True, "virtual"), package, Options()) == ()


def test_regions_of_any_name_are_told(tmp_path):
    """The linker knows RAM-2 as RAM_2."""
    package = package_for(F446)
    regions = (F446.memory[0], Region("ram-2", F446.memory[1].origin, 8_192 + package.plan.arena_size + 64, "ram"))
    places = Placement(arena="ram-2", stack="ram-2", data="ram-2", weights="flash", code="flash")
    board = replace(F446, name="odd", memory=regions, placement=places)
    try:
        find("arm")
    except ToolchainMissingError:
        pytest.skip("no arm-none-eabi-gcc")
    with pytest.raises(DoesNotFitError, match="region ram-2 overflows by") as caught:
        build_image([package], board, cache_dir=tmp_path)
    assert "ram-2" in caught.value.excess
