"""The check `outputs`: the model's outputs against the reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.runtimes import DEFAULT_RUNTIME, ProgramRuntime
from harness.validate.card import Card, Tolerance
from harness.validate.checks.result import CheckResult, Status, about_difference, allowed, how_equal, with_advice
from harness.validate.differences import TensorDiff, describe
from harness.validate.evidence import Evidence
from harness.validate.tflm_faults import known_fault


class OutputsCheck:
    """See harness.validate.checks.Check."""

    def names(self, card: Card, board: str) -> tuple[str, ...]:
        """See Check."""
        return () if card.checks.outputs is None else ("outputs",)

    def judge(self, card: Card, evidence: Evidence) -> Iterable[CheckResult]:
        """See Check."""
        if card.checks.outputs is not None:
            oracle = evidence.reference.oracle
            result = check_outputs(evidence.outputs, card.checks.outputs, len(evidence.vectors), oracle)
            yield with_advice(result, _advice(evidence))


def _advice(evidence: Evidence) -> str:
    if not isinstance(evidence.runtime, ProgramRuntime):
        return about_difference(evidence.reference.oracle, evidence.resolved.runs_on.name)
    known = known_fault(evidence.graph)
    whose = f"the fault is {evidence.runtime.name}'s" + (f", {known}" if known else "")
    return f"{whose}; --runtime {DEFAULT_RUNTIME} runs ours"


def check_outputs(outputs: Sequence[TensorDiff], tolerance: Tolerance, vectors: int, oracle: str) -> CheckResult:
    """The result for the differences of the model's outputs from the reference."""
    bad = [diff for diff in outputs if not diff.within(tolerance)]
    figures = {
        "vectors": vectors,
        "max_lsb": max((d.max_lsb for d in outputs), default=0),
        "differing": sum(d.differing for d in outputs),
        "elements": sum(d.elements for d in outputs),
        "near": sum(d.near for d in outputs),
    }
    if not bad:
        text = f"{vectors} vectors equal {oracle} {how_equal(figures['max_lsb'], figures['near'])}"
        return CheckResult("outputs", Status.PASS, text, figures)
    text = describe(bad[0], [diff.name for diff in outputs])
    return CheckResult("outputs", Status.FAIL, f"{text} (allowed: {allowed(tolerance)}, against {oracle})", figures)
