"""The verdict on a run: every check that its card asks for, and the figures beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.validate.card import Card
from harness.validate.checks import CHECKS, CheckResult, Evidence, Status
from harness.validate.differences import LayerDiff, TensorDiff
from harness.validate.metrics import measure_agreement


@dataclass(frozen=True)
class Opinion:
    """A second reference, reported beside the one that gates; `outputs` is the board against it."""

    oracle: str
    version: str
    outputs: tuple[TensorDiff, ...]


@dataclass(frozen=True)
class Verdict:
    """All checks of one model on one board.

    Attributes:
        outputs: per model output.
        metrics: per model output, by the metric's name.
        layers: per compared layer output.
        uncompared: names of layers whose output has no counterpart in the model file.
        first_layer: the first differing layer, or None.
        confusion: confusion matrix over labelled vectors, rows right, columns predicted, or None.
        accuracy: share of labelled vectors classified right by (board, reference), or None.
    """

    checks: tuple[CheckResult, ...]
    outputs: tuple[TensorDiff, ...]
    metrics: tuple[Mapping[str, float | None], ...]
    layers: tuple[LayerDiff, ...] = ()
    uncompared: tuple[str, ...] = ()
    first_layer: LayerDiff | None = None
    confusion: tuple[tuple[int, ...], ...] | None = None
    accuracy: tuple[float, float] | None = None

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(check.status is not Status.FAIL for check in self.checks)

    @property
    def max_lsb(self) -> int:
        """Largest difference over all outputs."""
        return max((diff.max_lsb for diff in self.outputs), default=0)


def make_verdict(card: Card, evidence: Evidence) -> Verdict:
    """All checks of `card` on what was measured; layers are compared over the vectors the reference has tensors for."""
    return Verdict(
        checks=tuple(result for check in CHECKS for result in check.judge(card, evidence)),
        outputs=evidence.outputs,
        metrics=tuple(measure_agreement(pair) for pair in evidence.pairs),
        layers=evidence.layers,
        uncompared=evidence.uncompared,
        first_layer=evidence.first_layer,
        confusion=evidence.confusion,
        accuracy=evidence.accuracy,
    )
