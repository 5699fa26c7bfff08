"""Text of files and devices cannot command a terminal: in tables, texts, errors and prose, nor add lines of its own."""

from __future__ import annotations

import io
import shutil
import unicodedata
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from harness.errors import InputError
from harness.report import console
from harness.report.plain import one_line, plain
from harness.report.table import ReportTable
from tests.cli.host.test_cli import tinyhil
from tests.support.paths import FIXTURES

OBEYED = "\x1b\x9b\x07\x08\r\x7f\x85\u202e\u2066\u200f\u061c\u2028\ufeff\ud800"


def _harmless(text: str) -> bool:
    """No controls, formats of direction, separators or surrogates but newline and tab."""
    turns = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return not [
        c
        for c in text
        if unicodedata.bidirectional(c) in turns
        or c in "\u200e\u200f\u061c\ufeff"
        or (unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") and c not in "\n\t")
    ]


@given(st.text(st.characters(codec=None)))
def test_what_a_terminal_obeys_is_shown_as_a_number(text: str) -> None:
    shown = plain(text)
    assert _harmless(shown)
    assert shown.count("\n") == text.count("\n")
    assert "\n" not in one_line(text)


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_other_text_is_as_it_was(text: str) -> None:
    assert plain(text) == text


def test_every_character_that_is_obeyed() -> None:
    for one in map(chr, range(0x110000)):
        assert _harmless(plain(one)), hex(ord(one))


def test_a_table_on_a_terminal_has_one_line_a_row() -> None:
    rows = (("a" + OBEYED + "\nfake  pass", "pass"), ("b", "fail"))
    content = ReportTable("title" + OBEYED, ("name", "verdict"), rows, notes=("note" + OBEYED,))
    bare, hostile = (
        _printed(table) for table in (ReportTable("t", ("n", "v"), (("a", "b"), ("c", "d")), notes=("n",)), content)
    )
    assert len(hostile.splitlines()) == len(bare.splitlines())
    assert _harmless(hostile)
    assert _harmless("\n".join(content.plain()))
    assert len(content.plain()) == 4


def test_an_error_on_a_terminal() -> None:
    error = InputError("file" + OBEYED, hint="try" + OBEYED, details="said" + OBEYED)
    file = io.StringIO()
    Console(file=file, width=200).print(console.error_panel(error))
    assert _harmless(file.getvalue())


def test_commands_show_names_without_obeying_them(tmp_path: Path) -> None:
    hostile = "a\x1b[31m\x9b1m\u202e\nverdict pass"
    good, bad = tmp_path / f"{hostile}.tflite", tmp_path / f"{hostile}b.tflite"
    shutil.copy(FIXTURES / "digits.tflite", good)
    bad.write_bytes(b"\x1b]0;owned\x07")
    for arguments, code in (
        (("analyze", good), 0),
        (("validate", good, "-b", "host", "--vectors", "1"), 0),
        (("analyze", bad), 2),
        (("validate", bad, "-b", "host"), 2),
        (("generate", bad, "-o", tmp_path / "out"), 2),
    ):
        said = tinyhil(*arguments)
        assert said.returncode == code, said.stderr
        assert _harmless(said.stdout + said.stderr)
        assert "verdict pass" in said.stdout + said.stderr
        assert not [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("verdict pass")]


def _printed(content: ReportTable) -> str:
    file = io.StringIO()
    console.show(Console(file=file, width=200), [console.table(content)])
    return file.getvalue()
