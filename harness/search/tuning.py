"""Bayesian tuning with Optuna: learning rate, weight decay, width and depth, with the board's limits as constraints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.build.progress import Progress
from harness.errors import PackageMissingError
from harness.fit.limits import LIMITED, LimitAnswer, Limited
from harness.search.architecture import Architecture, BlockShape, scaled
from harness.search.distribution import ArchitectureCosts
from harness.search.journal import SearchJournal
from harness.search.settings import SearchSettings
from harness.search.trainings import Task, trained
from harness.training.data import TrainingData
from harness.training.plan import TrainingPlan

_WORST = 0.0
"""Accuracy that is told of a network that breaks a limit, which is not trained."""


@dataclass(frozen=True)
class TuningTrial:
    """One trial.

    Attributes:
        net: the network.
        learning_rate, weight_decay: it was trained with.
        accuracy: over the held back pictures; None where it breaks a limit.
        seconds: that it took.
    """

    net: Architecture
    learning_rate: float
    weight_decay: float
    accuracy: float | None
    seconds: float


def tuned(
    net: Architecture,
    settings: SearchSettings,
    data: TrainingData,
    costs: ArchitectureCosts,
    journal: SearchJournal,
    progress: Progress,
) -> tuple[TuningTrial, ...]:
    """Trials around a network, in order: what the sampler asks for depends on the seed and the trials before alone.

    Raises:
        PackageMissingError: Optuna is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise PackageMissingError.of("optuna", "tuning", "search") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=settings.seed, n_startup_trials=4)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    found = []
    for number in range(settings.trials):
        asked = study.ask()
        one, plan = _asked(asked, net, settings)
        answer = costs.of(one)
        for what in LIMITED:
            asked.set_constraint(what, _excess(answer, what))
        task = Task(one, plan, settings.train, journal.checkpoint(f"tune-{number}"))
        held = journal.step(f"tune-{number}", lambda task=task, answer=answer: _trained(task, data, answer))  # type: ignore[misc]
        study.tell(asked, _WORST if held["accuracy"] is None else held["accuracy"])
        found.append(TuningTrial(one, plan.learning_rate, plan.weight_decay, held["accuracy"], held["seconds"]))
        progress("tuning", number + 1, settings.trials)
    return tuple(found)


def _trained(task: Task, data: TrainingData, answer: LimitAnswer) -> dict[str, Any]:
    return {"accuracy": trained(task, data)[1] if answer.fits else None}


def _asked(asked: Any, net: Architecture, settings: SearchSettings) -> tuple[Architecture, TrainingPlan]:
    rate = asked.suggest_float("learning_rate", settings.learning_rate / 4, settings.learning_rate * 3, log=True)
    decay = asked.suggest_float("weight_decay", 1e-5, 1e-3, log=True)
    width = asked.suggest_float("width", 0.8, 1.25)
    deeper = [asked.suggest_int(f"depth of stage {i}", -1, 1) for i in range(len(net.stages))]
    plan = TrainingPlan(
        epochs=settings.short_epochs, learning_rate=rate, weight_decay=decay, seed=settings.seed
    )
    return deepened(scaled(net, width), deeper), plan


def deepened(net: Architecture, more: Sequence[int]) -> Architecture:
    """With so many more blocks in each stage, like its last one, or fewer; at least one stays."""
    stages = []
    for stage, count in zip(net.stages, more, strict=True):
        last: tuple[BlockShape, ...] = stage.blocks[-1:] * max(count, 0)
        stages.append(replace(stage, blocks=(stage.blocks[: max(len(stage.blocks) + min(count, 0), 1)] + last)))
    return replace(net, stages=tuple(stages))


def _excess(answer: LimitAnswer, what: Limited) -> float:
    """The share of a limit by which it is broken; at most 0 where it is kept."""
    limit = answer.limits.of_kind(what)
    return -1.0 if limit is None else -answer.slack(what) / limit
