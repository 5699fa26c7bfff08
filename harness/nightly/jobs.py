"""The jobs of a night: which there are, which share an image, in which order they are run, and by which shard.

Jobs that share an image are a batch: it is built once, loaded into one board's cache once, and stays there. Batches go
longest first, which keeps the last boards of a night from waiting for one long model (Graham's rule: at most 4/3 of
the best time).
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.runtimes.forms import DEFAULT_FORM

if TYPE_CHECKING:
    from harness.nightly.file import NightPlan


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs that share an image; `repeats` of them.

    Attributes:
        model: name of the model.
        path: of its card or file.
        board, mode, runtime, form: what it is run on and how.
        repeats: number of jobs.
        cost: expected seconds of one job.
    """

    model: str
    path: str
    board: str
    mode: str
    runtime: str
    form: str
    repeats: int
    cost: float

    @property
    def key(self) -> str:
        """A name that stays the same from night to night."""
        form = () if self.form == DEFAULT_FORM else (self.form,)
        text = "\0".join((self.model, self.board, self.mode, self.runtime, *form))
        return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]

    @property
    def seconds(self) -> float:
        """Expected seconds of all its jobs."""
        return self.cost * self.repeats


def plan_batches(plan: NightPlan) -> tuple[Batch, ...]:
    """All batches of a night, longest first, as the sizes of the models tell."""
    content = plan.content
    costs = {model.name: 1.0 + _size(model.path) / 1e6 for model in plan.models}
    found = [
        Batch(model.name, str(model.path), board, mode, way.runtime, way.form, content.repeats, costs[model.name])
        for model in plan.models
        for board in plan.boards
        for mode in content.modes
        for way in plan.ways(model)
    ]
    return tuple(sorted(found, key=lambda batch: -batch.seconds))


def longest_first(batches: tuple[Batch, ...], expected: Mapping[str, float]) -> tuple[Batch, ...]:
    """The same batches in another order.

    Args:
        batches: of a shard: shards are made from sizes alone, so that all hosts make the same ones.
        expected: seconds of a job by Batch.key, from an earlier night; the others keep what their size tells.
    """
    costed = (replace(batch, cost=expected.get(batch.key, batch.cost)) for batch in batches)
    return tuple(sorted(costed, key=lambda batch: -batch.seconds))


def shard_of(batches: tuple[Batch, ...], number: int, count: int) -> tuple[Batch, ...]:
    """The batches of shard `number` (from 1) of `count`, about as long as each other shard's.

    The batches of one type of board are spread over the shards each on their own, so that a lab with one board of a
    type and ten of another is used alike by all shards.
    """
    mine: list[Batch] = []
    for board in dict.fromkeys(batch.board for batch in batches):
        loads = [(0.0, index) for index in range(count)]
        for batch in (each for each in batches if each.board == board):
            load, index = heapq.heappop(loads)
            heapq.heappush(loads, (load + batch.seconds, index))
            if index == number - 1:
                mine.append(batch)
    return tuple(sorted(mine, key=lambda batch: -batch.seconds))


def job_keys(batch: Batch) -> Iterator[str]:
    """A key for each job of a batch."""
    return (f"{batch.key}-{repeat}" for repeat in range(batch.repeats))


def _size(path: object) -> int:
    from pathlib import Path

    try:
        return Path(str(path)).stat().st_size
    except OSError:
        return 0
