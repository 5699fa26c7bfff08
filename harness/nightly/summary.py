"""The outcome of a night as one record, from which its exit code, night.json and report.md are made.

`report` holds only what the results say, so that a night that was interrupted ends with the same one; what depends on
the farm and its clock (boards, seconds, attempts) is under `farm`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.errors import Category
from harness.nightly.suspects import RerunFinding, Suspect
from harness.report.document import Document
from harness.report.plain import one_line
from harness.runtimes.forms import DEFAULT_FORM

if TYPE_CHECKING:
    from harness.history.verdicts import RunComparison
    from harness.nightly.journal import Done, Journal

SCHEMA, VERSION = "tinyhil.night", 1
_LISTED = 200


def night_document(
    name: str,
    jobs: Sequence[tuple[Done, Document]],
    suspects: Sequence[Suspect],
    comparison: RunComparison,
    journal: Journal,
) -> Document:
    """The record of a night that is done.

    Args:
        name: of the night.
        jobs: of farm.yaml, each with its result.
        suspects: that were run again.
        comparison: with the last good night.
        journal: with all runs.
    """
    verdicts = Counter(job.verdict for job, _ in jobs)
    report = {
        "jobs": len(jobs),
        "verdicts": {word: verdicts[word] for word in ("pass", "fail", "error")},
        "changes": dict(Counter(subject.change.value for subject in comparison.subjects)),
        "problems": [_problem(job, document) for job, document in jobs if job.verdict != "pass"],
        "changed": [_changed(subject) for subject in comparison.subjects if subject.change.value not in _QUIET],
        "suspects": [
            {"job": each.job.key, "subject": _subject(each.job), "why": each.why, "finding": each.finding.value}
            for each in suspects
        ],
        "results": [_figures(job, document) for job, document in jobs],
    }
    code = exit_code(jobs, suspects, comparison)
    return {
        "schema": SCHEMA, "version": VERSION, "name": name, "exit_code": code, "report": report, "farm": _farm(journal),
    }  # fmt: skip


_QUIET = ("unchanged",)


def exit_code(jobs: Sequence[tuple[Done, Document]], suspects: Sequence[Suspect], comparison: RunComparison) -> int:
    """0, 1 for failures and regressions that are not one odd board's, 4 for what could not be measured or is odd."""
    found = {each.job.key: each.finding for each in suspects}
    odd = any(finding is RerunFinding.ODD_BOARD for finding in found.values())
    failed = any(job.verdict == "fail" and found.get(job.key) is not RerunFinding.ODD_BOARD for job, _ in jobs)
    errors = any(job.verdict == "error" for job, _ in jobs)
    return max(
        Category.CHECK.value if failed else 0,
        Category.INFRASTRUCTURE.value if errors or odd else 0,
        int(comparison.exit_code),
    )


def markdown(document: Document) -> str:
    """report.md: the night in words and tables, for a person or a comment."""
    report, farm = document["report"], document["farm"]
    verdicts = ", ".join(f"{count} {word}" for word, count in report["verdicts"].items() if count)
    changes = ", ".join(f"{count} {word}" for word, count in report["changes"].items()) or "nothing to compare with"
    told = f"{report['jobs']} jobs: {verdicts}. Against the last good runs: {changes}."
    lines = [f"# {_cell(document['name'])}", "", told]
    lines += _table("Problems", ("job", "what"), [(each["subject"], each["what"]) for each in report["problems"]])
    lines += _table("Changes", ("subject", "change", "why"), [tuple(each.values()) for each in report["changed"]])
    rows = [(each["subject"], each["why"], each["finding"]) for each in report["suspects"]]
    lines += _table("Run again on a second board", ("job", "why", "finding"), rows)
    lines += _table(
        "Boards",
        ("board", "jobs", "busy"),
        [(each["board"], str(each["jobs"]), f"{each['busy']:.0%}") for each in farm["boards"]],
    )
    return "\n".join(lines) + "\n"


def _table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    lines = ["", f"## {title}", "", "| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows[:_LISTED]]
    return [*lines, f"\n{len(rows) - _LISTED} more"] if len(rows) > _LISTED else lines


def _cell(text: Any) -> str:
    """Text of a model or board in Markdown: one line, without characters that mean something there."""
    return "".join(f"\\{each}" if each in "\\`*_{}[]<>|#" else each for each in one_line(str(text)))


def _subject(job: Done) -> str:
    form = "" if job.form == DEFAULT_FORM else f", {job.form}"
    return f"{job.model} on {job.board} ({job.mode}, {job.runtime}{form})"


def _problem(job: Done, document: Document) -> dict[str, str]:
    if document["kind"] == "error":
        what = f"{document['error']['message']} [{document['error']['code']}]"
    else:
        what = "; ".join(f"{c['name']}: {c['summary']}" for c in document["verdict"]["checks"] if c["status"] == "fail")
    return {"job": job.key, "subject": _subject(job), "verdict": job.verdict, "what": what}


def _changed(subject: Any) -> dict[str, str]:
    return {"subject": str(subject.subject), "change": subject.change.value, "why": subject.why}


def _figures(job: Done, document: Document) -> dict[str, Any]:
    figures = {"job": job.key, "subject": _subject(job), "verdict": job.verdict}
    if document["kind"] != "run":
        return {**figures, "error": document["error"]["code"]}
    memory, time = document["memory"], document["time"]
    told = {"time": time["total"], "unit": time["unit"], "arena": memory["arena_planned"], "flash": memory["flash"]}
    return {**figures, **told, "stack": memory["stack_measured"]}


def _farm(journal: Journal) -> dict[str, Any]:
    """Boards with their jobs, and how busy each was: of the time in which there were jobs for its type."""
    spans = journal.spans()
    begin = min((start for _, _, start, _ in spans), default=0.0)
    types = {place: board for place, board, _, _ in spans}
    ends = {board: max(end for _, each, _, end in spans if each == board) for board in set(types.values())}
    boards = [
        {
            "board": place,
            "type": board,
            "jobs": sum(each == place for each, _, _, _ in spans),
            "busy": sum(end - start for each, _, start, end in spans if each == place) / max(ends[board] - begin, 1e-9),
        }
        for place, board in sorted(types.items())
    ]
    done = journal.done()
    runs = [{"job": job.key, "board": job.place, "attempts": job.attempts, "seconds": job.seconds} for job in done]
    return {
        "seconds": max(ends.values(), default=begin) - begin,
        "boards": boards,
        "leases": len(journal.leases()),
        "again": sum(job.attempts - 1 for job in done),
        "runs": runs,
    }
