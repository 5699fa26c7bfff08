"""Cascades: a small model runs each time, and wakes a large one where its answer is a trigger."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from harness.errors import OptionError
from harness.quantization.types import Array
from harness.units import Quantity


@dataclass(frozen=True)
class Stage:
    """One model of a cascade: energy of an inference, and the seconds that it takes."""

    name: str
    energy: Quantity
    seconds: float


@dataclass(frozen=True)
class Cascade:
    """A small model that wakes a large one.

    Attributes:
        small, large: the models, their energies in one unit.
        trigger_rate: share of the small model's inferences after which the large one runs.
    """

    small: Stage
    large: Stage
    trigger_rate: float

    def __post_init__(self) -> None:
        if not 0 <= self.trigger_rate <= 1:
            raise OptionError(f"a trigger rate of {self.trigger_rate} is no share", hint="from 0 to 1, such as 0.02")
        _ = self.small.energy < self.large.energy  # figures of two units are refused

    @property
    def mean(self) -> Stage:
        """Mean energy and time of an input."""
        mean = self.small.energy.value + self.trigger_rate * self.large.energy.value
        seconds = self.small.seconds + self.trigger_rate * self.large.seconds
        return Stage("cascade", Quantity(round(mean), self.small.energy.unit), seconds)

    @property
    def ratio(self) -> float:
        """The cascade's mean energy over that of the large model alone; below 1 it saves."""
        return self.mean.energy.ratio(self.large.energy)

    @property
    def break_even(self) -> float:
        """The trigger rate at which cascade and large model alone take the same; below 0 it never pays."""
        return 1 - self.small.energy.ratio(self.large.energy)


@dataclass(frozen=True)
class Triggers:
    """How often a small model's answers are triggers.

    Attributes:
        inputs, triggered: numbers of inputs, and of those whose answer is a trigger.
        missed, false: shares of inputs of a trigger class without a trigger, and of the others with one; None without
            labels, or without such inputs.
    """

    inputs: int
    triggered: int
    missed: float | None = None
    false: float | None = None

    @property
    def rate(self) -> float:
        """Share of the inputs whose answer is a trigger."""
        return self.triggered / self.inputs


def trigger_rate(
    outputs: Sequence[Array],
    wakes: Collection[int],
    *,
    threshold: float | None = None,
    scale: float = 1.0,
    zero_point: int = 0,
    labels: Sequence[int] | None = None,
) -> Triggers:
    """How often answers of a small model are triggers.

    Args:
        outputs: the small model's first output by input, integers or real numbers.
        wakes: classes that wake the large model: those whose score is the highest, or with a threshold reaches it. A
            model of one output has the class 0, and needs a threshold.
        threshold: least score of a trigger, in the output's real numbers.
        scale, zero_point: of the output, for the threshold.
        labels: class of each input.

    Raises:
        OptionError: there are no outputs, no such class, or a threshold is missing.
    """
    scores = np.array([np.asarray(output).reshape(-1) for output in outputs])
    count = scores.shape[1] if scores.ndim == 2 else 0
    if not count:
        raise OptionError("no answers of the small model", hint="give vectors with at least one input")
    wrong = [cls for cls in wakes if not 0 <= cls < count]
    if wrong or not wakes:
        raise OptionError(
            f"the small model has no class {wrong[0]}" if wrong else "no class wakes the large model",
            hint=f"--wake-on takes classes from 0 to {count - 1}",
        )
    if threshold is None and count == 1:
        raise OptionError("a model of one output needs a threshold", hint="such as --threshold 0.5")
    if threshold is None:
        hits = np.atleast_1d(np.isin(scores.argmax(axis=1), list(wakes)))
    else:
        real = (scores.astype(np.float64) - zero_point) * scale
        hits = np.atleast_1d((real[:, list(wakes)] >= threshold).any(axis=1))
    missed = false = None
    if labels is not None:
        wanted = np.isin(np.asarray(labels), list(wakes)) if count > 1 else np.asarray(labels) > 0
        missed = float(1 - hits[wanted].mean()) if wanted.any() else None
        false = float(hits[~wanted].mean()) if not wanted.all() else None
    return Triggers(len(scores), int(hits.sum()), missed, false)
