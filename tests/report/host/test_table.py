"""Tables in few columns: whole columns go and are named, figures are never broken, nothing is wider than asked."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from harness.report import console
from harness.report.table import NARROWEST, ReportTable
from harness.report.wrapping import wrap

WORDS = st.text("ab_/-.: 日é", max_size=60)
FIGURES = st.integers(-(10**9), 10**9).map(lambda n: f"{n:,}")


@st.composite
def tables(draw):
    """Tables of a text column, figures, and perhaps prose."""
    count = draw(st.integers(1, 9))
    columns = ("name", *(f"figure {i} of it" for i in range(count)), "prose")
    rows = draw(st.lists(st.tuples(WORDS, *[FIGURES] * count, WORDS), min_size=1, max_size=4))
    drop = tuple(draw(st.lists(st.sampled_from(columns[1:]), unique=True, max_size=count)))
    notes = tuple(draw(st.lists(WORDS, max_size=2)))
    right = frozenset(columns[1:-1])
    return ReportTable("title of it", columns, tuple(rows), right, notes, frozenset({"prose"}), drop)


def on_terminal(content, width):
    file = io.StringIO()
    console.show(Console(file=file, width=200), [console.table(content)], width)
    return file.getvalue().splitlines()


@given(tables(), st.sampled_from([NARROWEST, 80, 120]), st.booleans())
def test_a_table_fits_and_its_figures_are_whole(content, width, terminal):
    lines = on_terminal(content, width) if terminal else content.plain(width)
    assert max(map(cell_len, lines)) <= width
    text = "\n".join(lines)
    told = " ".join(text.split()).partition("left out, as ")[2]
    for place, column in enumerate(content.columns[1:-1], 1):
        if column in told:
            continue
        for row in content.rows:
            assert re.search(rf"(?<![\d,]){re.escape(row[place])}(?![\d,])", text)


@given(tables())
def test_a_file_gets_all_of_it(content):
    for lines in (on_terminal(content, None), content.plain()):
        assert "left out" not in "\n".join(lines)
        assert all(cell in "\n".join(lines) for row in content.rows for cell in row[1:2])


def test_columns_go_in_their_order_and_come_back_where_there_is_room():
    columns = ("model", "wide", "small", "needed")
    content = ReportTable("", columns, (("m" * 20, "w" * 40, "s" * 8, "n" * 22),), drop=("small", "wide"))
    assert "w" * 40 in content.plain(120)[1]
    shown = content.plain(60)
    assert "w" not in shown[1] and "s" * 8 in shown[1]
    assert shown[-2:] == ["left out, as 60 columns hold no more: wide; COLUMNS=96 or a", "  file has all"]


def test_a_column_takes_those_along_that_belong_to_it():
    columns = ("layer", "TFLM a", "ratio", "TFLM b", "ratio")
    row = ("l" * 20, "1" * 12, "0.5x", "2" * 12, "0.7x")
    content = ReportTable("", columns, (row,), frozenset(columns[1:]), drop=("TFLM a",), attached=frozenset({"ratio"}))
    shown = content.plain(45)
    assert "1" * 12 not in shown[1] and "0.5x" not in shown[1] and shown[1].endswith("0.7x")
    assert "left out, as 45 columns hold no more: TFLM a;" in " ".join(shown)


@given(st.text("ab1,.9_-/ ", max_size=80), st.integers(8, 40))
def test_wrapping_keeps_every_character_and_every_number(text, width):
    lines = wrap(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for number in re.findall(r"\d[\d,.]*", text):
        assert any(number in line for line in lines), (number, lines)


@pytest.mark.parametrize("name", ["functional_1/activation/Relu;functional_1/conv2d_10/BiasAdd", "x" * 90])
def test_long_names_are_broken_behind_signs(name):
    lines = wrap(name, 24)
    assert "".join(lines) == name and max(map(len, lines)) <= 24
    assert len(set(name)) == 1 or all(line[-1] in "_/;:.-+" or not line[-1].isdigit() for line in lines[:-1])
