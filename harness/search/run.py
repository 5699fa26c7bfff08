"""A search from data and a board to trained networks: spaces, ranking, rounds of short trainings, final trainings."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.build.progress import Progress
from harness.errors import SearchError
from harness.fit.limits import LimitAnswer
from harness.search.architecture import Architecture, architecture_from, scaled
from harness.search.distribution import ArchitectureCosts, SpaceSample, best_space, costs_for, sampled
from harness.search.evolution import Score, members
from harness.search.journal import SearchJournal
from harness.search.modules import Supernet, sandwich
from harness.search.pictures import resized
from harness.search.predictor import Predictor
from harness.search.proposals import first, further
from harness.search.ranking import kendall
from harness.search.settings import SearchSettings
from harness.search.space import SearchSpace, hand_made, spaces_for
from harness.search.teaching import write_lessons
from harness.search.trainings import Task, accuracies, loaded
from harness.training.data import TrainingData
from harness.training.loop import seeded, to_torch, train
from harness.training.plan import TrainingPlan
from harness.training.torch_extra import torch

SCORED = 1000
"""Pictures of the held back part that members of the supernet are scored on."""

HAND = "scaled by hand"

HANDS = 3
"""Largest members of the family that is scaled by hand that are trained shortly."""

WIDTHS = tuple(share / 20 for share in range(4, 60))
"""Width multipliers of the family that is scaled by hand."""


@dataclass(frozen=True)
class Tried:
    """An architecture that was trained shortly.

    Attributes:
        net: the architecture.
        why: "calibration", "round N" or "hand".
        accuracy: over the held back pictures.
        answer: what it takes.
    """

    net: Architecture
    why: str
    accuracy: float
    answer: LimitAnswer


@dataclass(frozen=True)
class Ranking:
    """A way to rank architectures before they are trained.

    Attributes:
        name: "supernet", "MACs", "weights", "cycles", or "regression": over all short trainings, the last.
        tau: Kendall's rank correlation with short trainings; of the regression, each left out in turn.
        seconds: that it took to prepare.
    """

    name: str
    tau: float
    seconds: float


@dataclass(frozen=True)
class Final:
    """A network trained to the end.

    Attributes:
        net: the architecture.
        why: "found", "found within 75% of the cycles", HAND, or HAND with ", taught".
        name: of its files.
        accuracy: over the held back pictures.
        checkpoint: its weights.
        answer: what it takes.
    """

    net: Architecture
    why: str
    name: str
    accuracy: float
    checkpoint: Path
    answer: LimitAnswer


@dataclass(frozen=True)
class SearchRun:
    """What came of a search.

    Attributes:
        samples: of each space.
        space: that was searched.
        rankings: the best first.
        tried: short trainings, in order.
        finals: the first is what was found.
        seconds: by step.
        asked: architectures whose costs were asked for.
    """

    settings: SearchSettings
    data: TrainingData
    samples: tuple[SpaceSample, ...]
    space: SearchSpace
    rankings: tuple[Ranking, ...]
    tried: tuple[Tried, ...]
    finals: tuple[Final, ...]
    seconds: dict[str, float]
    asked: int


def search(
    settings: SearchSettings, data: TrainingData, folder: Path, *, progress: Progress | None = None
) -> SearchRun:
    """Searches for the network that fits a board; what the folder has of the same search is taken.

    Raises:
        OptionError: there is no such board.
        SearchError: no network keeps the limits.
        ResultsError: the folder holds another search, or cannot be written.
    """
    costs = costs_for(settings)
    journal = SearchJournal(folder, settings.key(data.sha256))
    return _SearchSteps(settings, data, costs, journal, progress or _silent).run()


def _silent(what: str, done: int, total: int) -> None:
    pass


class _SearchSteps:
    def __init__(
        self,
        settings: SearchSettings,
        data: TrainingData,
        costs: ArchitectureCosts,
        journal: SearchJournal,
        progress: Progress,
    ) -> None:
        self._settings, self._data, self._costs = settings, data, costs
        self._journal, self._progress = journal, progress
        self._seconds: dict[str, float] = {}
        self._tried: dict[Architecture, Tried] = {}
        self._supernet: Supernet | None = None
        self._hand: tuple[Tried, ...] = ()
        self._rate, self._decay = settings.learning_rate, settings.weight_decay

    def run(self) -> SearchRun:
        settings, data = self._settings, self._data
        spaces = spaces_for(data.shape, data.count, settings.widths, settings.resolutions)
        samples = sampled(spaces, self._costs, settings.samples, settings.seed, self._progress)
        chosen = best_space(samples)
        if chosen is None:
            raise SearchError("in no space do enough networks keep the limits", hint="give more arena, flash or cycles")
        space = chosen.space
        rankings = self._rankings(space)
        self._by_hand()
        self._rounds(space, self._score(space, rankings[0]))
        self._tune()
        finals = self._finals()
        rankings = (*rankings, self._regression_ranking())
        return SearchRun(
            settings, data, samples, space, rankings, tuple(self._tried.values()), finals, self._seconds,
            self._costs.count,
        )  # fmt: skip

    # --- ranking -----------------------------------------------------------------------------------------------------

    def _rankings(self, space: SearchSpace) -> tuple[Ranking, ...]:
        """Each way to rank, with its correlation with short trainings of some members: the best first."""
        settings = self._settings
        rng = random.Random(f"{settings.seed} calibration")
        drawn = members(space, self._costs.within(), 4 * settings.calibrated, rng)
        by_macs = sorted(drawn, key=lambda net: self._costs.of(net).needs.macs)
        step = max(len(by_macs) // max(settings.calibrated, 1), 1)
        nets = by_macs[::-1][::step][: settings.calibrated]
        reached = [one.accuracy for one in self._short("calibration", nets)]
        found = [
            Ranking(name, kendall([self._figure(name, net) for net in nets], reached), 0.0)
            for name in ("MACs", "cycles", "weights")
        ]
        if settings.method == "cheap" or settings.supernet_epochs == 0:
            return tuple(sorted(found, key=lambda one: -one.tau))
        seconds = self._train_supernet(space)
        score = self._member_score(space)
        shared = Ranking("supernet", kendall([score(net) for net in nets], reached), seconds)
        if settings.method == "supernet":
            return (shared, *found)
        return tuple(sorted([*found, shared], key=lambda one: -one.tau))

    def _figure(self, name: str, net: Architecture) -> float:
        needs = self._costs.of(net).needs
        return float({"MACs": needs.macs, "cycles": needs.cycles, "weights": needs.constants}[name])

    def _score(self, space: SearchSpace, ranking: Ranking) -> Score:
        if ranking.name == "supernet":
            return self._member_score(space)
        return lambda net: self._figure(ranking.name, net)

    def _train_supernet(self, space: SearchSpace) -> float:
        settings = self._settings
        seeded(settings.seed)
        net = Supernet(space).to(memory_format=torch.channels_last)
        plan = TrainingPlan(epochs=settings.supernet_epochs, learning_rate=0.05, seed=settings.seed)
        pictures = resized(self._data.few(settings.train), *space.size[:2])
        path = self._journal.checkpoint("supernet")
        loss = sandwich(space, settings.seed)

        def compute() -> dict[str, Any]:
            made = train(net, pictures, plan, checkpoint=path, loss_of=loss, progress=self._progress)
            return {"seconds": made.seconds}

        held = self._journal.step("supernet", compute)
        train(net, pictures, plan, checkpoint=path, loss_of=loss)  # the weights of a session before
        self._supernet = net
        self._seconds["supernet"] = held["seconds"]
        return float(held["seconds"])

    def _member_score(self, space: SearchSpace) -> Score:
        """How right members of the supernet are, each found once and kept."""
        assert self._supernet is not None
        data, net = resized(self._data.few(0, SCORED, 0), *space.size[:2]), self._supernet
        x = to_torch(data.held_x)
        known: dict[Architecture, float] = {}

        def score(member: Architecture) -> float:
            if member not in known:
                with torch.no_grad():
                    found = net(x, member).argmax(1).numpy()
                known[member] = float((found == data.held_y).mean())
            return known[member]

        return score

    # --- trainings ---------------------------------------------------------------------------------------------------

    def _short(self, why: str, nets: Sequence[Architecture]) -> list[Tried]:
        """Short trainings, those that are new; all of them, in order."""
        settings = self._settings
        new = [net for net in dict.fromkeys(nets) if net not in self._tried]
        plan = self._plan(settings.short_epochs)
        tasks = [
            Task(net, plan, settings.train, self._journal.checkpoint(f"{why}-{i}".replace(" ", "-")))
            for i, net in enumerate(new)
        ]

        def compute() -> dict[str, Any]:
            made = []
            for number, reached in enumerate(accuracies(tasks, self._data, settings.jobs)):
                made.append(reached)
                self._progress(f"{why}: short trainings", number + 1, len(tasks))
            return {"nets": [net.document() for net in new], "accuracy": made}

        held = self._journal.step(why.replace(" ", "-"), compute)
        self._seconds[why] = held["seconds"]
        for document, reached in zip(held["nets"], held["accuracy"], strict=True):
            net = architecture_from(document)
            self._tried[net] = Tried(net, why, reached, self._costs.of(net))
        return [self._tried[net] for net in nets]

    def _plan(self, epochs: int) -> TrainingPlan:
        return TrainingPlan(
            epochs=epochs, learning_rate=self._rate, weight_decay=self._decay, seed=self._settings.seed
        )

    def _by_hand(self) -> None:
        """Trains the largest of the family that is scaled by hand shortly."""
        if not self._settings.compare:
            return
        family = [scaled(hand_made(self._data.shape, self._data.count), width) for width in WIDTHS]
        allowed = self._costs.within()
        fitting = list(dict.fromkeys(net for net in family if allowed(net)))
        largest = sorted(fitting, key=lambda net: self._costs.of(net).needs.cycles)[-HANDS:]
        self._hand = tuple(sorted(self._short("hand", largest), key=lambda one: -one.accuracy))

    def _rounds(self, space: SearchSpace, score: Score) -> None:
        """For each share of the cycles: the best by rank; then what all trainings so far let one expect most of."""
        settings = self._settings
        for number in range(settings.rounds + 1):
            for share in settings.front:
                allowed, seed = self._costs.within(self._limit(share)), f"{settings.seed} {share} {number}"
                if number == 0:
                    nets = first(space, allowed, score, settings, seed)
                else:
                    expected = self._expected()
                    nets = further(space, allowed, expected, self._best_within(share, expected), settings, seed)
                self._short(f"round {number} at {share:g}", nets)

    def _limit(self, share: float) -> float | None:
        """Modelled cycles that a network of a share of the front may take."""
        limit = self._settings.limits.cycles
        if share == 1:
            return limit
        taken = [self._costs.of(one.net).needs.cycles for one in self._hand[:1]]
        least = min([*taken, *([] if limit is None else [limit])], default=None)
        return None if least is None else share * least

    def _expected(self) -> Predictor:
        """The regression over all short trainings so far."""
        tried = list(self._tried.values())
        return Predictor(
            [one.net for one in tried], [one.accuracy for one in tried], lambda net: self._costs.of(net).needs.macs
        )

    def _regression_ranking(self) -> Ranking:
        reached = [one.accuracy for one in self._tried.values()]
        return Ranking("regression", kendall(self._expected().left_out, reached), 0.0)

    def _tune(self) -> None:
        """Tunes learning rate, weight decay, width and depth of what trained best; for the final trainings."""
        settings = self._settings
        if not settings.trials:
            return
        from harness.search.tuning import tuned

        best = self._best_within(1.0, self._expected())[0]
        found = tuned(best, settings, self._data, self._costs, self._journal, self._progress)
        self._seconds["tuning"] = sum(trial.seconds for trial in found)
        right = [trial for trial in found if trial.accuracy is not None]
        first = max(right, key=lambda trial: trial.accuracy or 0.0, default=None)
        if first is not None and (first.accuracy or 0.0) > self._tried[best].accuracy:
            self._rate, self._decay = first.learning_rate, first.weight_decay
            self._tried[first.net] = Tried(first.net, "tuned", first.accuracy or 0.0, self._costs.of(first.net))

    def _best_within(self, share: float, expected: Predictor) -> list[Architecture]:
        """What was searched and keeps a share's limits, the best first.

        What noise made better than all others let one expect is taken half way back.
        """
        allowed = self._costs.within(self._limit(share))
        found = [one for one in self._tried.values() if one.why != "hand" and allowed(one.net)]
        return [one.net for one in sorted(found, key=lambda one: -one.accuracy - expected(one.net))]

    # --- final trainings ---------------------------------------------------------------------------------------------

    def _finals(self) -> tuple[Final, ...]:
        """The best of each share of the cycles, and the best of the family by hand, all trained alike.

        With teachers, what was searched is what they taught it, and the one by hand comes with and without.
        """
        settings = self._settings
        groups, expected = [], self._expected()
        for share in settings.front:
            why = f"found within {share:.0%} of the cycles" if share < 1 else "found"
            name = f"found_{share * 100:.0f}" if share < 1 else "found"
            groups.append((why, name, self._best_within(share, expected)[: settings.finalists]))
        if self._hand:
            groups.append((HAND, "by_hand", [one.net for one in self._hand[: settings.finalists]]))
        alone = self._reached("final", [net for *_, nets in groups for net in nets])
        wanted = [(why, name, max(nets, key=lambda net: alone[net][0])) for why, name, nets in groups]
        plain = [Final(net, why, name, *alone[net], self._costs.of(net)) for why, name, net in wanted]
        if not settings.taught:
            return tuple(plain)
        lessons = self._journal.checkpoint("lessons")
        write_lessons(lessons, (loaded(net, path) for net, (_, path) in alone.items()), self._data)
        after = self._reached("taught", [one.net for one in plain], lessons)
        learned = [replace(one, accuracy=after[one.net][0], checkpoint=after[one.net][1]) for one in plain]
        by_hand = [replace(one, why=f"{HAND}, taught", name="by_hand_taught") for one in learned if one.why == HAND]
        return (*(one for one in learned if one.why != HAND), *(one for one in plain if one.why == HAND), *by_hand)

    def _reached(
        self, what: str, nets: Sequence[Architecture], lessons: Path | None = None
    ) -> dict[Architecture, tuple[float, Path]]:
        """Accuracy and checkpoint of trainings with all pictures."""
        different = list(dict.fromkeys(nets))
        paths = [self._journal.checkpoint(f"{what}-{i}") for i in range(len(different))]
        plan = self._plan(self._settings.epochs)
        tasks = [Task(net, plan, None, path, lessons) for net, path in zip(different, paths, strict=True)]

        def compute() -> dict[str, Any]:
            made = []
            for number, reached in enumerate(accuracies(tasks, self._data, self._settings.jobs)):
                made.append(reached)
                self._progress(f"{what} trainings", number + 1, len(tasks))
            return {"accuracy": made}

        held = self._journal.step(what, compute)
        self._seconds[what] = held["seconds"]
        return {net: (right, path) for net, right, path in zip(different, held["accuracy"], paths, strict=True)}
