"""Planning: which jobs there are, their order, their shards, and how long a large plan takes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.nightly.file import NightFile, NightModel, NightPlan
from harness.nightly.jobs import Batch, job_keys, longest_first, plan_batches, shard_of
from harness.nightly.night import expected_costs


def plan(models: int = 3, boards: int = 2, **more: object) -> NightPlan:
    names = tuple(f"board-{n}" for n in range(boards))
    content = NightFile(farm="host:1", models=("x",), boards=names, **more)  # type: ignore[arg-type]
    found = tuple(NightModel(f"model-{n}", Path(f"model-{n}.tflite")) for n in range(models))
    return NightPlan(content, Path("."), "host:1", found, names)


def batch(board: str, cost: float, number: int) -> Batch:
    return Batch(f"m{number}", "m", board, "own", "tinyhil", "static", 1, cost)


def test_all_combinations_each_once_and_keys_that_stay() -> None:
    found = plan_batches(plan(modes=("time", "ram"), repeats=3))
    assert len(found) == 3 * 2 * 2 and sum(each.repeats for each in found) == 36
    keys = [key for each in found for key in job_keys(each)]
    assert len(set(keys)) == 36
    assert keys == [key for each in plan_batches(plan(modes=("time", "ram"), repeats=3)) for key in job_keys(each)]


def test_the_longest_go_first_by_what_they_took_before() -> None:
    first = plan_batches(plan())
    slow = first[3]
    again = longest_first(first, {slow.key: 100.0})
    assert {each.key for each in again} == {each.key for each in first}
    assert again[0].key == slow.key
    assert [each.seconds for each in again] == sorted((each.seconds for each in again), reverse=True)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.1, 100)), max_size=40), st.integers(1, 7))
def test_shards_are_a_partition_and_about_as_long(jobs: list[tuple[str, float]], count: int) -> None:
    batches = tuple(sorted((batch(b, c, n) for n, (b, c) in enumerate(jobs)), key=lambda each: -each.seconds))
    shards = [shard_of(batches, number, count) for number in range(1, count + 1)]
    assert sorted(b.key for shard in shards for b in shard) == sorted(b.key for b in batches)
    for board in "abc":
        loads = [sum(b.seconds for b in shard if b.board == board) for shard in shards]
        longest = max((b.seconds for b in batches if b.board == board), default=0.0)
        assert max(loads) - min(loads) <= longest + 1e-6


@pytest.mark.timeout(60)
def test_a_thousand_models_on_fifty_boards_are_planned() -> None:
    large = plan(1_000, 50)
    found = plan_batches(large)
    shard_of(found, 1, 8)
    assert len(found) == 50_000


def test_what_jobs_took_is_read_from_the_last_night_beside_this_one(tmp_path: Path) -> None:
    for number, seconds in enumerate((5.0, 7.0)):
        night = tmp_path / f"night{number}"
        night.mkdir()
        runs = [{"job": f"{'a' * 16}-0", "seconds": seconds}]
        (night / "night.json").write_text(json.dumps({"farm": {"runs": runs}}))
        os.utime(night / "night.json", (number, number))
    assert expected_costs(tmp_path / "tonight") == {"a" * 16: 7.0}
    for damage in ("", "[]", "{}", '{"farm": {"runs": [1]}}', '{"farm": {"runs": [{"job": "x", "seconds": "y"}]}}'):
        (tmp_path / "night1" / "night.json").write_text(damage)
        assert expected_costs(tmp_path / "tonight") == {}
    assert expected_costs(tmp_path / "none" / "tonight") == {}
