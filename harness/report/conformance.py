"""The results of a suite as a document, as tables for a terminal, and as files of a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import ResultsError
from harness.files.reading import check_path, read_beginning
from harness.files.writing import publish, reason, staging, write_new, writing_hint
from harness.report.document import Document
from harness.report.plain import one_line
from harness.report.table import ReportTable
from harness.validate.conformance.outcome import ModelOutcome, ModelStatus, SuiteResult

FILES = ("conformance.json", "conformance.md")
UNREADABLE = "(no model)"
_SIGNS = {"conformance.json": '"kind": "conformance"', "conformance.md": "# Conformance on "}


def document(result: SuiteResult, place: str, *, passed: bool) -> Document:
    """All models, and all operators with how many of them are what."""
    return {
        "kind": "conformance",
        "path": place,
        "board": result.board,
        "passed": passed,
        "images": result.images,
        "counts": {status.value: result.count(status) for status in ModelStatus},
        "operators": [
            {
                "op": name,
                "models": len(found),
                **{status.value: sum(one.status is status for one in found) for status in ModelStatus},
                "refusals": _reasons(found, ModelStatus.REFUSED),
            }
            for name, found in _by_operator(result.outcomes)
        ],
        "models": [
            {
                "name": one.name,
                "operators": list(one.operators),
                "concerned": list(one.concerned),
                "status": one.status.value,
                "reason": one.reason,
                "reference": one.reference,
                "vectors": one.vectors,
            }
            for one in result.outcomes
        ],
    }


def _by_operator(outcomes: Sequence[ModelOutcome]) -> Iterator[tuple[str, list[ModelOutcome]]]:
    """(operator, the models that count for it), by name; models that cannot be read come last."""
    found: dict[str, list[ModelOutcome]] = {}
    for one in outcomes:
        good = one.status in (ModelStatus.EXACT, ModelStatus.WITHIN)
        for name in (one.operators if good else one.concerned) or (UNREADABLE,):
            found.setdefault(name, []).append(one)
    return iter(sorted(found.items(), key=lambda item: (item[0] == UNREADABLE, item[0])))


def _reasons(outcomes: Sequence[ModelOutcome], status: ModelStatus) -> list[str]:
    return list(dict.fromkeys(one.reason for one in outcomes if one.status is status))


def operators(content: Document) -> ReportTable:
    """A line for each operator."""
    statuses = [status.value for status in ModelStatus]
    rows = tuple(
        (one["op"], str(one["models"]), *(str(one[status] or "") for status in statuses), "; ".join(one["refusals"]))
        for one in content["operators"]
    )
    columns = ("operator", "models", *statuses, "refused because")
    right = frozenset({"models", *statuses})
    title = f"Operators on {content['board']}"
    return ReportTable(title, columns, rows, right, prose=frozenset({"refused because"}), drop=("refused because",))


def models(content: Document) -> ReportTable:
    """A line for each model that is not exact."""
    rows = tuple(
        (one["name"], one["status"], ", ".join(one["concerned"]), one["reason"])
        for one in content["models"]
        if one["status"] != ModelStatus.EXACT.value
    )
    columns = ("model", "status", "operators", "reason")
    return ReportTable("Models that are not exact", columns, rows, prose=frozenset({"reason"}), drop=("operators",))


def summary(content: Document) -> str:
    """How many models are what, in one sentence."""
    counts = ", ".join(f"{count} {status}" for status, count in content["counts"].items() if count)
    against = ", ".join(dict.fromkeys(one["reference"] for one in content["models"] if one["reference"]))
    compared = f", against {against}" if against else ""
    verdict = "passed" if content["passed"] else "failed"
    return f"{verdict}: {len(content['models'])} models on {content['board']}{compared}: {counts}"


def check_folder(folder: Path) -> None:
    """Checks before a long run that the files can be written; writes nothing.

    Raises:
        ResultsError: the folder is none, or files of others have their names.
    """
    try:
        check_path(folder)
        if folder.exists() and not folder.is_dir():
            raise ResultsError(f"{folder}: a file, not a folder", hint="give --report a folder")
        for name in FILES:
            path = folder / name
            if path.exists() and _SIGNS[name] not in read_beginning(path, 1000).decode("utf-8", "replace"):
                raise ResultsError(
                    f"{path}: not of a conformance report, and not overwritten", hint="give --report another folder"
                )
    except OSError as error:
        raise ResultsError(f"{folder}: {reason(error)}", hint=writing_hint(folder, error)) from None


def write(folder: Path, content: Document) -> tuple[Path, ...]:
    """Writes conformance.json and conformance.md; returns their paths.

    Raises:
        ResultsError: they cannot be written.
    """
    check_folder(folder)
    texts = (json.dumps(content, indent=1, allow_nan=False) + "\n", _markdown(content))
    try:
        with staging(folder) as staged:
            for name, text in zip(FILES, texts, strict=True):
                write_new(staged / name, text, errors="backslashreplace")
            publish(staged, folder, FILES)
    except OSError as error:
        hint = writing_hint(folder, error)
        raise ResultsError(f"{folder}: cannot write the report: {reason(error)}", hint=hint) from error
    return tuple(folder / name for name in FILES)


def _markdown(content: Document) -> str:
    lines = [f"# Conformance on {content['board']}", "", _cell(summary(content)), ""]
    for table in (operators(content), models(content)):
        if table.rows:
            lines += [f"## {_cell(table.title)}", ""]
            lines += [_row(table.columns), _row(["---"] * len(table.columns)), *map(_row, table.rows), ""]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return one_line(text).replace("|", "\\|").replace("<", "&lt;")
