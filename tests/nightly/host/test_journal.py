"""The journal: claims, results that are recorded once, and nothing that is lost when it ends in the middle."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from harness.errors import NightError
from harness.nightly.jobs import Batch, job_keys
from harness.nightly.journal import JOURNAL, Journal
from tests.support.farm import run_python


def batches(count: int = 4, repeats: int = 3, board: str = "host") -> list[Batch]:
    return [Batch(f"m{n}", f"m{n}.tflite", board, "own", "tinyhil", "static", repeats, 1.0) for n in range(count)]


def journal(folder: Path, found: list[Batch] | None = None) -> Journal:
    made = Journal(folder)
    made.begin("digest", {"name": "night"}, batches() if found is None else found)
    return made


def test_jobs_of_one_batch_stay_with_one_worker(tmp_path: Path) -> None:
    with journal(tmp_path) as night:
        last: dict[str, int | None] = {"a": None, "b": None}
        seen: dict[str, list[str]] = {"a": [], "b": []}
        while True:
            claimed = False
            for worker in ("a", "b"):
                job = night.claim("host", worker, last[worker])
                if job is not None:
                    claimed = True
                    last[worker] = job.batch
                    seen[worker].append(job.model)
                    assert night.record(job, "one", "pass", {"n": job.key})
            if not claimed:
                break
        assert seen == {"a": ["m0"] * 3 + ["m2"] * 3, "b": ["m1"] * 3 + ["m3"] * 3}
        assert night.counts() == (12, 12) and night.pending() == {}
        assert night.claim("other", "a", None) is None


def test_a_job_whose_worker_is_given_up_has_one_answer(tmp_path: Path) -> None:
    with journal(tmp_path) as night:
        first = night.claim("host", "dead", None)
        assert first is not None
        assert night.give_up("dead") == [(1, "dead")]
        second = night.claim("host", "alive", first.batch)
        assert second is not None and second.key == first.key and second.attempts == 2
        assert not night.record(first, "one", "fail", {"from": "dead"})  # it was not dead after all
        assert night.record(second, "two", "pass", {"from": "alive"})
        assert not night.record(first, "one", "fail", {"from": "dead"})
        assert night.document(second.key) == {"from": "alive"}
        assert len(list(tmp_path.rglob("*-*.json"))) == 1


def test_slow_jobs_and_jobs_that_were_given_up_too_often(tmp_path: Path) -> None:
    with journal(tmp_path) as night:
        job = night.claim("host", "w", None)
        assert job is not None and night.slow(3600) == []
        assert night.slow(-1) == [(job.key, "w")]
        night.give_up("w")
        assert night.claim_given_up("host", "buried", 2) is None
        found = night.claim_given_up("host", "buried", 1)
        assert found is not None and found.key == job.key


def test_a_night_of_other_jobs_is_refused(tmp_path: Path) -> None:
    with journal(tmp_path):
        pass
    with Journal(tmp_path) as again:
        assert again.begin("digest", {"name": "later"}, batches()) == {"name": "night"}
        assert again.counts() == (0, 12)
        with pytest.raises(NightError, match="other jobs"):
            again.begin("another", {}, batches())


def test_results_whose_file_is_gone_are_run_again(tmp_path: Path) -> None:
    with journal(tmp_path) as night:
        job = night.claim("host", "w", None)
        assert job is not None and night.record(job, "one", "pass", {})
        next(tmp_path.rglob(f"{job.key}-*.json")).unlink()
        assert night.check_results() == 1
        assert night.counts() == (0, 12)


@pytest.mark.parametrize("content", [b"no database" * 99, b""])
def test_damaged_journals_and_folders(tmp_path: Path, content: bytes) -> None:
    (tmp_path / JOURNAL).write_bytes(content)
    if content:
        with pytest.raises(NightError, match="night.db"):
            Journal(tmp_path)
    else:
        journal(tmp_path).close()  # as SQLite leaves one that it has only opened
    file = tmp_path / "file"
    file.write_text("in the way")
    with pytest.raises(NightError):
        Journal(file)


def test_a_damaged_result_is_named(tmp_path: Path) -> None:
    with journal(tmp_path) as night:
        job = night.claim("host", "w", None)
        assert job is not None and night.record(job, "one", "pass", {})
        next(tmp_path.rglob(f"{job.key}-*.json")).write_text("{")
        with pytest.raises(NightError, match=job.key):
            night.document(job.key)


WORKER = """
import os, sys, time
from pathlib import Path
from harness.nightly.journal import Journal
with Journal(Path(sys.argv[1])) as journal:
    print("ready", flush=True)
    last = None
    while (job := journal.claim("host", sys.argv[2], last)) is not None:
        last = job.batch
        place = journal.leased("one", sys.argv[2])
        journal.record(job, "one", "pass", {"job": job.key, "text": "x" * 20_000})
        journal.returned(place)
"""


def test_workers_killed_at_any_moment_lose_and_double_nothing(tmp_path: Path) -> None:
    """Two processes at a time write; each is killed at random, until all jobs are done."""
    kills = 50 if os.environ.get("TINYHIL_LONG") == "1" else 8
    found = batches(40, 10)
    keys = {key for each in found for key in job_keys(each)}
    draw = random.Random(7)
    recorded: set[str] = set()
    with journal(tmp_path, found) as night:
        for number in range(2 * kills):
            worker = f"w{number}"
            process = run_python(WORKER, str(tmp_path), worker)
            assert process.stdout is not None
            process.stdout.readline()
            if number < 2 * kills - 1:
                time.sleep(draw.random() * 0.3)
                process.send_signal(signal.SIGKILL)
            _, said = process.communicate()
            assert process.returncode in (0, -signal.SIGKILL), said
            night.give_up(worker)
            now = {job.key for job in night.done()}
            assert recorded <= now, "a recorded result was lost"
            recorded = now
            assert all(night.document(key)["job"] == key for key in draw.sample(sorted(now), min(len(now), 20)))
        assert recorded == keys
        assert night.check_results() == 0
        assert sqlite3.connect(tmp_path / JOURNAL).execute("PRAGMA integrity_check").fetchone() == ("ok",)
        night.sweep()
        names = Counter(path.name.rpartition("-")[0] for path in tmp_path.rglob("*-*.json"))
        assert set(names) == keys and set(names.values()) == {1}


def test_threads_of_several_processes_claim_each_job_once(tmp_path: Path) -> None:
    journal(tmp_path, batches(10, 10)).close()
    claimed: list[str] = []

    def work(name: str) -> None:
        with Journal(tmp_path) as own:
            while (job := own.claim("host", name, None)) is not None:
                claimed.append(job.key)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(claimed) == len(set(claimed)) == 100


def test_results_that_were_never_recorded_are_swept(tmp_path: Path) -> None:
    with journal(tmp_path) as night:
        job = night.claim("host", "w", None)
        assert job is not None and night.record(job, "one", "pass", {})
        kept = next(tmp_path.rglob("*-*.json"))
        kept.with_name(f"{job.key}-99.json").write_text("{}")
        assert night.sweep() == 1
        assert list(tmp_path.rglob("*-*.json")) == [kept]
