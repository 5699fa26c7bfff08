"""Checks of a model's task against what is right, beside `accuracy`: `auc`, `rmse` and `label_error_rate`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from harness.validate.card import AtLeast, AtMost, Card
from harness.validate.checks.result import CheckResult, Status, with_advice
from harness.validate.classification import Reals
from harness.validate.evidence import Evidence
from harness.validate.tasks import auc, label_error_rate, rmse, scores_of


@dataclass(frozen=True)
class TaskCheck:
    """See harness.validate.checks.Check.

    Attributes:
        name: the key in the card.
        what: the figure in words.
        measure: its value for the first output of all vectors, of the board or of the reference.
    """

    name: str
    what: str
    measure: Callable[[Evidence, Reals], float]

    def names(self, card: Card, board: str) -> tuple[str, ...]:
        """See Check."""
        return () if getattr(card.checks, self.name) is None else (self.name,)

    def judge(self, card: Card, evidence: Evidence) -> Iterable[CheckResult]:
        """See Check."""
        limit: AtLeast | AtMost | None = getattr(card.checks, self.name)
        if limit is not None:
            pair, oracle = evidence.pairs[0], evidence.reference.oracle
            board, reference = (self.measure(evidence, side) for side in (pair.board, pair.reference))
            result = check_task(self.name, self.what, board, limit, len(evidence.vectors))
            yield with_advice(result, _advice(board, reference, oracle))


def _advice(board: float, reference: float, oracle: str) -> str:
    if board != reference:
        return f"{oracle} gets {reference:.4g}: mend outputs and layers first, the board computes something else"
    return (
        f"{oracle} gets {reference:.4g} as well: the board is not the cause; check how the vectors were made, and "
        f"quantize again with representative data"
    )


def check_task(name: str, what: str, value: float, limit: AtLeast | AtMost, vectors: int) -> CheckResult:
    """The result for a figure that has a least or a largest value."""
    if isinstance(limit, AtLeast):
        passed, bound = value >= limit.min, f"{'at least' if value >= limit.min else 'less than'} {limit.min:.4g}"
    else:
        passed, bound = value <= limit.max, f"{'at most' if value <= limit.max else 'more than'} {limit.max:.4g}"
    return CheckResult(
        name,
        Status.PASS if passed else Status.FAIL,
        f"{what} of {vectors} vectors is {value:.4g}, {bound}",
        {name: value, "vectors": vectors, **limit.model_dump()},
    )


def _auc(evidence: Evidence, outputs: Reals) -> float:
    assert evidence.vectors.labels is not None
    return auc(scores_of(outputs, evidence.input_values), evidence.vectors.labels.astype(np.int64))


def _rmse(evidence: Evidence, outputs: Reals) -> float:
    assert evidence.vectors.targets is not None
    return rmse(outputs, evidence.vectors.targets.astype(np.float64))


def _label_error_rate(evidence: Evidence, outputs: Reals) -> float:
    assert evidence.vectors.targets is not None
    return label_error_rate(outputs, evidence.vectors.targets)


TASK_CHECKS = (
    TaskCheck("auc", "the area under the ROC curve", _auc),
    TaskCheck("rmse", "the root mean square error", _rmse),
    TaskCheck("label_error_rate", "the label error rate", _label_error_rate),
)
