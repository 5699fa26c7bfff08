"""Keeps the results of a session of tests, and compares single runs with what was kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.errors import ResultsError
from harness.history.ingest import records_of
from harness.history.policy import Policy, load_policy
from harness.history.selection import LAST_GOOD, compare_named, compare_runs
from harness.history.store import HistoryStore
from harness.history.verdicts import RunComparison
from harness.history.words import counted
from harness.report.bundle import Invocation, results_document
from harness.report.document import Document


def keep(
    path: Path,
    documents: Sequence[Document],
    invocation: Invocation,
    report: Path | None,
    base: str | None,
    policy: Path | None,
) -> str:
    """Adds the runs to a history, and notes how they did where they are compared with the last good ones.

    Args:
        path: of the history.
        documents, invocation: the results; those of the bundle in `report`, where that was written.
        base: what the results were compared with; None for nothing.
        policy: file of what may change; None for the defaults.

    Returns:
        Where they are, for people.

    Raises:
        HistoryError: they cannot be kept.
    """
    with HistoryStore(path) as store:
        try:
            added = store.add_bundle(report) if report else store.add(results_document(documents, invocation))
        except ResultsError:  # the bundle could not be written
            added = store.add(results_document(documents, invocation))
        if base == LAST_GOOD and added.runs:
            compare_named(base, f"bundle:{added.bundle}", load_policy(policy) if policy else None, store)
        return f"history: {store.path}, {counted(len(added.runs), 'run')}"


def compare_document(
    document: Document, name: str, base: str, path: Path | None, policy: Path | None
) -> RunComparison:
    """Compares one run, which is not in the history yet.

    Args:
        document: of the run.
        name: what the model is called in the history.
        base: what it is compared with, see harness.history.selection.
        path: of the history; None for the usual one.
        policy: file of what may change; None for the defaults.

    Raises:
        SelectionError: `base` stands for nothing.
        HistoryError: the history cannot be read.
    """
    (run,) = records_of(results_document([{**document, "name": name}], Invocation([], {}))).runs
    with HistoryStore(path, create=False) as store:
        chosen = load_policy(policy) if policy else Policy()
        found = compare_runs(base, [run], chosen, store, judge=False, cand_name=name)
    return RunComparison(found.base, found.cand, tuple(s for s in found.subjects if s.cand), found.fails)
