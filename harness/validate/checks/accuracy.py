"""The check `accuracy`: the share of labelled vectors that the board classifies correctly."""

from __future__ import annotations

from collections.abc import Iterable

from harness.validate.card import Card
from harness.validate.checks.result import CheckResult, Status, with_advice
from harness.validate.evidence import Evidence


class AccuracyCheck:
    """See harness.validate.checks.Check."""

    def names(self, card: Card, board: str) -> tuple[str, ...]:
        """See Check."""
        return () if card.checks.accuracy is None else ("accuracy",)

    def judge(self, card: Card, evidence: Evidence) -> Iterable[CheckResult]:
        """See Check."""
        if card.checks.accuracy is not None and evidence.accuracy is not None:
            result = check_accuracy(*evidence.accuracy, card.checks.accuracy.min, len(evidence.vectors))
            yield with_advice(result, _advice(*evidence.accuracy, evidence.reference.oracle))


def _advice(board: float, reference: float, oracle: str) -> str:
    if board < reference:
        return f"{oracle} gets {reference:.2%}: mend outputs and layers first, the board computes something else"
    return (
        f"{oracle} gets {reference:.2%} as well: the board is not the cause; check the labels and how the vectors were "
        f"made from features, and quantize again with representative data"
    )


def check_accuracy(board: float, reference: float, minimum: float, vectors: int) -> CheckResult:
    """The result for shares of correctly classified vectors: the board's must be at least `minimum`."""
    passed = board >= minimum
    return CheckResult(
        "accuracy",
        Status.PASS if passed else Status.FAIL,
        f"{board:.2%} of {vectors} labelled vectors right, {'at least' if passed else 'less than'} {minimum:.2%}",
        {"accuracy": board, "reference": reference, "min": minimum, "vectors": vectors},
    )
