"""The check `accuracy`: the share of labelled vectors that the board classifies correctly."""

from __future__ import annotations

from collections.abc import Iterable

from harness.validate.card import Card
from harness.validate.checks.result import CheckResult, Status
from harness.validate.evidence import Evidence


class AccuracyCheck:
    """See harness.validate.checks.Check."""

    def names(self, card: Card, board: str) -> tuple[str, ...]:
        """See Check."""
        return () if card.checks.accuracy is None else ("accuracy",)

    def judge(self, card: Card, evidence: Evidence) -> Iterable[CheckResult]:
        """See Check."""
        if card.checks.accuracy is not None and evidence.accuracy is not None:
            yield check_accuracy(*evidence.accuracy, card.checks.accuracy.min, len(evidence.vectors))


def check_accuracy(board: float, reference: float, minimum: float, vectors: int) -> CheckResult:
    """The result for shares of correctly classified vectors: the board's must be at least `minimum`."""
    passed = board >= minimum
    return CheckResult(
        "accuracy",
        Status.PASS if passed else Status.FAIL,
        f"{board:.2%} of {vectors} labelled vectors right, {'at least' if passed else 'less than'} {minimum:.2%}",
        {"accuracy": board, "reference": reference, "min": minimum, "vectors": vectors},
    )
