"""A worker of a night: a process that leases boards of one type and runs jobs on them until none is left.

    python -m harness.nightly.worker FOLDER NAME BOARD < settings as JSON

Whatever ends it, its parent sees that it ended, and makes its job pending again.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import Category, TinyhilError
from harness.nightly.journal import Journal, NightJob
from harness.runtimes.forms import Way

if TYPE_CHECKING:
    from harness.farm.source import FarmBoards
    from harness.validate.card import Card
    from harness.validate.options import Options
    from harness.validate.workbench import Workbench


@dataclass(frozen=True)
class NightSettings:
    """What workers of a night have in common.

    Attributes:
        farm: as --farm names it.
        vectors: of all jobs; None for the cards' own.
        link: of all jobs.
        opinions: whether second references are asked.
        lease_s: seconds after which a board is offered to others, between jobs.
        folder: that relative paths are of.
    """

    farm: str
    vectors: str | None
    link: str
    opinions: bool
    lease_s: float
    folder: str


class Worker:
    """Runs jobs on boards of one type."""

    def __init__(self, journal: Journal, name: str, board: str, settings: NightSettings, source: FarmBoards) -> None:
        from harness.validate.workbench import Workbench

        self._journal = journal
        self._name = name
        self._board = board
        self._settings = settings
        self._source = source
        self._bench: Workbench = Workbench(boards=source)
        self._noted = 0  # number of the note of the lease that is held
        self._since = 0.0
        source.watch(self._taken, self._given)

    def run(self) -> None:
        """Runs jobs until none is left. Raises NightError."""
        last: int | None = None
        while (job := self._journal.claim(self._board, self._name, last)) is not None:
            last = job.batch
            if time.monotonic() - self._since > self._settings.lease_s:
                self._source.release()
            self._source.want(avoid=job.avoid, prefer=job.prefer)
            self._job = job
            verdict, document = self._result(job)
            self._journal.record(job, self._ran_on, verdict, document)

    def _taken(self, place: str) -> None:
        self._since = time.monotonic()
        self._noted = self._journal.leased(place, self._name)

    def _given(self, place: str) -> None:
        self._journal.returned(self._noted)

    def _result(self, job: NightJob) -> tuple[str, dict[str, Any]]:
        """(verdict, document) of a job."""
        from harness.report.document import error_document, run_document

        self._ran_on = ""
        try:
            card = _card(job)
            outcome = self._bench.validate(card, job.board, self._options(job), self._tell)
            document = run_document(outcome)
            verdict = "pass" if outcome.passed else "fail"
            document["image"]["file"] = None  # of the cache of this host
        except TinyhilError as error:
            way = Way(job.runtime, job.form)
            document = error_document(job.model, job.board, error, job.path, mode=job.mode, way=way)
            verdict = "error" if error.category is not Category.CHECK else "fail"
        except Exception as error:  # a mistake of tinyhil must not cost the night
            document = _unexpected(job, error)
            verdict = "error"
        document["board"]["place"] = self._ran_on
        return verdict, document

    def _tell(self, what: str, done: int, total: int) -> None:
        """Notes the board as soon as there is one."""
        lease = self._source.lease
        if lease is not None and lease.name != self._ran_on:
            self._ran_on = lease.name
            self._journal.running_place(self._job, lease.name)

    def _options(self, job: NightJob) -> Options:
        from harness.compiler.goals import parse_overrides
        from harness.nightly.file import OWN_MODE
        from harness.validate.card import parse_vectors
        from harness.validate.options import SECOND_OPINIONS, Options

        settings = self._settings
        return Options(
            link=settings.link,
            vectors=None if settings.vectors is None else parse_vectors(settings.vectors, Path(settings.folder)),
            opinions=SECOND_OPINIONS if settings.opinions else (),
            overrides=parse_overrides(None if job.mode == OWN_MODE else job.mode, None, None),
            runtime=job.runtime,
            forms=(job.form,),
        )


def _card(job: NightJob) -> Card:
    from harness.validate.card import card_of

    card = card_of(Path(job.path))
    return card if card.name == job.model else card.model_copy(update={"name": job.model})


def _unexpected(job: NightJob, error: Exception) -> dict[str, Any]:
    from harness.errors import NightError
    from harness.report.document import error_document

    told = NightError(
        f"unexpected {type(error).__name__}: {error}", hint="this is a mistake in tinyhil, please report it"
    )
    return error_document(job.model, job.board, told, job.path, mode=job.mode, way=Way(job.runtime, job.form))


def main(arguments: list[str]) -> int:
    """Entry point of the process; the status is that of an error that ended it, or 0."""
    from harness.farm.address import parse_farm
    from harness.farm.source import FarmBoards

    folder, name, board = arguments
    settings = NightSettings(**json.loads(sys.stdin.readline()))
    try:
        with Journal(Path(folder)) as journal, FarmBoards(parse_farm(settings.farm), patient=True) as source:
            Worker(journal, name, board, settings, source).run()
    except TinyhilError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.category.value
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
