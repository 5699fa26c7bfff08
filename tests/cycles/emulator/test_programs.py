"""Programs that are no model, profiled by functions and marked regions on four boards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.boards import find_board
from harness.cycles.programs import profile as program_profile
from harness.cycles.programs.profile import ProgramProfile, ProgramRegion, profile_program
from harness.elf.sections import read_sections
from harness.elf.symbols import symbol_address
from harness.errors import ImageFileError, ProfileError
from harness.units import Unit, total
from tests.support.command import called
from tests.support.program import BOARDS, SOURCES, build_program

FUNCTIONS = ("matrix_*", "crc_*", "list_*", "hand_over", "last_step", "count_tick")
NEVER = 0xFF_FFFF


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {board: build_program(board, tmp_path_factory.mktemp(board)) for board in BOARDS}


@pytest.fixture(scope="module")
def profiles(built: dict[str, Path]) -> dict[str, ProgramProfile]:
    return {name: profile_program(elf, find_board(name), functions=FUNCTIONS) for name, elf in built.items()}


def tree(region: ProgramRegion) -> dict[str, object]:
    return {inner.name: tree(inner) for inner in region.inside}


def named(profiled: ProgramProfile, name: str) -> ProgramRegion:
    (found,) = (region for region in profiled.whole.walk() if region.name == name)
    return found


@pytest.mark.parametrize("board", BOARDS)
def test_regions_nest_as_the_code_does(profiles: dict[str, ProgramProfile], board: str) -> None:
    whole = profiles[board].whole
    assert tree(whole) == {
        "round": {
            "matrix_multiply": {},
            "crc_text": {"checksum": {"crc_byte": {}}},
            "list_work": {"list_sum": {}},
            "machine": {},
            "hand_over": {"last_step": {}},
        }
    }
    entries = {region.name: region.entries for region in whole.walk()}
    assert entries == {
        "main": 1, "round": 3, "matrix_multiply": 3, "crc_text": 3, "checksum": 3, "crc_byte": 192,
        "list_work": 3, "list_sum": 75, "machine": 3, "hand_over": 3, "last_step": 3,
    }  # fmt: skip
    assert not profiles[board].notes


@pytest.mark.parametrize("board", BOARDS)
def test_what_is_within_adds_up(profiles: dict[str, ProgramProfile], board: str) -> None:
    profiled = profiles[board]
    for region in profiled.whole.walk():
        inner = total((one.cycles for one in region.inside), Unit.MODELLED_CYCLES)
        assert region.cycles.value == region.estimate.cycles.value + inner.value
    assert profiled.whole.instructions == profiled.profile.total
    assert profiled.whole.cycles == profiled.estimate.cycles
    assert profiled.estimate.low.value < profiled.estimate.cycles.value < profiled.estimate.high.value
    assert (profiled.estimate.milliseconds is not None) == board.startswith("nucleo")


def test_instructions_are_those_of_the_code(profiles: dict[str, ProgramProfile]) -> None:
    """Of two functions whose code is straight, counted by hand from their listings' shape."""
    for profiled in profiles.values():
        step = named(profiled, "last_step")
        counts = list(step.own.counts.values())
        assert set(counts) == {3}, "each instruction once a call"
        assert step.own.instructions.value == 3 * len(counts)
        byte = named(profiled, "crc_byte")
        assert max(byte.own.counts.values()) == 8 * 192, "eight bits of 64 bytes, three times"


def test_markers_are_no_code(built: dict[str, Path], tmp_path: Path) -> None:
    for board, marked in built.items():
        (tmp_path / board).mkdir()
        plain = build_program(board, tmp_path / board, marked=False)
        sizes = [{s.name: s.size for s in read_sections(elf)} for elf in (plain, marked)]
        assert sizes[0] == sizes[1], "no byte in memory"
    board = "mps2-an385"
    without = profile_program(tmp_path / board / "app.elf", find_board(board))
    assert without.profile.total == profile_program(built[board], find_board(board)).profile.total


def test_interrupts_are_left_out(
    profiles: dict[str, ProgramProfile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = "mps2-an385"  # virtual boards have no interrupts
    quiet = profile_program(build_program(board, tmp_path, ticks=NEVER), find_board(board), functions=FUNCTIONS)
    assert quiet.profile.total == profiles[board].profile.total
    monkeypatch.setattr(program_profile, "handlers", lambda *_: ())
    told = profile_program(build_program(board, tmp_path), find_board(board), functions=FUNCTIONS)
    assert any(region.name == "count_tick" for region in told.whole.walk()), "there are interrupts"


@pytest.mark.parametrize("board", ["nucleo-l4r5", "mps2-an385"])
def test_from_a_place_of_one_function_to_one_of_another(built: dict[str, Path], board: str) -> None:
    elf = built[board]
    at = f"0x{symbol_address(elf, 'last_step'):08X}"
    profiled = profile_program(elf, find_board(board), start="crc_text", stop=at, functions=["hand_*"])
    assert profiled.whole.name == f"crc_text to {at}"
    names = [region.name for region in profiled.whole.walk()]
    assert sorted(names) == sorted([profiled.whole.name, "checksum", "machine", "hand_over"])
    assert named(profiled, "hand_over").own.instructions.value < 3, "it does not come to last_step"


def test_a_region_that_its_function_leaves_is_closed_and_told(tmp_path: Path) -> None:
    more = """
__attribute__((noinline)) int leaves(int value)
{
    HIL_REGION_BEGIN("left");
    if (value > 0) {
        return value;
    }
    HIL_REGION_END("left");
    return 0;
}

__attribute__((noinline)) int other(int value)
{
    int found = leaves((int)result + value);
    HIL_REGION_END("never begun");
    return found;
}

int main(void)
{
    result = (uint32_t)other(1);
"""
    code = (SOURCES / "app.c").read_text(encoding="utf-8").replace("int main(void)\n{", more)
    elf = build_program("mps2-an385", tmp_path, source=code)
    profiled = profile_program(elf, find_board("mps2-an385"))
    assert sorted(profiled.notes) == [
        "region left did not end in the function or region that it began in",
        "region never begun ended where it had not begun",
    ]
    assert named(profiled, "left").entries == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": "mian"}, "no symbol mian"),
        ({"start": "0x12z"}, "no address"),
        ({"functions": ["conv*"]}, "no function conv"),
        ({"start": "stop", "limit_s": 1.0}, "did not end within 1 s"),
        ({"start": "main", "stop": "stop", "limit_s": 1.0}, "did not end within 1 s"),
    ],
)
def test_what_cannot_be_profiled_is_told(built: dict[str, Path], options: dict[str, object], words: str) -> None:
    for board in ("nucleo-l4r5", "mps2-an385"):
        with pytest.raises(ProfileError, match=words) as caught:
            profile_program(built[board], find_board(board), **options)  # type: ignore[arg-type]
        assert caught.value.hint


def test_images_that_are_no_program_of_the_board_are_refused(built: dict[str, Path], tmp_path: Path) -> None:
    board = find_board("nucleo-l4r5")
    with pytest.raises(ProfileError, match="nothing for the flash of nucleo-l4r5"):
        profile_program(built["mps2-an385"], board)
    with pytest.raises(ProfileError, match="nothing emulates host"):
        profile_program(built["mps2-an385"], find_board("host"))
    (tmp_path / "text.elf").write_text("hello")
    with pytest.raises(ImageFileError, match="cannot be read"):
        profile_program(tmp_path / "text.elf", board)
    with pytest.raises(ImageFileError, match="no linked program for an Arm core"):
        profile_program(Path("/proc/self/exe").resolve(), board)


def test_the_command_prints_tables_json_speedscope_and_a_page(built: dict[str, Path], tmp_path: Path) -> None:
    elf, page = built["nucleo-l4r5"], tmp_path / "app.html"
    common = ["profile", "--elf", str(elf), "-b", "nucleo-l4r5", "--functions", "crc_*"]
    shown = called(*common, "--hot", 2, "--report", page)
    assert "checksum" in shown.stdout and "of all that is profiled: loop at" in shown.stdout
    assert "<svg" in page.read_text() and "Content-Security-Policy" in page.read_text()
    document = json.loads(called(*common, "--json").stdout)
    assert document["kind"] == "program" and document["instructions"]["unit"] == "instructions"
    scope = json.loads(called(*common, "--format", "speedscope").stdout)
    assert scope["profiles"][1]["endValue"] == document["instructions"]["value"]
    names = [frame["name"] for frame in scope["shared"]["frames"]]
    deepest = max(scope["profiles"][0]["samples"], key=len)
    assert [names[number] for number in deepest[:4]] == ["main", "round", "crc_text", "checksum"]


def test_the_commands_header_is_written_and_options_do_not_mix(built: dict[str, Path], tmp_path: Path) -> None:
    header = tmp_path / "tinyhil_regions.h"
    assert called("profile", "--markers", header).returncode == 0
    assert "HIL_REGION_BEGIN" in header.read_text()
    elf = str(built["mps2-an385"])
    for arguments in (["--elf", elf, "--runtime", "tflm"], ["model.tflite", "--elf", elf], ["--from", "main"], []):
        refused = called("profile", *arguments)
        assert refused.returncode == 2 and "Traceback" not in refused.stderr, arguments
