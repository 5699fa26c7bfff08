"""The check `addresses`: a model that can be moved gives the same bytes at every address."""

from __future__ import annotations

from collections.abc import Iterable

from harness.runtimes.forms import FORMS
from harness.validate.card import Card
from harness.validate.checks.result import CheckResult, Status
from harness.validate.evidence import Evidence
from harness.validate.places import differs


class PlacesCheck:
    """See harness.validate.checks.Check."""

    def names(self, card: Card, board: str) -> tuple[str, ...]:
        """See Check."""
        return ("addresses",) if FORMS.get(card.form[0]).movable else ()

    def judge(self, card: Card, evidence: Evidence) -> Iterable[CheckResult]:
        """See Check."""
        if not self.names(card, ""):
            return
        first, others = evidence.places[0], evidence.places[1:]
        figures = {"addresses": len(evidence.places)}
        wrong = [(run.name, found) for run in others if (found := differs(first.measurement, run.measurement))]
        if wrong:
            told = "; ".join(f"{name}: {found}" for name, found in wrong)
            text = f"not the bytes of {first.name}: {told}"
            yield CheckResult("addresses", Status.FAIL, text, figures, advice="run it again with --link uart")
            return
        names = ", ".join(run.name for run in evidence.places)
        yield CheckResult("addresses", Status.PASS, f"the same bytes at {len(evidence.places)}: {names}", figures)
