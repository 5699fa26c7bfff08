"""Times of a farm on loopback: leases, a night on six boards, planning, the journal, many workers at a coordinator."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from harness.farm.address import parse_farm
from harness.farm.remote import RemoteLeases
from harness.nightly.file import NightFile, NightModel, NightPlan
from harness.nightly.jobs import plan_batches, shard_of
from harness.nightly.journal import Journal
from tests.bench.common import table
from tests.support.farm import LoopbackFarm, loopback_farm
from tests.support.paths import FIXTURES, REPOSITORY

LEASES = 50
WORKERS = (1, 8, 32)
MODELS, BOARDS = 1_000, 50
CLAIMS = 300


def run(console: Console) -> None:
    """Prints all."""
    made = table("A farm on loopback: labgrid's coordinator, two benches, six boards", "what", "figure")
    with tempfile.TemporaryDirectory() as folder, loopback_farm(Path(folder)) as farm:
        for name, figure in (*_leases(farm), *_crowd(farm), *_night(farm, Path(folder))):
            made.add_row(name, figure)
    for name, figure in (*_planning(), *_journal()):
        made.add_row(name, figure)
    console.print(made)


def _leases(farm: LoopbackFarm) -> list[tuple[str, str]]:
    start = time.perf_counter()
    leases = RemoteLeases(parse_farm(farm.address))
    session = time.perf_counter() - start
    taken, given = _rounds(leases, LEASES)
    leases.close()
    return [
        ("session with the coordinator", f"{session * 1e3:.0f} ms"),
        ("lease: median, largest", f"{statistics.median(taken):.1f}, {max(taken):.1f} ms"),
        ("release: median, largest", f"{statistics.median(given):.1f}, {max(given):.1f} ms"),
    ]


def _rounds(leases: RemoteLeases, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds of leases and releases."""
    taken, given = [], []
    for _ in range(count):
        start = time.perf_counter()
        lease = leases.lease("mps2-an386", 60.0)
        middle = time.perf_counter()
        lease.release()
        taken.append((middle - start) * 1e3)
        given.append((time.perf_counter() - middle) * 1e3)
    return taken, given


def _crowd(farm: LoopbackFarm) -> list[tuple[str, str]]:
    """Leases a second while others are connected, each of whom hears of every lease."""
    rows, idle = [], []
    for workers in WORKERS:
        idle += [RemoteLeases(parse_farm(farm.address)) for _ in range(workers - 1 - len(idle))]
        leases = RemoteLeases(parse_farm(farm.address))
        taken, given = _rounds(leases, LEASES)
        both = statistics.median(a + b for a, b in zip(taken, given, strict=True))
        rows.append((f"lease and release, {workers} sessions connected", f"{both:.1f} ms"))
        leases.close()
    for each in idle:
        each.close()
    return rows


def _night(farm: LoopbackFarm, folder: Path) -> list[tuple[str, str]]:
    file = folder / "farm.yaml"
    content = {
        "farm": farm.address, "models": [str(FIXTURES / "digits.hil.yaml"), str(FIXTURES / "stream.hil.yaml")],
        "boards": ["mps2-an386", "mps2-an500", "nucleo-h743"], "modes": ["balanced", "time"], "repeats": 5,
        "link": "uart", "vectors": 1, "history": "history.db",
    }  # fmt: skip
    file.write_text(json.dumps(content))
    rows = []
    for name in ("images to be built", "images in the cache"):
        place = str(folder / name.replace(" ", "-"))
        command = [sys.executable, "-m", "harness.cli", "nightly", str(file), "--folder", place, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=True)
        farm_part = json.loads(done.stdout)["farm"]
        busy = [board["busy"] for board in farm_part["boards"]]
        rows.append((f"60 jobs on six boards, {name}", f"{farm_part['seconds']:.1f} s"))
        rows.append(("  busy: mean, least", f"{statistics.mean(busy):.0%}, {min(busy):.0%}"))
    return rows


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _planning() -> list[tuple[str, str]]:
    names = tuple(f"board-{n}" for n in range(BOARDS))
    content = NightFile(farm="host:1", models=("x",), boards=names)
    models = tuple(NightModel(f"model-{n}", Path(f"model-{n}.tflite")) for n in range(MODELS))
    plan = NightPlan(content, Path(), "host:1", models, names)
    took = _timed(lambda: shard_of(plan_batches(plan), 1, 8))
    return [(f"planning {MODELS:,} models x {BOARDS} boards in 8 shards", f"{took:.2f} s")]


def _journal() -> list[tuple[str, str]]:
    names = tuple(f"board-{n}" for n in range(BOARDS))
    content = NightFile(farm="host:1", models=("x",), boards=names)
    models = tuple(NightModel(f"model-{n}", Path(f"model-{n}.tflite")) for n in range(MODELS))
    batches = plan_batches(NightPlan(content, Path(), "host:1", models, names))
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder)) as journal:
        begun = _timed(lambda: journal.begin("digest", {}, batches))

        def work() -> None:
            with Journal(Path(folder)) as own:
                name = threading.current_thread().name
                for _ in range(CLAIMS):
                    job = own.claim(names[0], name, None)
                    assert job is not None
                    own.record(job, "one", "pass", {"text": "x" * 20_000})

        threads = [threading.Thread(target=work) for _ in range(2)]
        took = _timed(lambda: [[t.start() for t in threads], [t.join() for t in threads]])
    return [
        (f"beginning a journal of {len(batches):,} jobs", f"{begun:.2f} s"),
        ("jobs claimed and recorded, by two workers", f"{2 * CLAIMS / took:.0f} a second"),
    ]
