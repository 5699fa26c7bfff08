"""What a search is asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from harness.compiler.goals import Mode
from harness.fit.limits import NetworkLimits

Method = Literal["auto", "supernet", "cheap"]
METHODS: tuple[Method, ...] = ("auto", "supernet", "cheap")
"""How architectures are ranked before any is trained: by what ranks better in this run, by the supernet, or without."""


@dataclass(frozen=True)
class SearchSettings:
    """A search; with the same settings and data it ends with the same network.

    Attributes:
        board: whose code and memory count.
        limits: what a network may take.
        seed: of everything that is drawn.
        method: of METHODS.
        mode: that networks are compiled with.
        widths, resolutions: of the spaces; () for the usual ones.
        samples: architectures drawn in each space.
        supernet_epochs: trainings of the supernet over `train` pictures; 0 without one.
        train: pictures of the supernet and of short trainings.
        short_epochs: of a short training.
        calibrated: architectures that are trained to tell which ranking is better.
        rounds, children: of short trainings: in each round so many members, for each of `front`.
        population, generations: of each evolution.
        finalists: the best of each of `front`, and of the family by hand, that are trained with all pictures; the best
            of each goes on.
        epochs: of these trainings.
        taught: whether those that go on are trained once more, so long, with all finalists as teachers.
        learning_rate, weight_decay: of all trainings of one network.
        front: shares of the cycles for which a network is trained in the end: of the limit, which the first, 1, is; the
            others of what the best by hand takes, where that is less.
        compare: whether the family that is scaled by hand is trained as well.
        trials: of learning rate, weight decay, width and depth by Optuna, each a short training; 0 without it.
        jobs: processes; does not change the result.
    """

    board: str
    limits: NetworkLimits = field(default_factory=NetworkLimits)
    seed: int = 0
    method: Method = "auto"
    mode: Mode = "balanced"
    widths: tuple[float, ...] = ()
    resolutions: tuple[int, ...] = ()
    samples: int = 200
    supernet_epochs: int = 1
    train: int = 18_000
    short_epochs: int = 3
    calibrated: int = 8
    rounds: int = 3
    children: int = 6
    population: int = 32
    generations: int = 12
    finalists: int = 2
    epochs: int = 8
    taught: bool = True
    learning_rate: float = 0.15
    weight_decay: float = 1e-4
    front: tuple[float, ...] = (1.0, 0.75)
    compare: bool = True
    trials: int = 0
    jobs: int = 1

    def document(self) -> dict[str, Any]:
        """JSON-ready, without what does not change the result."""
        made = asdict(self)
        del made["jobs"]
        return made

    def key(self, data: str) -> str:
        """Of these settings with the data of a digest; differs wherever the result may."""
        text = json.dumps([self.document(), data], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


EFFORTS: Mapping[str, SearchSettings] = {
    "tiny": SearchSettings(
        "", samples=16, widths=(0.5,), train=1_000, supernet_epochs=2, short_epochs=2, calibrated=4, rounds=1,
        children=2, population=8, generations=2, finalists=1, epochs=6, taught=False, front=(1.0,),
    ),
    "quick": SearchSettings("", samples=60, train=9_000, short_epochs=2, rounds=1, children=4, finalists=1, epochs=4),
    "normal": SearchSettings(""),
}  # fmt: skip
"""Settings by how much is trained: for a look at whether all works, for small data, and for results."""
