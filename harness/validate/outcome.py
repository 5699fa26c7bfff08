"""The outcome of running one model on one board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.compiler.plan import Plan
from harness.errors import one_line
from harness.ir.graph import Graph
from harness.validate.baselines import Baseline
from harness.validate.card import Card
from harness.validate.checks import Status
from harness.validate.compressed import Compression
from harness.validate.float_model import FloatModel
from harness.validate.link_check import LinkCheck
from harness.validate.reference import Reference
from harness.validate.vectors import Vectors
from harness.validate.verdict import Opinion, Verdict

if TYPE_CHECKING:
    from harness.boards import Resolved
    from harness.build import Image
    from harness.compiler.emit.package import Package
    from harness.runtimes import Runtime
    from harness.validate.measurement import Measurement
    from harness.validate.places import PlaceRun, StaticRun


@dataclass(frozen=True, eq=False)
class Outcome:
    """The outcome of running one model on one board.

    Attributes:
        card: with the options applied.
        graph: the model as imported; `plan.graph` is what runs.
        runtime: the runtime that computed it on the board.
        form: the name of the form in which it ran.
        places: what it showed at each of its addresses; the first is `measurement`.
        static: the form that is linked, for the price of another one; None where it is that.
        reference: results of the oracle that the verdict is based on.
        link, link_check: what carried the frames, and what was run over another link besides; None if nothing was.
        opinion_notes: why a second reference has no results.
        float_model: the card's, with its accuracy; None where the card names none.
        compression: what the card's model was compressed to, which is what ran; None where it was not.
        baselines: TFLM's records for this model, core and unit.
        transcript: the last bytes on the line, as text.
        notes: of the board's session.
        seconds: wall-clock time by phase.
    """

    card: Card
    graph: Graph
    runtime: Runtime
    form: str
    package: Package
    resolved: Resolved
    link: str
    vectors: Vectors
    reference: Reference
    image: Image
    measurement: Measurement
    verdict: Verdict
    opinions: tuple[Opinion, ...]
    opinion_notes: tuple[str, ...]
    baselines: tuple[Baseline, ...]
    transcript: str
    float_model: FloatModel | None = None
    compression: Compression | None = None
    notes: tuple[str, ...] = ()
    link_check: LinkCheck | None = None
    places: tuple[PlaceRun, ...] = ()
    static: StaticRun | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def plan(self) -> Plan:
        """The compiled network: layers, arena, and the graph that runs."""
        return self.package.plan

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return self.verdict.passed

    def explain(self) -> str:
        """All checks, one per line, and what to try after each failure, for an assertion's message."""
        where = self.resolved.asked.name
        if self.resolved.stand_in:
            where += f" (stand-in: {self.resolved.ran_on})"
        lines = [f"{self.card.name} on {where}:"]
        told: set[str] = set()
        for check in self.verdict.checks:
            status = "" if check.status is Status.NOT_MEASURED else f"{check.status.value}: "  # the summary has it
            lines.append(f"  {check.name}: {status}{check.summary}")
            if check.advice and check.advice not in told:
                lines.append(f"    try: {check.advice}")
                told.add(check.advice)
        return "\n".join(map(one_line, lines))
