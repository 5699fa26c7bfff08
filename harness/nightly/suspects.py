"""Suspects: failed jobs, and jobs whose figures got worse, are run again on a second board of the type.

The second run tells a finding from a flaky one: where both boards agree it is confirmed. Where they do not, a third run
on the first board decides: if it repeats its first answer the board is odd, and is to be looked at; if not, the job's
own answer changes from run to run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from harness.nightly.jobs import Batch
from harness.nightly.journal import Done, Journal

MOST = 200
"""So many suspects of a night are run again; a night with more has another trouble than a flaky board."""


class RerunFinding(StrEnum):
    """What became of a suspect."""

    CONFIRMED = "confirmed"
    ODD_BOARD = "odd board"
    FLAKY = "flaky"
    ALONE = "no second board"


@dataclass(frozen=True)
class Suspect:
    """A job that was run again.

    Attributes:
        job: as it was run first.
        why: "failed" or "regressed".
        finding: what the other runs told.
        second: the board of the second run; "" if there was none.
    """

    job: Done
    why: str
    finding: RerunFinding
    second: str


def again(journal: Journal, batches: Mapping[str, Batch], suspects: Sequence[Done], phase: int) -> int:
    """Adds the runs of a phase to the journal: 1 on another board, 2 on the first; how many."""
    for job in suspects[:MOST]:
        avoid, prefer = (job.place, "") if phase == 1 else ("", job.place)
        key = f"{job.key}-again{phase}"
        journal.add(_single(batches[job.batch]), phase, avoid, prefer, key)
    return len(suspects[:MOST])


Same = Callable[[Done, Done], bool]
"""Whether another run of a job found what the first one did."""


def undecided(journal: Journal, suspects: Sequence[Done], same: Same) -> list[Done]:
    """Suspects whose second board answered something else."""
    found = _by_key(journal)
    return [
        job
        for job in suspects[:MOST]
        if (second := found.get(f"{job.key}-again1")) is not None
        and second.verdict != "error"
        and not same(job, second)
    ]


def findings(journal: Journal, suspects: Sequence[Done], why: Mapping[str, str], same: Same) -> list[Suspect]:
    """What became of all suspects, in their order."""
    found, told = _by_key(journal), []
    for job in suspects[:MOST]:
        second, third = found.get(f"{job.key}-again1"), found.get(f"{job.key}-again2")
        if second is None or second.verdict == "error":
            finding = RerunFinding.ALONE
        elif same(job, second):
            finding = RerunFinding.CONFIRMED
        elif third is not None and third.verdict != "error" and same(job, third):
            finding = RerunFinding.ODD_BOARD
        else:
            finding = RerunFinding.FLAKY
        told.append(Suspect(job, why[job.key], finding, "" if second is None else second.place))
    return told


def answer_of(journal: Journal, job: Done) -> Any:
    """What two runs are compared by: the verdict of each check; for exact units the time as well."""
    document = journal.document(job.key)
    if document["kind"] != "run":
        return (job.verdict,)
    checks = tuple((check["name"], check["status"]) for check in document["verdict"]["checks"])
    time = document["time"]
    exact = (time["total"],) if time["unit"] == "instructions" else ()
    return (checks, exact, document["memory"]["arena_planned"], document["memory"]["flash"])


def _single(batch: Batch) -> Batch:
    return Batch(batch.model, batch.path, batch.board, batch.mode, batch.runtime, batch.form, 1, batch.cost)


def _by_key(journal: Journal) -> dict[str, Done]:
    return {job.key: job for job in journal.done()}
