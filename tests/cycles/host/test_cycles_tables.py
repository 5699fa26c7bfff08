"""The tables: all are sound, every row has a source, and what is wrong in one is refused by place."""

import pytest
import yaml

from harness.boards import load_boards
from harness.cycles import board_tables, tables
from harness.cycles.board_tables import board_table, read_board, setup
from harness.cycles.tables import core_table, folder, read_core
from harness.errors import CycleTableError, OptionError

ISSUE_CORES = {"cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"}
PORTED = {"nucleo-l4r5", "nucleo-h7a3", "nucleo-h743", "nucleo-f746", "nucleo-l476", "nucleo-f446"}
TABLES_ONLY = {"nucleo-u575", "nucleo-u385", "nucleo-g0b1", "nrf5340dk", "cy8cproto-062-4343w"}
"""Boards that published results are from; nothing has to run on them."""


def test_every_core_and_board_has_a_table():
    assert set(tables.cores()) == ISSUE_CORES
    assert set(board_tables.boards()) == PORTED | TABLES_ONLY
    assert set(board_table("nucleo-l4r5").flash) == {"dual-bank", "single-bank"}
    for name in PORTED | TABLES_ONLY:
        assert board_table(name).core in ISSUE_CORES


def test_only_what_was_compared_with_silicon_is_validated():
    assert {name for name in ISSUE_CORES if core_table(name).validated} == {
        "cortex-m0plus", "cortex-m4", "cortex-m7", "cortex-m33"
    }  # fmt: skip
    assert {name for name in board_tables.boards() if board_table(name).validated} == {
        "nucleo-l4r5", "nucleo-h7a3", "nucleo-f746", "nucleo-u575", "nucleo-u385", "nucleo-g0b1"
    }  # fmt: skip
    assert setup(board_table("nucleo-l4r5"), {}).validated
    assert setup(board_table("nucleo-l4r5"), {}, flash="single-bank").validated
    assert not setup(board_table("nucleo-l4r5"), {}, clock_hz=80_000_000).validated


def test_tables_are_of_the_boards_they_name():
    known = load_boards()
    assert set(known) >= PORTED
    for name in set(known) & set(board_tables.boards()):
        table, board = board_table(name), known[name]
        assert (table.core, table.clock_hz) == (board.core, board.clock_hz)
        regions = {region.name for region in board.memory}
        assert set(table.memories) | {"flash"} == regions
        assert setup(table, {"code": "flash", "arena": board.placement.arena}).system.placement["arena"]


def test_clocks_and_flash_that_a_board_cannot_have():
    table = board_table("nucleo-l4r5")
    with pytest.raises(OptionError, match="does not run at"):
        setup(table, {}, clock_hz=121_000_000)
    with pytest.raises(OptionError, match="no flash 'triple'"):
        setup(table, {}, flash="triple")
    with pytest.raises(OptionError, match="no memory"):
        setup(table, {"arena": "dtcm"})


def test_stalls_follow_the_wait_states():
    table = board_table("nucleo-l4r5")
    assert setup(table, {}).stalls["flash"].fetch == 5
    assert setup(table, {}, clock_hz=80_000_000).stalls["flash"].fetch == pytest.approx(3)
    assert setup(table, {}, clock_hz=20_000_000).stalls["flash"].load == 0
    assert setup(table, {}).stalls["sram"].load == 0


@pytest.mark.parametrize(
    "change, place",
    [
        (lambda t: t["classes"]["mac"].pop("source"), "classes.mac.source"),
        (lambda t: t["classes"]["mac"].update(source=["hearsay"]), "no source is named 'hearsay'"),
        (lambda t: t["classes"].update(frobnicate={"source": ["trm"]}), "frobnicate"),
        (lambda t: t["rules"].pop("load-chain"), "`rules` must be exactly"),
        (lambda t: t["classes"]["mac"].update(cycles=-1), "classes.mac.cycles"),
        (lambda t: t["classes"].update(unknown={"source": ["trm"]}), "classes.unknown"),
        (lambda t: t.update(colour="green"), "colour"),
    ],
)
def test_a_core_table_that_is_wrong_is_refused_by_place(change, place, tmp_path):
    data = yaml.safe_load((folder("cores") / "cortex-m4.yaml").read_text())
    change(data)
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(CycleTableError, match=str(path)) as error:
        read_core(path)
    assert place in error.value.message + error.value.details


@pytest.mark.parametrize(
    "change, place",
    [
        (lambda t: t.update(default_flash="triple"), "no flash is named"),
        (lambda t: t["memories"]["sram"].update(data="l9"), "no cache is named 'l9'"),
        (lambda t: t["wait_states"].reverse(), "clocks must grow"),
        (lambda t: t.update(clock_hz=999_000_000), "beyond the last row"),
        (lambda t: _cache(t).update(sector=12), "powers of two"),
        (lambda t: _cache(t).update(line=24, sector=8), "powers of two"),
        (lambda t: _cache(t).update(sector=64), "1 to 32 sectors"),
        (lambda t: _cache(t).update(line=256, sector=4), "1 to 32 sectors"),
    ],
)
def test_a_board_table_that_is_wrong_is_refused_by_place(change, place, tmp_path):
    data = yaml.safe_load((folder("boards") / "nucleo-l4r5.yaml").read_text())
    change(data)
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(CycleTableError) as error:
        read_board(path)
    assert place in error.value.message + error.value.details


def _cache(table):
    return table["flash"]["dual-bank"]["caches"]["art-data"]


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(CycleTableError, match="no cycle table for the core"):
        core_table("cortex-m99")
    with pytest.raises(CycleTableError, match="no cycle table for the board"):
        board_table("nucleo-x1")
    path = tmp_path / "broken.yaml"
    path.write_text("a: [")
    with pytest.raises(CycleTableError, match="broken.yaml"):
        read_core(path)
    path.write_text("- 1\n")
    with pytest.raises(CycleTableError):
        read_core(path)
