"""The tables that `python -m tests.bench figures` remakes: every marker has a maker, and cells are kept apart."""

from __future__ import annotations

import re

import pytest

from tests.bench.figure_tables import MAKERS
from tests.bench.figures import PAGES, SCREEN, blocks, differences, remade
from tests.support.paths import REPOSITORY

TEXT = """Before

<!-- figures: some of it -->

| layer | M4 |
|---|---:|
| one | 1,000 |
| | 2 |

<!-- /figures -->
after
"""


def test_a_table_is_remade_and_all_around_it_stays() -> None:
    def make(rows: list[list[str]], arguments: tuple[str, ...]) -> list[list[str]]:
        assert arguments == ("of", "it") and rows == [["one", "1,000"], ["", "2"]]
        return [["one", "999"], ["", "2"]]

    made = remade(TEXT, {"some": make})
    assert made == TEXT.replace("1,000", "999")
    assert differences(TEXT, made) == ["- | one | 1,000 |\n+ | one | 999 |"]
    assert remade(TEXT, {"some": make}, only=["other"]) == TEXT


@pytest.mark.parametrize("page", PAGES)
def test_every_table_of_figures_is_marked_and_has_a_maker(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    found = list(blocks(text))
    assert found and {block.name for block in found} <= {*MAKERS, SCREEN}
    assert text.count("<!-- figures:") == text.count("<!-- /figures -->") == len(found)
    for block in found:
        if block.name != SCREEN:
            assert remade(text, {name: lambda rows, _: list(rows) for name in MAKERS}, only=[block.name]) == text
            assert len({len(row) for row in block.rows}) == 1
    outside = re.sub(r"<!-- figures:.*?<!-- /figures -->", "", text, flags=re.DOTALL)
    tables = re.findall(r"^\|[-:|]+\|\n\|.*?(\d[\d,]*\.\d+|\d{1,3},\d{3})", outside, re.MULTILINE)
    assert not tables, f"{page}: a table of figures that nothing remakes"
