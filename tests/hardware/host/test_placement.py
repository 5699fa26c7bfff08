"""Parts of an image lie in the memory that board, card or command names, or an error says why not."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from harness.boards import find_board, load_boards
from harness.build import BuildOptions, build_image
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.errors import BoardConfigError, CardError, DoesNotFitError, PlacementError
from harness.hardware.placement import PARTS, assign_regions, parse_placement
from harness.validate.card import load_card
from tests.support.elf import read_elf
from tests.support.graphs import Builder
from tests.support.scale import scaled
from tests.support.tiny import tiny_package

BOARDS = [board for board in load_boards().values() if board.placement is not None]
H743 = find_board("nucleo-h743")
LAYER = "tiny_layer_00_conv_2d"
WEIGHTS = "tiny_conv_2d_00_weights"
# a symbol of each part
WITNESS = {"arena": "hil_arena", "stack": "hil_stack_bottom", "data": "hil_session", "weights": WEIGHTS, "code": LAYER}


def _choices(board, part):
    def fits(name):
        try:
            return assign_regions(board, {part: name}) is not None
        except PlacementError:
            return False

    return [region.name for region in board.memory if fits(region.name)]


def _every_placement():
    rng = random.Random(743)
    cases = [(board, {}) for board in BOARDS]
    cases += [(board, {part: name}) for board in BOARDS for part in PARTS for name in _choices(board, part)]
    for board in BOARDS:
        cases += [(board, {part: rng.choice(_choices(board, part)) for part in PARTS}) for _ in range(10)]
    rng.shuffle(cases)
    return cases[: scaled(24, len(cases))]


def _name(case):
    if isinstance(case, dict):
        return "-".join(f"{part}.{region}" for part, region in case.items()) or "own"
    return case.name


@pytest.mark.parametrize(("board", "wanted"), _every_placement(), ids=_name)
def test_each_part_is_where_it_was_placed(board, wanted):
    placed = assign_regions(board, wanted)
    image = build_image([tiny_package(core=board.core)], board, BuildOptions(placement=placed))
    elf = read_elf(image.elf)
    expected = {**board.placement.parts, **wanted}
    if expected.get("scratch") == expected["arena"]:
        del expected["scratch"]
    assert image.placement == placed.parts == expected
    for part, symbol in WITNESS.items():
        assert board.region(expected[part]).contains(elf.symbols[symbol], 1), part
    # all that never moves is in flash
    for symbol in ("hil_reset", "hil_main", "cortexm_fault_entry", "hil_models"):
        assert board.region("flash").contains(elf.symbols[symbol], 4), symbol
    held = {region for region, size in image.regions.items() if size}
    assert held == {"flash", *(region for part, region in expected.items() if part != "scratch")}, "it uses none"


def test_sizes_count_what_is_copied_in_flash_and_in_ram():
    own = build_image([tiny_package()], H743).sizes
    placed = assign_regions(H743, {"weights": "axi", "code": "itcm"})
    moved = build_image([tiny_package()], H743, BuildOptions(placement=placed)).sizes
    for group in ("model", "kernels"):
        assert moved.groups[group].flash == pytest.approx(own.groups[group].flash, abs=64), group
        assert moved.groups[group].ram > own.groups[group].ram, group
    assert moved.groups["kernels"].text == 0 and moved.groups["kernels"].data == own.groups["kernels"].text
    assert own.groups["model"].data == 0


def test_the_build_id_depends_on_the_placement_and_little_is_compiled_again(tmp_path):
    package = tiny_package()
    images = [
        build_image([package], H743, BuildOptions(placement=assign_regions(H743, wanted)), cache_dir=tmp_path)
        for wanted in ({}, {"arena": "dtcm"}, {"code": "itcm"}, {"arena": "axi"})
    ]
    assert len({image.build_id for image in images}) == 3
    assert images[3].build_id == images[0].build_id  # what the board has already
    assert images[1].compiled == 1  # build_id.c
    assert images[2].compiled == 1 + len(package.sources)  # and the model's files with its kernels'


def test_what_does_not_fit_is_named_with_its_region():
    b = Builder()
    x = b.input(1, 64, 64, 8)
    package = emit(compile_graph(b.graph(b.conv(x, 32, size=1), name="big"), core="cortex-m7", name="big"))
    with pytest.raises(DoesNotFitError) as caught:
        build_image([package], H743, BuildOptions(placement=assign_regions(H743, {"arena": "dtcm"})))
    said = caught.value.message
    parts = f"(arena {package.plan.arena_size:,}, stack 8,192 of 131,072)"
    assert "nucleo-h743" in said and "dtcm overflows by at least" in said and parts in said
    assert "--placement arena=axi" in caught.value.hint
    assert build_image([package], H743).placement["arena"] == "axi"


@pytest.mark.parametrize(
    ("wanted", "said", "hint"),
    [
        ({"arena": "sram"}, "arena: nucleo-h743 has no memory region sram", "dtcm, axi"),
        ({"arena": "flash"}, "arena: region flash cannot hold it", "dtcm, axi"),
        ({"arena": "itcm"}, "arena: region itcm cannot hold it", "dtcm, axi"),
        ({"stack": "itcm"}, "stack: region itcm", "dtcm, axi"),
        ({"code": "dtcm"}, "code: region dtcm cannot hold it", "flash, itcm, axi"),
        ({"heap": "axi"}, "heap: an image has no such part", "arena, stack"),
    ],
)
def test_an_impossible_place_is_refused_with_those_possible(wanted, said, hint):
    with pytest.raises(PlacementError, match=said) as caught:
        build_image([tiny_package()], H743, BuildOptions(placement=assign_regions(H743, wanted)))
    assert hint in caught.value.hint


def test_a_board_with_one_memory_has_no_choice():
    board = find_board("mps2-an500")
    with pytest.raises(PlacementError, match="mps2-an500 has one place"):
        build_image([tiny_package()], board, BuildOptions(placement=assign_regions(board, {"arena": "ram"})))
    assert build_image([tiny_package()], board).placement is None


@pytest.mark.parametrize("options", [["arena"], ["arena="], ["=axi"], ["arena=axi", "arena=dtcm"]])
def test_an_option_of_another_form_is_refused(options):
    with pytest.raises(PlacementError):
        parse_placement(options)


def test_a_board_file_cannot_place_a_part_where_it_cannot_be(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "mine: {title: Mine, core: cortex-m7, port: nucleo-h743, backend: pyocd, target: x, verified: never,\n"
        "  clock_hz: 1, tick: {source: DWT, hz: 1}, stack_size: 4096,\n"
        "  memory: [{name: rom, origin: 0x0800_0000, size: 65536, kind: flash},\n"
        "           {name: ram, origin: 0x2000_0000, size: 65536, kind: ram}],\n"
        "  placement: {arena: rom, stack: ram, data: ram, weights: rom, code: rom}}\n"
    )
    with pytest.raises(BoardConfigError, match=r"mine\.placement\.arena: region rom cannot hold it"):
        load_boards(path)


def test_a_board_whose_port_needs_a_placement_must_have_one():
    with pytest.raises(BoardConfigError, match="needs `placement`"):
        build_image([tiny_package()], replace(H743, placement=None))


def test_memory_comes_from_the_board_file():
    small = tuple(replace(r, size=4096) if r.name == "axi" else r for r in H743.memory)
    with pytest.raises(DoesNotFitError, match="axi overflows by"):
        build_image([_with_arena(5000)], replace(H743, memory=small))


def _with_arena(size):
    b = Builder()
    x = b.input(1, 1, 1, size)
    return emit(compile_graph(b.graph(b.add(x, x), name="wide"), core="cortex-m7", name="wide"))


def test_a_card_places_by_board_and_by_default(tmp_path):
    path = tmp_path / "m.hil.yaml"
    path.write_text("model: m.tflite\nplacement:\n  default: {arena: dtcm, code: axi}\n  nucleo-h743: {code: itcm}\n")
    card = load_card(path)
    assert card.placing("nucleo-h743", has_choice=True) == {"arena": "dtcm", "code": "itcm"}
    assert card.placing("nucleo-h7a3", has_choice=True) == {"arena": "dtcm", "code": "axi"}
    assert card.placing("mps2-an500", has_choice=False) == {}
    path.write_text("model: m.tflite\nplacement: {arena: dtcm}\n")
    assert load_card(path).placing("nucleo-h743", has_choice=True) == {"arena": "dtcm"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("placement:\n  nucleo-h999: {arena: axi}", "line 3: placement.nucleo-h999: no board"),
        ("placement: {arena: axi, heap: axi}", "placement.default.heap: unknown key"),
        ("placement: {nucleo-h743: {arena: 5}}", "placement.nucleo-h743.arena"),
        ("placement: 7", "placement"),
    ],
)
def test_a_mistake_in_a_cards_placement_is_named(tmp_path, text, said):
    path = tmp_path / "m.hil.yaml"
    path.write_text(f"model: m.tflite\n{text}\n")
    with pytest.raises(CardError, match="m.hil.yaml") as caught:
        load_card(path)
    assert said in caught.value.message
