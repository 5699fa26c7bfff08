"""The command `tinyhil compare`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import terminal
from harness.cli.options import HistoryOption, JsonOption, PolicyOption, open_history
from harness.errors import OptionError, OutputError

if TYPE_CHECKING:
    from harness.history.bisect import Bisection
    from harness.history.verdicts import RunComparison

_SUMMARY = "GITHUB_STEP_SUMMARY"


def compare(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="[BASE] CAND",
            help="Folders with results bundles, run:N, session:NAME, git revisions, last. BASE: last-good by default.",
            show_default=False,
        ),
    ],
    history: HistoryOption = None,
    policy: PolicyOption = None,
    bisect: Annotated[
        bool, typer.Option("--bisect", help="Find the first bad revision: --bisect GOOD BAD -- COMMAND...")
    ] = False,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Write a comment for a pull request there.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one HTML file there.")] = None,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML there.")] = None,
    github: Annotated[
        bool, typer.Option("--github", help="Print annotations of GitHub, and add to the step's summary.")
    ] = False,
    gitlab_codequality: Annotated[
        Path | None, typer.Option("--gitlab-codequality", metavar="FILE", help="Write GitLab's code quality report.")
    ] = None,
    gitlab_metrics: Annotated[
        Path | None, typer.Option("--gitlab-metrics", metavar="FILE", help="Write GitLab's metrics report.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare results with earlier ones: what got slower, bigger or wrong, by figure and layer.

    Exit code 1 where something regressed, 4 where a candidate was not measured.
    """
    if bisect:
        _bisect(names, as_json)
        return
    from harness.history.policy import Policy, load_policy
    from harness.history.selection import LAST_GOOD, compare_named, is_folder

    if len(names) not in (1, 2):
        raise OptionError(f"{len(names)} names to compare", hint="tinyhil compare BASE CAND, or only CAND")
    base, cand = names if len(names) == 2 else (LAST_GOOD, names[0])
    allowed = load_policy(policy) if policy else Policy()
    needed = not (is_folder(base) and is_folder(cand))
    with open_history(history, needed=needed) as store:
        found = compare_named(base, cand, allowed, store)
    for path, text in _files(found, markdown, html, junit, gitlab_codequality, gitlab_metrics):
        _write(path, text)
    if github:
        _github(found)
    if as_json:
        from harness.history.tables import comparison_document

        terminal.print_json(comparison_document(found))
    elif not github:
        _show(found)
    raise typer.Exit(found.exit_code)


def _files(
    found: RunComparison,
    markdown: Path | None,
    html: Path | None,
    junit: Path | None,
    codequality: Path | None,
    metrics: Path | None,
) -> list[tuple[Path, str]]:
    from harness.history import ci
    from harness.history.html.page import comparison_page
    from harness.history.markdown import markdown as comment

    made = (
        (markdown, comment), (html, comparison_page), (junit, ci.junit), (codequality, ci.code_quality),
        (metrics, ci.openmetrics),
    )  # fmt: skip
    return [(path, write(found)) for path, write in made if path]


def _write(path: Path, text: str) -> None:
    from harness.files.writing import reason, write_whole, writing_hint

    try:
        write_whole(path, text.encode("utf-8", "backslashreplace").decode("utf-8"))
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {reason(error)}", hint=writing_hint(path, error)) from error


def _github(found: RunComparison) -> None:
    """Annotations on standard output, where GitHub reads them, and the comment in the step's summary."""
    from harness.history.ci import github_annotations
    from harness.history.markdown import markdown

    terminal.print_lines(*github_annotations(found))
    summary = os.environ.get(_SUMMARY)
    if summary:
        try:
            with Path(summary).open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(markdown(found))
        except OSError as error:
            raise OutputError(f"{summary}: {error.strerror}", hint=f"unset {_SUMMARY}") from error


def _show(found: RunComparison) -> None:
    from harness.history.tables import deltas_table, subjects_table
    from harness.history.verdicts import Change
    from harness.report.console import table

    changed = [s for s in found.subjects if s.change is not Change.UNCHANGED and s.deltas]
    most = 12
    terminal.show([*(table(deltas_table(s)) for s in changed[:most]), table(subjects_table(found))])


def _bisect(names: list[str], as_json: bool) -> None:
    from harness.history.bisect import bisect

    if len(names) < 3:
        raise OptionError("nothing to run", hint="tinyhil compare --bisect GOOD BAD -- COMMAND ARGUMENTS")
    good, bad, *command = names
    with terminal.progress(as_json, f"bisect {good} to {bad}") as tell:
        found = bisect(good, bad, command, output=_standard_error(), progress=tell)
    if as_json:
        terminal.print_json(_bisection(found))
        return
    for step in found.steps:
        terminal.print_lines(f"{step.revision[:12]}  {step.word:4}  exit code {step.exit_code}")
    if found.first_bad:
        terminal.print_text(f"The first bad revision is {found.first_bad}: {found.subject}")
    else:
        hidden = " ".join(found.candidates)
        terminal.print_text(f"One of these is the first bad revision; skipped ones hide it: {hidden}")


def _standard_error() -> int | None:
    """Where the command may write to: standard output is for results."""
    try:
        return sys.stderr.fileno()
    except (OSError, ValueError):
        return None


def _bisection(found: Bisection) -> dict[str, object]:
    return {
        "kind": "bisection",
        "first_bad": found.first_bad,
        "subject": found.subject,
        "candidates": list(found.candidates),
        "steps": [{"revision": s.revision, "word": s.word, "exit_code": s.exit_code} for s in found.steps],
    }
