"""Starts the workers of a night, replaces those that die, and gives up jobs that take too long."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import FarmError
from harness.link.subprocess import Subprocess
from harness.nightly.journal import Journal
from harness.nightly.worker import NightSettings
from harness.runtimes.forms import Way

STEP_S = 0.1
ATTEMPTS = 3
"""So often a job is begun; one whose worker dies each time is reported as an error of the infrastructure."""
_SPARE_STARTS = 20  # workers that may end without having done anything, before the night ends


@dataclass
class _Running:
    """A worker that runs."""

    name: str
    board: str
    child: Subprocess


class Dispatcher:
    """Runs all pending jobs of a journal."""

    def __init__(
        self,
        journal: Journal,
        settings: NightSettings,
        boards: Mapping[str, int],
        *,
        workers: int | None,
        time_limit_s: float,
        progress: Callable[[str, int, int], None],
    ) -> None:
        """
        Args:
            journal: with the jobs.
            settings: of the workers.
            boards: type -> boards of it in the farm, at least 1.
            workers: at most so many; None for one a board.
            time_limit_s: seconds a job may take.
            progress: called with ("jobs", recorded, all).
        """
        self._journal = journal
        self._settings = settings
        self._boards = boards
        self._most = workers
        self._limit_s = time_limit_s
        self._progress = progress
        self._running: list[_Running] = []
        self._started = 0
        self._useless = 0

    def run(self) -> None:
        """Until no job is pending or running.

        Raises:
            NightError: the journal cannot be written.
            FarmError: workers end again and again without having done a job.
        """
        told = -1
        try:
            while True:
                self._collect()
                self._start()
                if not self._running:
                    break
                self._give_up_slow()
                done, total = self._journal.counts()
                if done != told:
                    told = done
                    self._progress("jobs", done, total)
                time.sleep(STEP_S)
            self._progress("jobs", *self._journal.counts())
        finally:
            for worker in self._running:
                worker.child.close()

    def _start(self) -> None:
        """A worker for each board that has something to do; types with the most to do first."""
        pending = self._journal.pending()
        room = (self._most or sum(self._boards.values())) - len(self._running)
        for board, batches in sorted(pending.items(), key=lambda each: -each[1]):
            have = sum(worker.board == board for worker in self._running)
            for _ in range(min(max(self._boards.get(board, 1), 1), have + batches) - have):
                if room <= 0:
                    return
                room -= 1
                self._running.append(self._new(board))

    def _new(self, board: str) -> _Running:
        self._started += 1
        name = f"{os.getpid()}-{time.time_ns():x}-{self._started}"
        command = [sys.executable, "-m", "harness.nightly.worker", str(self._journal.folder), name, board]
        path = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
        child = Subprocess(f"worker {self._started}", command, pipes=True, env={"PYTHONPATH": path})
        try:
            child.stdin.write(json.dumps(asdict(self._settings)).encode() + b"\n")
        except OSError:
            pass  # it has died already, which _collect sees
        return _Running(name, board, child)

    def _collect(self) -> None:
        """Makes the jobs of workers that ended pending again; a job that killed several is recorded as an error."""
        for worker in [each for each in self._running if each.child.ended()]:
            self._running.remove(worker)
            lost = self._journal.give_up(worker.name)
            if lost and max(attempts for attempts, _ in lost) >= ATTEMPTS:
                self._bury(worker)
            elif not lost and "ended with status 0" not in worker.child.fate():
                self._useless += 1
                if self._useless > _SPARE_STARTS:
                    raise FarmError(
                        f"workers for {worker.board} {worker.child.fate()} again and again",
                        hint="the details show what the last one said",
                        details=worker.child.stderr(),
                    )
            worker.child.close()

    def _bury(self, worker: _Running) -> None:
        from harness.report.document import error_document

        job = self._journal.claim_given_up(worker.board, f"{worker.name}-buried", ATTEMPTS)
        if job is None:
            return
        error = FarmError(
            f"{job.model} on {job.board}: its worker {worker.child.fate()}, {job.attempts - 1} times",
            hint="`tinyhil validate` with this model shows what it does; the details show what the worker said",
            details=worker.child.stderr(),
        )
        document = error_document(job.model, job.board, error, job.path, mode=job.mode, way=Way(job.runtime, job.form))
        self._journal.record(job, "", "error", document)

    def _give_up_slow(self) -> None:
        """Ends workers whose job takes too long: their jobs are begun anew, and counted as attempts."""
        slow = {worker for _, worker in self._journal.slow(self._limit_s)}
        for worker in self._running:
            if worker.name in slow:
                worker.child.close()
