"""A night on a farm on loopback, while its parts are killed one after the other."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from harness.farm.health import OF_BOARD
from harness.link.subprocess import Subprocess
from harness.nightly.journal import Journal
from tests.support.farm import LoopbackFarm, loopback_farm, processes_with
from tests.support.paths import FIXTURES, REPOSITORY
from tests.support.patience import PATIENCE_S
from tests.support.scale import scaled

JOBS = 60
_INFRASTRUCTURE = OF_BOARD | {"farm", "farm-lost", "farm-full", "leased"}


class Chaos(threading.Thread):
    """Kills parts of a farm when so many jobs of a night are recorded."""

    def __init__(self, farm: LoopbackFarm, folder: Path, night: int) -> None:
        super().__init__(daemon=True)
        self.farm = farm
        self.folder = folder
        self.night = night
        self.done: list[str] = []
        self.freed = False
        self.problem = ""

    def run(self) -> None:
        steps = {6: self.emulator, 14: self.exporter, 24: self.worker, 36: self.coordinator, 46: self.agent}
        try:
            with Journal(self.folder) as journal:
                for count, step in steps.items():
                    while journal.counts()[0] < count:
                        time.sleep(0.05)
                    step()
                    self.done.append(step.__name__)
        except BaseException as error:
            self.problem = repr(error)
            raise

    def emulator(self) -> None:
        """One that runs a job now."""
        while not (found := self.farm.children("bench-a", "qemu-system-arm")):
            time.sleep(0.01)
        os.kill(found[0], signal.SIGKILL)

    def exporter(self) -> None:
        for pid in self.farm.children("bench-b", "labgrid.remote.exporter"):
            os.kill(pid, signal.SIGKILL)

    def worker(self) -> None:
        """One that holds a board, whose agent must give it to others soon."""
        while True:
            held = {board.holder.partition("tinyhil-")[2]: board.name for board in self.farm.look().boards}
            pids = {pid: name for holder, name in held.items() if (pid := holder.partition("-")[0])}
            workers = [p for p in processes_with(self.night, "harness.nightly.worker") if str(p) in pids]
            if workers:
                break
            time.sleep(0.05)
        board, killed = pids[str(workers[0])], time.monotonic()
        os.kill(workers[0], signal.SIGKILL)
        mark = f"tinyhil-{workers[0]}-"
        while time.monotonic() - killed < PATIENCE_S:
            seen = next(each for each in self.farm.look().boards if each.name == board)
            if mark not in seen.holder:
                self.freed = True
                return
            time.sleep(0.1)

    def coordinator(self) -> None:
        self.farm.kill("coordinator")
        self.farm.start_coordinator()

    def agent(self) -> None:
        """The whole host of some boards, which comes back as a service manager would bring it."""
        self.farm.kill("bench-b")
        time.sleep(1.0)
        self.farm.start_agent("bench-b")


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory):
    with loopback_farm(tmp_path_factory.mktemp("farm")) as farm:
        yield farm


def night_file(farm: LoopbackFarm, folder: Path) -> Path:
    file = folder / "farm.yaml"
    file.write_text(
        f"farm: {farm.address},wait=120\n"
        f"models: [{FIXTURES}/digits.hil.yaml, {FIXTURES}/stream.hil.yaml]\n"
        "boards: [mps2-an386, mps2-an500, nucleo-h743]\n"
        "modes: [balanced, time]\n"
        "repeats: 5\nvectors: 1\nlink: uart\nlease: 4\nhistory: history.db\n",
        encoding="utf-8",
    )
    return file


@pytest.mark.skipif(scaled(True, False), reason="a part of the long suite: TINYHIL_LONG=1")
@pytest.mark.timeout(280)
def test_sixty_jobs_while_parts_of_the_farm_are_killed(farm: LoopbackFarm, tmp_path: Path) -> None:
    folder = tmp_path / "night"
    file = night_file(farm, tmp_path)
    command = [sys.executable, "-m", "harness.cli", "nightly", str(file), "--folder", str(folder)]
    night = Subprocess("the night", command, pipes=False, env={"PYTHONPATH": str(REPOSITORY)})
    try:
        while not (folder / "night.db").exists():
            assert not night.ended(), night.stderr()
            time.sleep(0.05)
        chaos = Chaos(farm, folder, night.pid)
        chaos.start()
        assert night.ended(240), night.stderr()
    finally:
        night.close()
    chaos.join(5)
    assert chaos.done == ["emulator", "exporter", "worker", "coordinator", "agent"], chaos.problem
    document = json.loads((folder / "night.json").read_text())

    # all jobs have one answer each, which is right, or an error of the infrastructure
    results = document["report"]["results"]
    assert len(results) == len({each["job"] for each in results}) == JOBS
    assert document["report"]["verdicts"]["fail"] == 0, document["report"]["problems"]
    assert {each["error"] for each in results if each["verdict"] == "error"} <= _INFRASTRUCTURE
    assert document["report"]["verdicts"]["pass"] >= JOBS - 6
    files = Counter(path.name.rpartition("-")[0] for path in (folder / "results").rglob("*.json"))
    assert set(files.values()) == {1} and len(files) == JOBS

    # each board was used, no board by two at a time
    assert {each["board"] for each in document["farm"]["boards"]} == {"a0", "a1", "a2", "b0", "b1", "b2"}
    with Journal(folder) as journal:
        leases = journal.leases()
    assert all(given is not None for *_, given in leases)
    for place in {place for place, *_ in leases}:
        spans = sorted((taken, given, worker) for name, worker, taken, given in leases if name == place)
        for (_, given, one), (taken, _, other) in zip(spans, spans[1:], strict=False):
            # that a worker died is seen and noted a little after its board is free
            assert taken >= given - 1.0, f"{place}: {one} until {given}, {other} from {taken}"

    # the dead worker's board was free in time, and at the end all are
    assert chaos.freed
    seen = farm.wait_ready(within_s=PATIENCE_S)
    assert not seen.queue
