"""Blocks of commands in README and docs, and how far they can be tried.

A block is fenced or indented by four blanks. A comment before it, which no reader of the page sees, says that its
commands are only parsed and why: `<!-- parsed: WHY -->`, or `<!-- parsed (make, pip install): WHY -->` for those that
begin so.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import REPOSITORY

PAGES = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md")))

PROGRAMS = frozenset({
    "tinyhil", "pytest", "make", "pip", "python", "python3", "bash", "sh", "apt", "apt-get", "sudo", "pyocd", "export",
    "cmake", "cd", "git", "FVP_Corstone_SSE-300_Ethos-U55",
})  # fmt: skip
"""First words of commands."""

_MARK = re.compile(r"<!-- parsed(?: \(([^)]*)\))?: (.+?) -->")


@dataclass(frozen=True)
class PageCommand:
    """A command of a page.

    Attributes:
        place: page and line.
        text: as the page has it, without prompt and comment.
        words: of it, without assignments before it.
        env: assignments before it.
        only_parsed: why it is not run; "" if it is.
    """

    place: str
    text: str
    words: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    only_parsed: str


def commands(page: Path) -> list[PageCommand]:
    """All commands in the blocks of a page."""
    return list(commands_in(page.read_text(encoding="utf-8"), page.name))


def commands_in(text: str, name: str) -> Iterator[PageCommand]:
    """All commands in the blocks of a text."""
    for line, mark, block in _blocks(text):
        prompted = any(row.startswith("$ ") for row in block)
        if not prompted and _first_word(block[0]) not in PROGRAMS:
            continue  # code, a file, or what a program prints
        for number, row in _rows(block):
            if prompted and not row.startswith("$ "):
                continue
            yield _command(row.removeprefix("$ "), f"{name}:{line + number}", mark)


def _blocks(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """(line, mark before it, its lines without indent) of each block."""
    lines, mark, block, start, fenced = text.split("\n"), "", [], 0, False
    for number, line in enumerate([*lines, "end"], 1):
        if line.startswith("```"):
            if fenced and block:
                yield start, mark, block
                mark, block = "", []
            fenced = not fenced
            continue
        inside = fenced or line.startswith("    ")
        if inside and (line.strip() or fenced):
            start = start if block else number
            block.append(line if fenced else line[4:])
        elif line.strip():
            if block:
                yield start, mark, block
                mark, block = "", []
            mark = line.strip() if line.startswith("<!--") else ""


def _rows(block: list[str]) -> Iterator[tuple[int, str]]:
    """(place in the block, text) of each command, which may go on behind a backslash."""
    row, start = "", 0
    for number, line in enumerate(block):
        start = start if row else number
        row += line
        if row.endswith("\\"):
            row = row[:-1]
            continue
        if row.strip() and not row.lstrip().startswith("#"):
            yield start, row
        row = ""


def _command(row: str, place: str, mark: str) -> PageCommand:
    words = shlex.split(row, comments=True)
    env = []
    while words and re.match(r"[A-Z_]+=", words[0]):
        name, _, value = words.pop(0).partition("=")
        env.append((name, value))
    found = _MARK.fullmatch(mark)
    assert found or not mark.startswith("<!-- parsed"), f"{place}: {mark}"
    named = re.split(r",\s*", found[1]) if found and found[1] else []
    said = " ".join(words) + " "
    only = found[2] if found and (not named or any(said.startswith(f"{one} ") for one in named)) else ""
    return PageCommand(place, re.sub(r"\s+#.*", "", row).strip(), tuple(words), tuple(env), only)


def _first_word(row: str) -> str:
    try:
        words = shlex.split(row, comments=True)
    except ValueError:
        return ""
    return next((word for word in words if not re.match(r"[A-Z_]+=", word)), "")


def spans(page: Path) -> list[tuple[str, str]]:
    """(place, text) of each `span` of a page that is a command of tinyhil or pytest."""
    found = []
    for number, line in enumerate(page.read_text(encoding="utf-8").split("\n"), 1):
        for span in re.findall(r"`((?:tinyhil|pytest) [^`]*)`", line):
            found.append((f"{page.name}:{number}", span.replace("\\|", "|")))
    return found
