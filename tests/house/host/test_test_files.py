"""Test files say their subject, and no skip hides more than what the machine lacks."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.paths import REPOSITORY

FILES = sorted(path for path in (REPOSITORY / "tests").rglob("*.py") if path.stat().st_size)
OF_THE_SYSTEM = {"resource", "termios"}
"""Modules of Python that not every system has: all that importorskip may ask for."""


def subject(source: str) -> str:
    """The first line of a file's docstring."""
    found = re.match(r'(?:#![^\n]*\n)?"""(.+)', source)
    return found[1].removesuffix('"""') if found else ""


def hidden_skips(source: str) -> list[int]:
    """Lines that skip where a package is missing, or without saying why."""
    found = []
    for node in ast.walk(ast.parse(source)) if "skip" in source or "xfail" in source else ():
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        said = {keyword.arg: keyword.value for keyword in node.keywords}
        if node.func.attr == "importorskip":
            module = node.args[0]
            allowed = isinstance(module, ast.Constant) and module.value in OF_THE_SYSTEM and "reason" in said
        elif node.func.attr in ("skipif", "xfail"):
            allowed = "reason" in said
        elif node.func.attr == "skip":
            allowed = bool(node.args) or "reason" in said
        else:
            continue
        if not allowed:
            found.append(node.lineno)
    return found


def test_a_subject_is_found() -> None:
    assert subject('#!/bin/sh\n"""One line."""\n') == subject('"""One line.\n\nMore."""\n') == "One line."
    assert subject("import os\n") == subject("# words.\nimport os\n") == ""


def test_every_file_says_its_subject() -> None:
    assert len(FILES) > 150
    silent = [path for path in FILES if not subject(read(path)).endswith((".", ":"))]
    assert not silent, [str(path.relative_to(REPOSITORY)) for path in silent]


def test_what_is_skipped_is_skipped_for_a_reason() -> None:
    found = [f"{path.relative_to(REPOSITORY)}:{line}" for path in FILES for line in hidden_skips(read(path))]
    assert not found, found


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("source", "hidden"),
    [
        ("pytest.importorskip('xdist')", True),
        ("pytest.importorskip('xdist', reason='no')", True),
        ("pytest.importorskip('termios')", True),
        ("pytest.importorskip('termios', reason='needs pseudo-terminals')", False),
        ("pytest.mark.skipif(sys.platform == 'win32')", True),
        ("pytest.mark.skipif(sys.platform == 'win32', reason='no signals')", False),
        ("pytest.skip()", True),
        ("pytest.skip('no model')", False),
    ],
)
def test_a_hidden_skip_is_found(source: str, hidden: bool) -> None:
    assert bool(hidden_skips(source)) == hidden
