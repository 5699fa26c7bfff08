"""The check `memory`: the model writes nothing behind its arena, and reads only bytes that it wrote."""

from __future__ import annotations

from collections.abc import Iterable

from harness.validate.card import Card
from harness.validate.checks.result import CheckResult, Status, with_advice
from harness.validate.evidence import Evidence


class MemoryCheck:
    """See harness.validate.checks.Check."""

    def names(self, card: Card, board: str) -> tuple[str, ...]:
        """See Check; it is always made."""
        return ("memory",)

    def judge(self, card: Card, evidence: Evidence) -> Iterable[CheckResult]:
        """See Check."""
        if not evidence.runtime.measures.arena_bytes:
            why = f"not measured here: runtime {evidence.runtime.name} does not show its arena byte by byte"
            yield CheckResult("memory", Status.NOT_MEASURED, why)
            return
        measured = evidence.measurement
        advice = "no generated code may do this: report it with the model and the image, which --report keeps"
        yield with_advice(check_memory(measured.arena_overrun, measured.reads_unwritten), advice)


def check_memory(overrun: int, reads_unwritten: bool) -> CheckResult:
    """The result for `overrun` bytes written behind the arena, and whether outputs depend on earlier contents."""
    figures: dict[str, float | int | str] = {"overrun": overrun, "reads_unwritten": int(reads_unwritten)}
    if overrun:
        return CheckResult("memory", Status.FAIL, f"{overrun:,} bytes written behind the arena's end", figures)
    if reads_unwritten:
        text = "outputs change with what lay in the arena before: bytes are read that were never written"
        return CheckResult("memory", Status.FAIL, text, figures)
    return CheckResult("memory", Status.PASS, "keeps to its arena, reads only what it wrote", figures)
