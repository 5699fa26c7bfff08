"""A comparison as Markdown: a comment of a pull request, and the summary of a CI step."""

from __future__ import annotations

import re

from harness.history.verdicts import Change, Delta, RunComparison, SubjectComparison
from harness.history.words import amount, is_bad, since, step, subject_line, summary_line, title
from harness.report.plain import one_line

MARK = "<!-- tinyhil compare -->"
"""First line of a comment, by which a later run finds its own."""

LIMIT = 60_000
"""Characters at most: GitHub takes 65,536 of a comment, GitLab a million."""

_SIGNS = {
    Change.REGRESSED: "❌", Change.ERROR: "⚠️", Change.MISSING: "➖", Change.UNSTABLE: "〰️", Change.IMPROVED: "✅",
    Change.NEW: "🆕", Change.UNCHANGED: "✔️",
}  # fmt: skip
_SHOWN = 10


def markdown(found: RunComparison, report: str = "") -> str:
    """The comment.

    Args:
        found: the comparison.
        report: address of the report over time, or "".
    """
    head = f"{_SIGNS[found.change]} tinyhil: {summary_line(found)}"
    lines = [MARK, f"### {head}", "", f"`{_code(found.cand)}` compared with `{_code(found.base)}`", ""]
    changed = [s for s in found.subjects if s.change is not Change.UNCHANGED]
    if changed:
        lines += ["| model | board | | what | base |", "|---|---|---|---|---|"]
        lines += [_subject_row(s) for s in changed]
        lines.append("")
    if len(changed) < len(found.subjects):
        lines += [f"{len(found.subjects) - len(changed):,} unchanged.", ""]
    if report:
        lines += [f"[Report over time]({report})", ""]
    parts = [_details(s) for s in changed if s.deltas]
    return _within_limit("\n".join(lines), parts)


def _within_limit(head: str, parts: list[str]) -> str:
    if len(head) > LIMIT - 1000:
        head = head[: LIMIT - 1000].rpartition("\n")[0] + "\n\nThe table is cut here; the report has all of it.\n"
    text = head
    for place, part in enumerate(parts):
        if len(text) + len(part) > LIMIT - 200:
            return f"{text}\n{len(parts) - place:,} more models and boards differ; the report has them.\n"
        text += "\n" + part
    return text.rstrip("\n") + "\n"


def _subject_row(found: SubjectComparison) -> str:
    subject = found.subject
    board = f"{subject.board} ({subject.mode})" if subject.mode not in ("", "balanced") else subject.board
    sign = f"{_SIGNS[found.change]} {found.change.value}"
    cells = (subject.model, board, sign, subject_line(found), since(found.base))
    return f"| {' | '.join(map(_text, cells))} |"


def _details(found: SubjectComparison) -> str:
    """The figures of a subject, folded."""
    rows = [_delta_row(delta) for delta in found.deltas[:_SHOWN]]
    more = len(found.deltas) - _SHOWN
    lines = [
        f"<details{' open' if is_bad(found.change) else ''}><summary>{_text(str(found.subject))}</summary>",
        "",
        "| figure | base | now | change | |",
        "|---|--:|--:|--:|---|",
        *rows,
        "",
    ]
    lines += [f"{more:,} more figures differ.", ""] if more > 0 else []
    lines += [f"Also changed: {_text('; '.join(found.causes))}", ""] if found.causes else []
    return "\n".join([*lines, "</details>", ""])


def _delta_row(delta: Delta) -> str:
    unit = delta.figure.unit
    cells = (
        title(delta.figure, delta.layer),
        amount(delta.base, unit),
        amount(delta.cand, unit),
        step(delta) or delta.note or "-",
        f"{_SIGNS[delta.change]} {delta.change.value}",
    )
    return f"| {' | '.join(map(_text, cells))} |"


def _text(text: str) -> str:
    """Text of files within a table: no markup of it is obeyed, and it stays in its cell and line."""
    safe = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#!@])", r"\\\1", safe)


def _code(text: str) -> str:
    return one_line(text).replace("`", "'")
