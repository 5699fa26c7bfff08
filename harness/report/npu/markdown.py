"""A model on an NPU as Markdown, for a comment or a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from harness.report.document import Document
from harness.report.npu import comparison, sweep, tables, words
from harness.report.plain import one_line
from harness.report.table import ReportTable


def markdown(document: Document) -> str:
    """The page of a run, with its comparison if it has one, or of a sweep."""
    if document["kind"] == "npu-sweep":
        return "\n".join(_part("#", sweep.points(document), sweep.summary(document)))
    lines = list(_part("#", tables.layers(document), words.summary(document)))
    if document["npu"] is not None:
        lines += _part("##", tables.kinds(document), ())
    compared = document.get("comparison")
    if compared is not None:
        lines += _part("##", comparison.figures(compared), comparison.summary(compared))
        if compared["operators"]:
            lines += _part("##", comparison.operators(compared), ())
    return "\n".join(lines)


def _part(level: str, table: ReportTable, sentences: Iterable[str]) -> Iterator[str]:
    yield f"{level} {_cell(table.title)}"
    yield ""
    if table.rows:
        yield _row(table.columns)
        yield f"| {' | '.join('--:' if column in table.right else '---' for column in table.columns)} |"
        yield from (_row(row) for row in table.rows)
        yield ""
    for line in (*table.notes, *sentences):
        yield f"- {_cell(line)}"
    yield ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    """Text of a model or of Vela as Markdown shows it: nothing in it is markup."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", one_line(text.strip()))
