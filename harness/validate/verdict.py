"""The verdict on a run: the results of all checks that its card asks for, with figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.validate.card import Card
from harness.validate.checks import CHECKS, CheckResult, Evidence, Status
from harness.validate.differences import LayerDiff, TensorDiff
from harness.validate.metrics import measure_agreement


@dataclass(frozen=True)
class Opinion:
    """Differences of the board's outputs from a second reference; reported without effect on the verdict."""

    oracle: str
    version: str
    outputs: tuple[TensorDiff, ...]


@dataclass(frozen=True)
class Verdict:
    """The results of all checks of one model on one board.

    Attributes:
        checks: in the order of reports.
        outputs: differences by model output.
        metrics: values by metric's name, for each model output.
        layers: differences by compared layer output.
        uncompared: names of layers whose output has no counterpart in the model file.
        first_layer: the first differing layer, or None.
        confusion: confusion matrix over labelled vectors, labels by predicted classes, or None.
        accuracy: (board, reference): share of labelled vectors classified correctly, or None.
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
    """The verdict of the checks of `card` on a run; layers are compared for vectors with tensors in the reference."""
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
