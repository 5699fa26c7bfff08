"""Published latencies on silicon against the tables that ship: no error is larger than the table states."""

import runpy
from xml.etree import ElementTree

import pytest

from harness.cycles.board_tables import board_table, boards, error_of
from harness.cycles.tables import core_table
from tests.support.paths import REPOSITORY
from tests.support.silicon import silicon_results

RESULTS = silicon_results()
HELD = [result for result in RESULTS if result.held]


def test_there_are_as_many_results_as_the_docs_say():
    assert len(RESULTS) == 79 and len(HELD) == 75
    assert {result.board for result in RESULTS} <= set(boards())


def test_no_error_is_larger_than_the_table_states():
    wrong = []
    for result in HELD:
        table = board_table(result.board)
        stated = error_of(result.kind, core_table(table.core), table).error
        if abs(result.error) > stated:
            wrong.append((result.board, result.model, result.variant, result.version, result.error, stated))
    assert not wrong


@pytest.mark.parametrize("board", sorted({result.board for result in HELD}))
def test_a_table_counts_the_results_of_each_kind(board):
    for kind, row in board_table(board).errors.items():
        assert row.results == sum(r.kind is kind for r in HELD if r.board == board), kind


def test_a_flash_without_stalls_or_with_those_of_before_would_be_noticed():
    """The results decide the tables: errors are beyond what is stated."""
    for stall in (0.0, 12.3):
        errors = [
            (r.core + r.fetch * stall + r.loads * (stall and 7.3)) / r.published - 1
            for r in HELD
            if r.board == "nucleo-l4r5"
        ]
        assert max(map(abs, errors)) > 0.09


def test_picture_and_tables_of_the_docs_are_those_of_today():
    """Else: python scripts/silicon_picture.py."""
    script = runpy.run_path(str(REPOSITORY / "scripts" / "silicon_picture.py"))
    drawn = script["picture"](HELD)
    assert drawn == (REPOSITORY / "docs" / "img" / "silicon.svg").read_text(encoding="utf-8")
    svg = "{http://www.w3.org/2000/svg}"
    marks = [e for e in ElementTree.fromstring(drawn).iter() if e.tag in (f"{svg}circle", f"{svg}path")]
    assert sum(mark.find(f"{svg}title") is not None for mark in marks) == 2 * len(HELD)
    page = (REPOSITORY / "docs" / "cycles.md").read_text(encoding="utf-8")
    assert script["page"](page, RESULTS) == page
    assert f"**{len(RESULTS)} published latencies**" in page
