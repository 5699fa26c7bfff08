"""What a second and a third run tell of a suspect: confirmed, an odd board, flaky, or alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.nightly.jobs import Batch
from harness.nightly.journal import Done, Journal
from harness.nightly.suspects import MOST, again, answer_of, findings, undecided

BATCH = Batch("m", "m.tflite", "nucleo-h743", "own", "tinyhil", "static", 1, 1.0)


def document(outputs: str = "pass", unit: str = "cycles", time: int = 100) -> dict[str, Any]:
    return {
        "kind": "run",
        "verdict": {"checks": [{"name": "outputs", "status": outputs}, {"name": "arena", "status": "pass"}]},
        "time": {"unit": unit, "total": time},
        "memory": {"arena_planned": 10, "flash": 20},
    }


def answered(night: Journal, place: str, found: dict[str, Any] | None) -> None:
    """Runs the next job."""
    job = night.claim("nucleo-h743", "w", None)
    assert job is not None
    if found is None:
        night.record(job, "", "error", {"kind": "error"})
        return
    failed = any(check["status"] == "fail" for check in found["verdict"]["checks"])
    night.record(job, place, "fail" if failed else "pass", found)


def told(folder: Path, first: dict[str, Any], second: dict[str, Any] | None, third: dict[str, Any] | None) -> str:
    """The finding for three answers: of board a, of board b, of board a again."""
    with Journal(folder) as night:
        night.begin("digest", {}, [BATCH])
        answered(night, "a", first)
        suspects = night.done()
        batches = {BATCH.key: BATCH}
        assert again(night, batches, suspects, 1) == 1
        answered(night, "b", second)

        def same(job: Done, other: Done) -> bool:
            return bool(answer_of(night, job) == answer_of(night, other))

        if again(night, batches, undecided(night, suspects, same), 2):
            answered(night, "a", third)
        assert night.pending() == {}
        (suspect,) = findings(night, suspects, {suspects[0].key: "failed"}, same)
        assert suspect.second == ("b" if second else "")
        return suspect.finding.value


GOOD, BAD = document(), document("fail")


@pytest.mark.parametrize(
    ("first", "second", "third", "finding"),
    [
        (BAD, BAD, None, "confirmed"),
        (BAD, GOOD, BAD, "odd board"),
        (BAD, GOOD, GOOD, "flaky"),
        (BAD, GOOD, None, "flaky"),
        (BAD, None, None, "no second board"),
        (document(time=200), document(time=100), None, "confirmed"),  # cycles vary: no part of an answer
        (document(unit="instructions", time=9), document(unit="instructions", time=8), None, "flaky"),
    ],
)
def test_findings(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any] | None, third: dict[str, Any] | None, finding: str
) -> None:
    assert told(tmp_path, first, second, third) == finding


def test_the_second_run_avoids_the_first_board_and_the_third_wants_it(tmp_path: Path) -> None:
    with Journal(tmp_path) as night:
        night.begin("digest", {}, [BATCH])
        answered(night, "a", BAD)
        suspects = night.done()
        for phase, wanted in ((1, ("a", "")), (2, ("", "a"))):
            again(night, {BATCH.key: BATCH}, suspects, phase)
            again(night, {BATCH.key: BATCH}, suspects, phase)  # of a night that was cut in between: once
            job = night.claim("nucleo-h743", "w", None)
            assert job is not None and (job.avoid, job.prefer) == wanted
            night.record(job, "b", "fail", BAD)
            assert night.claim("nucleo-h743", "w", None) is None


def test_a_night_in_which_all_is_wrong_is_not_run_twice(tmp_path: Path) -> None:
    many = Batch("m", "m.tflite", "nucleo-h743", "own", "tinyhil", "static", MOST + 5, 1.0)
    with Journal(tmp_path) as night:
        night.begin("digest", {}, [many])
        for _ in range(many.repeats):
            answered(night, "a", BAD)
        assert again(night, {many.key: many}, night.done(), 1) == MOST
        assert answer_of(night, night.done()[0]) == answer_of(night, night.done()[1])
