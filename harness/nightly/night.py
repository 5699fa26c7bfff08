"""A night from its file to its exit code: plan, run, suspects, history, comparison, report.

Everything that is written goes into one folder, and each step can be ended by anything and made again: the journal
knows which jobs have a whole result, the history takes a night once, reports are written whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import NightError
from harness.farm.address import parse_farm
from harness.farm.overview import look
from harness.files.locks import HeldError, OwnedLock
from harness.files.reading import read_regular
from harness.files.writing import reason, write_whole, writing_hint
from harness.nightly.dispatch import Dispatcher
from harness.nightly.jobs import Batch, longest_first, plan_batches, shard_of
from harness.nightly.journal import Done, Journal
from harness.nightly.summary import markdown, night_document
from harness.nightly.suspects import RerunFinding, Suspect, again, answer_of, findings, undecided
from harness.nightly.worker import NightSettings
from harness.report.bundle import Invocation, results_document, write_bundle
from harness.report.document import Document
from harness.report.tool_versions import tool_versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.history.policy import Policy
    from harness.history.verdicts import RunComparison
    from harness.nightly.file import NightPlan

DOCUMENT, MARKDOWN, BUNDLE = "night.json", "report.md", "report"
PAGE, COMPARISON, JUNIT = "history.html", "comparison.md", "junit.xml"
_MOST_BYTES = 512 << 20
MOST_SHOWN = 300
"""Runs in the HTML report: those that failed or were errors first. The history has them all."""


@dataclass(frozen=True)
class Night:
    """What a night is run with.

    Attributes:
        plan: of farm.yaml.
        folder: for everything that is written.
        shard: (number from 1, count) of the part that is run here.
        command: as given to the operating system, for the bundle.
        progress: called with (what, done, total).
    """

    plan: NightPlan
    folder: Path
    shard: tuple[int, int]
    command: Sequence[str]
    progress: Callable[[str, int, int], None]


def run_night(night: Night) -> Document:
    """Runs a night, or goes on with it where its folder has one that was begun; the record of night.json.

    Raises:
        NightError: the folder cannot be used, is in use, or has another night.
        FarmError: the farm is not reached, or has no board of a type.
        HistoryError: the history cannot be used.
    """
    with _alone(night.folder), Journal(night.folder) as journal:
        batches = longest_first(shard_of(plan_batches(night.plan), *night.shard), expected_costs(night.folder))
        facts = journal.begin(_digest(batches, night.plan), _facts(night), batches)
        journal.give_up()  # claims of a night that was ended: its workers ended with it
        journal.check_results()
        _run(night, journal)
        jobs = _results(journal, phase=0)
        suspects = _suspects(night, journal, jobs, facts, {batch.key: batch for batch in batches})
        comparison = _into_history(night, jobs, suspects, journal, facts)
        document = night_document(facts["name"], jobs, suspects, comparison, journal)
        _write(night, document, jobs, facts)
    return document


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = OwnedLock(folder / "night.lock", 0.0)
    except HeldError as error:
        raise NightError(f"{folder}: this night is being run by {error.strerror}", hint="wait for it") from None
    except OSError as error:
        raise NightError(
            f"{folder}: {error.strerror or error}", hint="name a folder that you may write to with --folder"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _digest(batches: Sequence[Batch], plan: NightPlan) -> str:
    content = plan.content.model_dump(exclude={"workers", "policy", "history", "farm", "time_limit", "lease", "forms"})
    text = json.dumps([content, sorted(f"{batch.key} {batch.repeats}" for batch in batches)], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _facts(night: Night) -> dict[str, Any]:
    now = datetime.now(UTC)
    number, count = night.shard
    part = f"-{number}of{count}" if count > 1 else ""
    name = f"nightly-{now:%Y-%m-%d-%H%M%S}{part}"
    return {"name": name, "begun": now.isoformat(timespec="seconds"), "tools": tool_versions()}


def expected_costs(folder: Path) -> dict[str, float]:
    """Seconds of a job by its batch's key, from the last night that ended beside this one; empty where none has."""
    try:
        ended = [each / DOCUMENT for each in folder.absolute().parent.iterdir() if each != folder.absolute()]
        last = max((path for path in ended if path.is_file()), key=lambda path: path.stat().st_mtime)
        runs = json.loads(read_regular(last, _MOST_BYTES))["farm"]["runs"]
        return {str(run["job"])[:16]: min(max(float(run["seconds"]), 0.0), 1e6) for run in runs}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


# --- running ---------------------------------------------------------------------------------------------------------


def _run(night: Night, journal: Journal) -> None:
    """Runs what is pending."""
    if not journal.pending():
        return
    content = night.plan.content
    settings = NightSettings(
        farm=night.plan.farm,
        vectors=None if content.vectors is None else str(content.vectors),
        link=content.link,
        opinions=content.opinions,
        lease_s=content.lease,
        folder=str(night.plan.folder),
    )
    boards = look(parse_farm(night.plan.farm)).usable()
    dispatcher = Dispatcher(
        journal,
        settings,
        boards,
        workers=content.workers,
        time_limit_s=content.time_limit,
        progress=night.progress,
    )
    dispatcher.run()
    journal.sweep()


def _results(journal: Journal, phase: int) -> list[tuple[Done, Document]]:
    """The recorded jobs of a phase with their results, by name: the order in which they are run may differ."""
    jobs = sorted(
        (job for job in journal.done() if job.phase == phase),
        key=lambda job: (job.model, job.board, job.mode, job.runtime, job.form, job.key),
    )
    return [(job, journal.document(job.key)) for job in jobs]


def _suspects(
    night: Night,
    journal: Journal,
    jobs: Sequence[tuple[Done, Document]],
    facts: dict[str, Any],
    batches: dict[str, Batch],
) -> list[Suspect]:
    """Runs failures and regressions again on a second board, those that differ there again on the first."""
    why = {job.key: "failed" for job, _ in jobs if job.verdict == "fail"}
    for key in _regressed(night, jobs, facts):
        why.setdefault(key, "regressed")
    suspects = [job for job, _ in jobs if job.key in why]
    if not suspects:
        return []
    again(journal, batches, suspects, 1)
    _run(night, journal)

    def same(job: Done, other: Done) -> bool:
        """A failure is the same where all checks and exact figures are; a regression where it is one there as well."""
        if why[job.key] == "failed":
            return bool(answer_of(journal, job) == answer_of(journal, other))
        return bool(_regressed(night, [(other, journal.document(other.key))], facts))

    again(journal, batches, undecided(journal, suspects, same), 2)
    _run(night, journal)
    return findings(journal, suspects, why, same)


# --- history ---------------------------------------------------------------------------------------------------------


def _regressed(night: Night, jobs: Sequence[tuple[Done, Document]], facts: dict[str, Any]) -> list[str]:
    """Keys of the jobs whose figures are worse than those of the last good runs."""
    from harness.history.ingest import records_of
    from harness.history.selection import LAST_GOOD, compare_runs
    from harness.history.store import HistoryStore

    runs = records_of(_bundle(night, [document for _, document in jobs], facts)).runs
    with HistoryStore(night.plan.beside(night.plan.content.history)) as store:
        found = compare_runs(LAST_GOOD, runs, _policy(night), store, judge=False)
    worse = {each.subject for each in found.subjects if each.change.value == "regressed"}
    return [job.key for (job, _), run in zip(jobs, runs, strict=True) if run.subject in worse]


def _into_history(
    night: Night,
    jobs: Sequence[tuple[Done, Document]],
    suspects: Sequence[Suspect],
    journal: Journal,
    facts: dict[str, Any],
) -> RunComparison:
    """Adds the night to the history and compares it: an odd board's answers are replaced by the second board's."""
    from harness.history.ci import junit
    from harness.history.html.page import write_page
    from harness.history.markdown import markdown as comparison_markdown
    from harness.history.selection import LAST_GOOD, compare_named
    from harness.history.store import HistoryStore

    odd = {each.job.key for each in suspects if each.finding is RerunFinding.ODD_BOARD}
    documents = [
        journal.document(f"{job.key}-again1") if job.key in odd else document for job, document in jobs
    ]
    repeated = [each for each in suspects if each.finding in (RerunFinding.CONFIRMED, RerunFinding.FLAKY)]
    documents += [journal.document(f"{each.job.key}-again1") for each in repeated]
    policy = _policy(night)
    with HistoryStore(night.plan.beside(night.plan.content.history)) as store:
        store.add(_bundle(night, documents, facts), session=facts["name"])
        found = compare_named(LAST_GOOD, f"session:{facts['name']}", policy, store)
        with _writing(night):
            write_page(store, night.folder / PAGE, policy)
            write_whole(night.folder / COMPARISON, comparison_markdown(found))
            write_whole(night.folder / JUNIT, junit(found))
    return found


def _policy(night: Night) -> Policy:
    from harness.history.policy import Policy, load_policy

    path = night.plan.beside(night.plan.content.policy)
    return Policy() if path is None else load_policy(path)


def _bundle(night: Night, documents: Sequence[Document], facts: dict[str, Any]) -> Document:
    """All results as one document, which is the same whenever it is made."""
    made = results_document(documents, Invocation(list(night.command), facts["tools"]))
    return {**made, "created": facts["begun"]}


def _write(night: Night, document: Document, jobs: Sequence[tuple[Done, Document]], facts: dict[str, Any]) -> None:
    """Writes the reports, night.json last."""
    order = {"error": 0, "fail": 0, "pass": 1}
    shown = [found for _, found in sorted(jobs, key=lambda each: order[each[0].verdict])][:MOST_SHOWN]
    write_bundle(night.folder / BUNDLE, shown, Invocation(list(night.command), facts["tools"]))
    with _writing(night):
        write_whole(night.folder / MARKDOWN, markdown(document))
        write_whole(night.folder / DOCUMENT, json.dumps(document, indent=1, allow_nan=False) + "\n")


@contextmanager
def _writing(night: Night) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NightError(f"{night.folder}: {reason(error)}", hint=writing_hint(night.folder, error)) from error


def night_folder(root: Path) -> Path:
    """The folder of tonight: of the newest night in `root` that was begun and not ended, else a new one by the date."""
    try:
        begun = sorted(each for each in root.iterdir() if (each / "night.db").is_file())
    except OSError:
        begun = []
    if begun and not (begun[-1] / DOCUMENT).exists():
        return begun[-1]
    return root / f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}"
