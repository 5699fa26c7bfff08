"""`--placement auto`: the fastest regions that have room, and no others than asked for."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from harness.boards import find_board
from harness.build.fit import fit
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import Package, emit
from harness.compiler.goals import Goals
from harness.cycles.auto_placement import expected_cycles, solve_placement
from harness.cycles.targets import target_of
from harness.errors import PlacementError
from harness.frontends import load
from harness.hardware.board import Board, Placement
from harness.hardware.placement import AUTO, SOLVED, parse_placement, regions_for
from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.ir.window import Pads
from harness.validate.card import load_card
from tests.support.graphs import Builder
from tests.support.paths import FIXTURES
from tests.support.scale import scaled


@pytest.fixture(scope="module")
def digits() -> Graph:
    return load(FIXTURES / "digits.tflite")


@cache
def package(graph: Graph, target: Target) -> Package:
    """The model as compiled for a target."""
    return emit(compile_graph(graph, core=target))


def cycles(graph: Graph, board: Board, placement: Placement) -> float:
    """Expected of the model as compiled for the placement; without end where it has no room."""
    target = target_of(board, placement)
    made = package(graph, target)
    fits = not any(use.excess for use in fit([made], board, placement, harness=True))
    return expected_cycles(made.plan, target) if fits else float("inf")


@pytest.mark.parametrize("name", scaled(["nucleo-l4r5"], ["nucleo-l4r5", "nucleo-h743"]))
def test_no_other_placement_is_faster(digits: Graph, name: str) -> None:
    board = find_board(name)
    assert board.placement is not None
    found = solve_placement(board, parse_placement([AUTO]), digits, Goals())
    assert found is not None and found != board.placement
    every = [
        replace(board.placement, **dict(zip(SOLVED, regions, strict=True)))
        for regions in product(*(regions_for(board, part) for part in SOLVED))
    ]
    assert cycles(digits, board, found) <= 1.02 * min(cycles(digits, board, placement) for placement in every)
    assert cycles(digits, board, found) < cycles(digits, board, board.placement)


def test_what_is_compiled_on_the_way_is_there_for_the_placement_found(digits: Graph) -> None:
    board, made = find_board("nucleo-h7a3"), dict[Target, Package]()

    def compiled(target: Target) -> Package:
        assert target not in made or made[target] is package(digits, target)
        return made.setdefault(target, package(digits, target))

    found = solve_placement(board, parse_placement([AUTO]), digits, Goals(), compiled)
    assert target_of(board, found) in made


def test_scratch_lies_apart_where_the_arena_has_no_room_in_the_fastest_memory() -> None:
    b = Builder()
    graph = b.graph(b.conv(b.input(1, 72, 72, 16), 16, pads=Pads(1, 1, 1, 1)))
    board = find_board("nucleo-h7a3")
    wanted = {"arena": AUTO, "scratch": AUTO}
    found = solve_placement(board, wanted, graph, Goals("time"))
    assert found is not None and (found.arena, found.scratch, found.scratch_apart) == ("axi", "dtcm", True)
    assert compile_graph(graph, core=target_of(board, found), goals=Goals("time")).scratch_apart
    named = solve_placement(board, {"scratch": "axi"}, graph, Goals("time"))
    assert named is not None and not named.scratch_apart, "it is the arena's region"


def test_parts_that_are_named_stay(digits: Graph) -> None:
    board = find_board("nucleo-h743")
    found = solve_placement(board, {"arena": "axi", "code": "flash", "weights": AUTO}, digits, Goals())
    assert found is not None and (found.arena, found.code) == ("axi", "flash")
    assert asdict(found)["stack"] == asdict(board.placement)["stack"]


def test_a_board_without_a_choice_has_none(digits: Graph) -> None:
    assert solve_placement(find_board("mps2-an386"), parse_placement([AUTO]), digits, Goals()) is None


def test_the_stack_has_to_be_named(digits: Graph) -> None:
    with pytest.raises(PlacementError, match="stack: the fastest region is not known"):
        solve_placement(find_board("nucleo-h743"), {"stack": AUTO}, digits, Goals())


def test_cards_take_the_word_alone(tmp_path: Path) -> None:
    card = tmp_path / "digits.hil.yaml"
    card.write_text(f"model: {FIXTURES / 'digits.tflite'}\nplacement: auto\n")
    assert load_card(card).placing("nucleo-h743", has_choice=True) == dict.fromkeys(SOLVED, AUTO)
    assert load_card(card).placing("mps2-an386", has_choice=False) == {}
