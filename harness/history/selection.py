"""What BASE and CAND of a comparison may name: bundles, runs, sessions, revisions, and the last good runs.

reports/tonight       a results bundle in a folder
run:12  or  12        a run of the store (`tinyhil history` lists them)
bundle:7              all runs of a bundle of the store
session:NAME          all runs of a nightly
rev:8f3a2b1           all runs of a git revision, the newest of each subject; also a branch or tag
last                  the newest session or bundle
last-good             of each subject of CAND the newest run before it that passed and had not regressed
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.errors import HistoryError, SelectionError
from harness.history.compare import compare
from harness.history.ingest import bundle_of
from harness.history.policy import Policy
from harness.history.reading import RecentRuns, RunReader
from harness.history.records import RunSubject, StoredRun
from harness.history.store import HistoryStore
from harness.history.verdicts import Change, RunComparison, SubjectComparison

LAST_GOOD, LAST = "last-good", "last"
_GIT_LIMIT_S = 20.0
_HINT = "`tinyhil history` lists runs, revisions and sessions; a folder with a results bundle is taken, too"


def compare_named(
    base: str, cand: str, policy: Policy | None = None, store: HistoryStore | None = None, *, judge: bool = True
) -> RunComparison:
    """Compares what two names stand for.

    Args:
        base, cand: see above.
        policy: what is allowed; None for the defaults.
        store: needed for all names but folders of bundles.
        judge: note in the store how candidates of the store did against the last good runs.

    Raises:
        SelectionError: a name stands for nothing.
        ResultsError: a bundle is damaged.
        HistoryError: the store cannot be read or written.
    """
    reader = RunReader(store) if store else None
    policy = policy or Policy()
    if cand == LAST_GOOD:
        raise SelectionError("last-good can only be BASE", hint="tinyhil compare last-good CAND")
    return compare_runs(base, select(cand, reader), policy, store, reader=reader, judge=judge, cand_name=cand)


def compare_runs(
    base: str,
    cand: Sequence[StoredRun],
    policy: Policy,
    store: HistoryStore | None,
    *,
    reader: RunReader | None = None,
    judge: bool = True,
    cand_name: str = "candidate",
) -> RunComparison:
    """Compares runs, which need not be in the store, with what a name stands for; see compare_named."""
    reader = reader or (RunReader(store) if store else None)
    if base == LAST_GOOD:
        before: Mapping[RunSubject, Sequence[StoredRun]] = _needed(reader, base).last_good(cand)
    else:
        before = by_subject(select(base, reader))

    recent = RecentRuns(store, policy.noise.window) if store else None
    found = compare(before, cand, policy, recent=recent, names=(base, cand_name))
    if store and base == LAST_GOOD and judge:
        _judge(store, found)
    return found


def by_subject(runs: Sequence[StoredRun]) -> dict[RunSubject, list[StoredRun]]:
    """The runs of each subject."""
    found: dict[RunSubject, list[StoredRun]] = {}
    for run in runs:
        found.setdefault(run.subject, []).append(run)
    return found


def select(name: str, reader: RunReader | None) -> tuple[StoredRun, ...]:
    """The runs that a name stands for.

    Raises:
        SelectionError: it stands for nothing.
        ResultsError: it is a bundle that is damaged.
        HistoryError: the store cannot be read.
    """
    kind, _, rest = name.partition(":")
    if kind in ("run", "bundle", "session", "rev") and rest:
        found = _of_store(kind, rest, _needed(reader, name))
    elif name == LAST:
        found = _needed(reader, name).last()
    elif is_folder(name):
        bundle = bundle_of(Path(name))
        told = {"tinyhil": bundle.tools.get("tinyhil", "")}
        runs = bundle.runs
        return tuple(replace(r, at=bundle.at, revision=bundle.revision, facts={**r.facts, **told}) for r in runs)
    else:
        found = _guessed(name, _needed(reader, name))
    if not found:
        raise SelectionError(f"'{name}': no such run, session, revision or folder with a bundle", hint=_HINT)
    return found


def is_folder(name: str) -> bool:
    """Whether a name is that of a folder, which then stands for the bundle in it."""
    try:
        return bool(name) and Path(name).is_dir()
    except (OSError, ValueError):  # no file can be named so
        return False


def _guessed(name: str, reader: RunReader) -> tuple[StoredRun, ...]:
    """A name without a kind: a short number is a run, other names are looked for in turn."""
    if name.isdecimal() and len(name) < 7:
        return reader.runs([int(name)])
    return reader.of_session(name) or _of_store("rev", name, reader)


def _of_store(kind: str, name: str, reader: RunReader) -> tuple[StoredRun, ...]:
    if kind in ("run", "bundle"):
        if not name.isdecimal() or len(name) > 18:
            raise SelectionError(f"'{kind}:{name}': not a number", hint=_HINT)
        return reader.runs([int(name)]) if kind == "run" else reader.of_bundle(int(name))
    if kind == "session":
        return reader.of_session(name)
    found = reader.of_revision(name) if re.fullmatch("[0-9a-f]{4,64}", name) else ()
    return found or reader.of_revision(_resolved(name))


def _resolved(name: str) -> str:
    """The hash of a branch, tag or expression such as HEAD~1, by git in the current folder; "" where there is none."""
    if name.startswith("-"):
        return ""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"],
            capture_output=True, text=True, timeout=_GIT_LIMIT_S, check=False,
        )  # fmt: skip
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _needed(reader: RunReader | None, name: str) -> RunReader:
    if reader is None:
        raise HistoryError(f"'{name}' is looked for in a history, and there is none", hint="give --history FILE")
    return reader


def _judge(store: HistoryStore, found: RunComparison) -> None:
    """Notes how candidates of the store did."""
    verdicts: dict[int, str] = {}
    bases: dict[int, int] = {}
    for subject in found.subjects:
        for run in subject.cand:
            if run.number and subject.change not in (Change.ERROR, Change.MISSING):
                verdicts[run.number] = _word(subject)
                if subject.base:
                    bases[run.number] = subject.base[-1].number
    if verdicts:
        store.judge(verdicts, bases)


def _word(subject: SubjectComparison) -> str:
    return subject.change.value
