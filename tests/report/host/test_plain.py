"""Text of files and devices cannot command a terminal: in tables, texts, errors and prose, nor add lines of its own."""

from __future__ import annotations

import io
import json
import shutil
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from harness.errors import InputError
from harness.report import console
from harness.report.plain import one_line, plain
from harness.report.table import ReportTable
from harness.validate.card import RandomVectors, card_for_model
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.cli.host.test_cli import tinyhil
from tests.support.paths import FIXTURES

HOSTILE = "\x1b[31m\x9b1m\u202e\nverdict pass"
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


def test_what_python_shows_of_an_error() -> None:
    """A traceback, `pytest`, a log: wherever str() of it goes. JSON has the text itself, escaped by its own rules."""
    error = InputError("file" + OBEYED + "\nfake: all is well", hint="try")
    assert _harmless(str(error)) and "\n" not in str(error)
    assert error.message == "file" + OBEYED + "\nfake: all is well" == error.as_dict()["message"]


def test_an_explanation_has_one_line_a_check(tmp_path: Path) -> None:
    path = tmp_path / f"a{HOSTILE}.tflite"
    shutil.copy(FIXTURES / "digits.tflite", path)
    options = Options(vectors=RandomVectors(random=1), opinions=())
    outcome = Workbench().validate(card_for_model(path), "host", options)
    checks = tuple(replace(check, summary=check.summary + HOSTILE) for check in outcome.verdict.checks)
    told = replace(outcome, verdict=replace(outcome.verdict, checks=checks)).explain()
    assert _harmless(told) and len(told.splitlines()) == 1 + len(checks)


def test_pytest_shows_names_without_obeying_them(pytester: pytest.Pytester) -> None:
    """In failures of cards and in tests of the user's own, as reasons of skips and as titles."""
    name = f"a{HOSTILE}"
    shutil.copy(FIXTURES / "digits.tflite", pytester.path / f"{name}.tflite")
    (pytester.path / f"{name}bad.tflite").write_bytes(b"\x1b]0;owned\x07")
    card = {"model": f"{name}.tflite", "vectors": {"random": 1}, "budgets": {"host": {"arena": 1}}}
    (pytester.path / "c.hil.yaml").write_text(json.dumps(card))
    pytester.makepyfile(
        f"""
        from pathlib import Path

        HERE = Path(__file__).parent

        def test_explains(hil):
            outcome = hil.validate(HERE / "c.hil.yaml")
            assert outcome.passed, outcome.explain()

        def test_raises(hil):
            hil.validate(HERE / {f"{name}bad.tflite"!r})
        """
    )
    result = pytester.runpytest_subprocess("--board", "host", "-rA", "--color=no")
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == 1 and "verdict pass" in text
    assert _harmless(text)
    assert not [line for line in text.splitlines() if line.startswith("verdict pass")]


def _printed(content: ReportTable) -> str:
    file = io.StringIO()
    console.show(Console(file=file, width=200), [console.table(content)])
    return file.getvalue()
