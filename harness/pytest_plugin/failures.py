"""What pytest shows of a failed test: one block for each model and board, however many of its checks failed.

The first of them carries the block: all checks, advice, the first differing layer. The others carry their own line and
point to the first; on the terminal they are shown together, in JUnit and other reports each by itself.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from harness.errors import TinyhilError
from harness.history.verdicts import RunComparison
from harness.history.words import delta_line, since
from harness.report import rows
from harness.report.document import Document
from harness.report.plain import one_line, plain
from harness.validate.checks import CheckResult
from harness.validate.outcome import Outcome

_SHOWN_DELTAS = 20
"""Figures that a failed comparison shows."""


@dataclass(frozen=True)
class CardRun:
    """The outcome of a card on a board, and its document."""

    outcome: Outcome
    document: Document


class CheckFailedError(AssertionError):
    """A check of a card failed."""

    def __init__(self, run: CardRun, check: CheckResult) -> None:
        super().__init__(one_line(f"{check.name}: {check.summary}"))
        self.run = run
        self.check = check


class RegressedError(AssertionError):
    """A run did worse than the earlier one that it was compared with."""

    def __init__(self, found: RunComparison) -> None:
        lines = [delta_line(delta) for subject in found.subjects for delta in subject.deltas]
        causes = [f"also changed: {'; '.join(s.causes)}" for s in found.subjects if s.causes]
        base = "; ".join(f"compared with {since(s.base)}" for s in found.subjects)
        super().__init__("\n".join([*lines[:_SHOWN_DELTAS], *causes, base]))


class Failures:
    """The blocks shown by a process of pytest: what is shown already, and by which test."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}

    def of_check(
        self, title: str, check: str, error: TinyhilError | CheckFailedError, report: pytest.TestReport
    ) -> None:
        """Writes the block, or a pointer to it, into the report of a card's check; `title` names card and board."""
        if isinstance(error, CheckFailedError):
            first_line, block = plain(str(error)), plain(error.run.outcome.explain())
            sections = _sections_of(error)
        else:
            block, sections = text_of(error), _line_of(error)
            first_line, _, _ = block.partition("\n")
        same = "\n".join([report.nodeid.partition("::")[0], title, block])
        by = self._shown.setdefault(same, report.nodeid)
        if by == report.nodeid:
            report.longrepr = block if isinstance(error, TinyhilError) else f"{first_line}\n{block}"
            report.sections += sections
        else:
            report.longrepr = f"{first_line}\n(the whole run: {plain(by)})"
        report.__dict__["tinyhil_block"] = {"title": title, "check": check, "same": same}

    def of_test(self, error: TinyhilError, report: pytest.TestReport) -> None:
        """Makes the report of a user's test that an error ended that of an error, not of a failure."""
        report.sections.append(("tinyhil", text_of(error)))
        report.sections += _line_of(error)
        if report.when == "call":
            report.when = "setup"  # which pytest, its JUnit file and xdist count as an error, not a failure


def text_of(error: TinyhilError) -> str:
    """An error's message, hint and details."""
    details = [plain(error.details)] if error.details else []
    return "\n".join([one_line(str(error)), *details, one_line(f"try: {error.hint}")])


def _sections_of(error: CheckFailedError) -> list[tuple[str, str]]:
    document = error.run.document
    if not document["verdict"]["first_layer"]:
        return []
    return [("first differing layer", rows.first_difference(document))]


def _line_of(error: TinyhilError, lines: int = 24) -> list[tuple[str, str]]:
    """The heading of the transcript and its last lines, for faults of the link; the bundle has all of it."""
    if not error.of_line or not error.transcript:
        return []
    head, *rest = error.transcript.splitlines()
    return [("last bytes on the line", plain("\n".join([head, *rest[-lines:]])))]


def in_short(report: Any) -> Any:
    """A report with the first line of its block."""
    if not hasattr(report, "tinyhil_block") or not isinstance(report.longrepr, str):
        return report
    short = copy.copy(report)
    short.longrepr = report.longrepr.partition("\n")[0]
    return short


def merged(reports: Sequence[Any]) -> list[Any]:
    """The reports for the terminal: those of one block as one, with the names of all its checks in the title."""
    found: list[Any] = []
    first: dict[tuple[str, str], tuple[Any, list[str]]] = {}
    for report in reports:
        block = getattr(report, "tinyhil_block", None)
        if block is None:
            found.append(report)
            continue
        key = (block["same"], report.when)
        if key not in first:
            first[key] = (copy.copy(report), [])
            found.append(first[key][0])
        shown, checks = first[key]
        if block["check"] not in checks:
            checks.append(block["check"])
        file, line, _ = shown.location
        shown.location = (file, line, one_line(f"{block['title']}: {', '.join(checks)}"))
    return found
