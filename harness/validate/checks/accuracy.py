"""The check `accuracy`: the share of labelled vectors that the board classifies correctly."""

from __future__ import annotations

from collections.abc import Iterable

from harness.validate.card import Card
from harness.validate.checks.result import CheckResult, Status, with_advice
from harness.validate.evidence import Evidence
from harness.validate.float_model import FloatModel

DROP = "accuracy_drop"


class AccuracyCheck:
    """See harness.validate.checks.Check."""

    def names(self, card: Card, board: str) -> tuple[str, ...]:
        """See Check."""
        bounds = card.checks.accuracy
        if bounds is None:
            return ()
        return tuple(name for name, bound in (("accuracy", bounds.min), (DROP, bounds.drop_max)) if bound is not None)

    def judge(self, card: Card, evidence: Evidence) -> Iterable[CheckResult]:
        """See Check."""
        bounds = card.checks.accuracy
        if bounds is None or evidence.accuracy is None:
            return
        if bounds.min is not None:
            result = check_accuracy(*evidence.accuracy, bounds.min, len(evidence.vectors))
            yield with_advice(result, _advice(*evidence.accuracy, evidence.reference.oracle))
        if bounds.drop_max is not None:
            result = check_drop(evidence.accuracy[0], evidence.float_model, bounds.drop_max, len(evidence.vectors))
            yield with_advice(result, _drop_advice(*evidence.accuracy, evidence.reference.oracle))


def _drop_advice(board: float, reference: float, oracle: str) -> str:
    if board < reference:
        return _advice(board, reference, oracle)
    return (
        f"{oracle} loses as much: quantizing does; `tinyhil quantize --layers` tries other schemes and shows which "
        f"layer hurts"
    )


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


def check_drop(board: float, float_model: FloatModel | None, most: float, vectors: int) -> CheckResult:
    """The result for what accuracy loses against the float model: `most` at most, as a share of all vectors."""
    if float_model is None or float_model.accuracy is None:
        why = "no float model" if float_model is None else float_model.oracle
        return CheckResult(DROP, Status.NOT_MEASURED, f"the float model's accuracy is not known: {why}")
    drop = float_model.accuracy - board
    passed = drop <= most
    return CheckResult(
        DROP,
        Status.PASS if passed else Status.FAIL,
        f"{board:.2%} of {vectors} labelled vectors right, {float_model.accuracy:.2%} by the float model: a drop of "
        f"{drop:.2%}, {'at most' if passed else 'more than'} {most:.2%}",
        {"accuracy": board, "float_accuracy": float_model.accuracy, "drop": drop, "max": most, "vectors": vectors},
    )
