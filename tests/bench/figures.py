"""`python -m tests.bench figures [--check] [--only NAME]...`: remake the tables of README.md and docs/kernels.md.

A table between `<!-- figures: NAME ... -->` and `<!-- /figures -->` is remade from measurements by the maker NAME of
figure_tables.py, what a command prints (`screen`) by running it. The page says which rows there are and how they are
named; a maker fills their cells, and leaves what cannot be measured here. `--check` writes nothing, and exits with 1
where a cell differs.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tests.support.paths import REPOSITORY

SCREEN = "screen"
PAGES = ("README.md", "docs/kernels.md")
_BLOCK = re.compile(r"(<!-- figures: ([^\n]*?) -->\n)(.*?)(\n*<!-- /figures -->)", re.DOTALL)

Row = list[str]
Maker = Callable[[Sequence[Row], Sequence[str]], list[Row]]
"""Fills rows, given as the page has them, without the header; the rest of the marker are its arguments."""


@dataclass(frozen=True)
class Block:
    """A marked table of a page.

    Attributes:
        name: of its maker.
        arguments: what the marker says besides.
        text: between the markers.
    """

    name: str
    arguments: tuple[str, ...]
    text: str

    @property
    def lines(self) -> list[str]:
        """Of its table, the header's two among them, as the blank line before it is not."""
        return self.text.strip("\n").split("\n")

    @property
    def rows(self) -> list[Row]:
        """The cells of every row below the header."""
        return [cells(line) for line in self.lines[2:]]

    def with_rows(self, rows: Sequence[Row]) -> str:
        """The text with other rows."""
        before = self.text[: len(self.text) - len(self.text.lstrip("\n"))]
        return before + "\n".join([*self.lines[:2], *map(line_of, rows)])


def cells(line: str) -> Row:
    """The cells of a table's line."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def line_of(row: Sequence[str]) -> str:
    """A table's line."""
    return "|" + "|".join(f" {cell} " if cell else " " for cell in row) + "|"


def blocks(text: str) -> Iterator[Block]:
    """The marked tables of a page, in order."""
    for match in _BLOCK.finditer(text):
        name, *arguments = match[2].split()
        yield Block(name, tuple(arguments), match[3])


def remade(text: str, makers: dict[str, Maker], only: Sequence[str] = ()) -> str:
    """A page with its marked tables remade; with `only` those of these makers."""

    def again(match: re.Match[str]) -> str:
        (block,) = blocks(match[0])
        if only and block.name not in only:
            return match[0]
        if block.name == SCREEN:
            return match[1] + screen(block.text) + match[4]
        rows = makers[block.name](block.rows, block.arguments)
        assert [len(row) for row in rows] == [len(row) for row in block.rows], block.name
        return match[1] + block.with_rows(rows) + match[4]

    return _BLOCK.sub(again, text)


def screen(text: str) -> str:
    """An indented command line and lines that it prints, printed anew; lines that it does not print stay."""
    from tests.bench.common import mlperf_models

    lines = text.split("\n")
    command = next(line.split("$ ")[1].split() for line in lines if line.strip().startswith("$ "))
    with tempfile.TemporaryDirectory() as folder:
        for name, path in mlperf_models().items():
            shutil.copy(path, Path(folder) / f"{name}.tflite")
        run_app = [sys.executable, "-c", "from harness.cli.app import main; main()", *command[1:]]
        environment = {**os.environ, "COLUMNS": "80", "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(run_app, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    printed: dict[str, str] = {}
    for line in done.stdout.split("\n"):
        printed.setdefault(_shape(line), line.rstrip())
    return "\n".join(f"    {printed[_shape(line)]}" if printed.get(_shape(line)) else line for line in lines)


def _shape(line: str) -> str:
    """A line without its numbers."""
    return re.sub(r"[\d.,]+", "#", " ".join(line.split()))


def differences(before: str, after: str) -> list[str]:
    """Lines that differ, as they were and as they are."""
    pairs = zip(before.split("\n"), after.split("\n"), strict=True)
    return [f"- {old}\n+ {new}" for old, new in pairs if old != new]


def run(console: Console, options: Sequence[str] = ("--check",)) -> None:
    """Remake the tables, or, as among other benchmarks, tell what would differ."""
    from tests.bench.figure_tables import MAKERS

    parser = argparse.ArgumentParser(prog="python -m tests.bench figures", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 where a cell differs")
    names = sorted([*MAKERS, SCREEN])
    parser.add_argument("--only", action="append", default=[], choices=names, help="repeatable: these alone")
    chosen = parser.parse_args(options)
    changed = 0
    for page in PAGES:
        path = Path(REPOSITORY / page)
        before = path.read_text(encoding="utf-8")
        after = remade(before, MAKERS, chosen.only)
        found = differences(before, after)
        changed += len(found)
        for line in found:
            console.print(f"{page}\n{line}", markup=False, highlight=False, soft_wrap=True)
        if found and not chosen.check:
            path.write_text(after, encoding="utf-8")
    told = "would change" if chosen.check else "changed"
    console.print(f"figures: {changed} rows of {', '.join(PAGES)} {told}" if changed else "figures: all as measured")
    if changed and chosen.check:
        raise SystemExit(1)
