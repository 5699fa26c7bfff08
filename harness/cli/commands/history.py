"""The command `tinyhil history`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import terminal
from harness.cli.options import HistoryOption, JsonOption, PolicyOption, open_history
from harness.errors import OutputError, SelectionError

if TYPE_CHECKING:
    from harness.history.store import HistoryStore


def history(
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="Show its runs with their trends.", show_default=False)
    ] = None,
    history: HistoryOption = None,
    board: Annotated[str | None, typer.Option("--board", "-b", metavar="BOARD", help="Only runs on it.")] = None,
    session: Annotated[str | None, typer.Option("--session", metavar="NAME", help="Only runs of this nightly.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="Runs to show at most.")] = 30,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Write the report over time there, one HTML file.")
    ] = None,
    policy: PolicyOption = None,
    accept: Annotated[
        list[int] | None,
        typer.Option("--accept", metavar="RUN", help="Take a regressed run as good from now on. Repeatable."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the runs that were kept, the newest first; of one model with what changed from run to run."""
    with open_history(history, needed=True) as store:
        assert store is not None
        if accept:
            _accept(store, accept)
        if report:
            _report(store, report, policy)
        if (accept or report) and not as_json:
            return
        _list(store, model, board, session, limit, as_json)


def _accept(store: HistoryStore, runs: list[int]) -> None:
    from harness.history.reading import RunReader

    known = {run.number for run in RunReader(store).runs(runs)}
    missing = [str(run) for run in runs if run not in known]
    if missing:
        raise SelectionError(f"no run {', '.join(missing)} in the history", hint="`tinyhil history` lists runs")
    store.judge(dict.fromkeys(runs, "accepted"))
    terminal.say(f"accepted: {', '.join(map(str, runs))}")


def _report(store: HistoryStore, path: Path, policy: Path | None) -> None:
    from harness.files.writing import reason, writing_hint
    from harness.history.html.page import write_page
    from harness.history.policy import load_policy

    allowed = load_policy(policy) if policy else None
    try:
        with terminal.progress(False, f"report over time in {path}"):
            write_page(store, path, allowed)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {reason(error)}", hint=writing_hint(path, error)) from error
    terminal.say(f"Report: {path}")


def _list(
    store: HistoryStore, model: str | None, board: str | None, session: str | None, limit: int, as_json: bool
) -> None:
    from harness.history.reading import RunReader
    from harness.history.tables import run_row, runs_table, trend_table
    from harness.history.words import counted

    reader = RunReader(store)
    runs = reader.newest(limit, model=model, board=board, session=session)
    if not runs and (model or board or session):
        raise SelectionError("no such run in the history", hint="`tinyhil history` lists all runs")
    if as_json:
        content = {"kind": "history", "file": str(store.path), "runs": [run_row(run) for run in reversed(runs)]}
        terminal.print_json(content)
        return
    total = reader.count()
    shown = f"{len(runs):,} of {total:,} runs" if total > len(runs) else counted(total, "run")
    made = runs_table if model is None else trend_table
    terminal.show_table(made(runs, f"{store.path}: {shown}"))
