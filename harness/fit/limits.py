"""Whether a network of shapes keeps limits, by how much, and which layers to shrink where it does not.

oracle = ShapeOracle(target_of(board))
answer = fits(net, NetworkLimits(arena=24_000, flash=64_000, cycles=2e6), oracle)
answer.fits, answer.slack, answer.hints()
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Literal

from harness.fit.allowance import NAMED, largest, too_much
from harness.fit.fitting import code_doubt
from harness.fit.microcontroller import Microcontroller
from harness.fit.oracle import Needs, ShapeOracle
from harness.fit.shapes import NetworkShape

Limited = Literal["arena", "flash", "cycles", "energy"]
LIMITED: tuple[Limited, ...] = ("arena", "flash", "cycles", "energy")


@dataclass(frozen=True)
class NetworkLimits:
    """What a network may take; None: no limit.

    Attributes:
        arena: bytes.
        flash: bytes of weights, tables and code; it is kept where it is with the error of the estimated code.
        cycles: modelled.
        energy: joules of an inference; with `joules_a_cycle`.
        joules_a_cycle: what a modelled cycle takes, see `RunCurrent`.
    """

    arena: int | None = None
    flash: int | None = None
    cycles: float | None = None
    energy: float | None = None
    joules_a_cycle: float = 0.0

    @classmethod
    def of(cls, part: Microcontroller, *, latency_s: float | None = None, energy: float | None = None) -> NetworkLimits:
        """All memory of a microcontroller but the stack, its clock for a latency, and its current for an energy."""
        return cls(
            arena=part.bytes_of("ram") - part.stack_size,
            flash=part.bytes_of("flash"),
            cycles=None if latency_s is None else latency_s * part.clock_hz,
            energy=energy if part.run is not None else None,
            joules_a_cycle=0.0 if part.run is None else part.run.joules_a_cycle,
        )

    def of_kind(self, what: Limited) -> float | None:
        """The limit of one of LIMITED."""
        return {"arena": self.arena, "flash": self.flash, "cycles": self.cycles, "energy": self.energy}[what]


@dataclass(frozen=True, eq=False)
class LimitAnswer:
    """What a network takes, beside limits."""

    net: NetworkShape
    needs: Needs
    limits: NetworkLimits

    def used(self, what: Limited) -> float:
        """What it takes of one of LIMITED; of flash the most, with the error of the estimated code."""
        if what == "energy":
            return self.needs.cycles * self.limits.joules_a_cycle
        if what == "flash":
            return self.needs.flash + code_doubt(self.needs.code)
        return {"arena": self.needs.arena, "cycles": self.needs.cycles}[what]

    def slack(self, what: Limited) -> float:
        """What is left of a limit, below 0 what lacks; infinite without a limit."""
        limit = self.limits.of_kind(what)
        return inf if limit is None else limit - self.used(what)

    @property
    def fits(self) -> bool:
        """Whether it keeps all limits."""
        return all([self.slack(what) >= 0 for what in LIMITED])

    @property
    def excess(self) -> float:
        """The sum, over the limits that it breaks, of the share by which it does; 0 where it fits."""
        return sum(max(0.0, -self.slack(what)) / (self.limits.of_kind(what) or 1) for what in LIMITED)

    def hints(self) -> tuple[str, ...]:
        """Sentences on which layers to shrink, one per broken limit; none where it fits."""
        return tuple(self._hints())

    def _hints(self) -> Iterator[str]:
        needs = self.needs
        names = [self._name(i) for i in range(len(needs.by_layer))]
        for what in LIMITED:
            limit, lack = self.limits.of_kind(what), -self.slack(what)
            if limit is None or lack <= 0:
                continue
            head = too_much(what, self.used(what), limit)
            if what == "arena":
                over = [f"{self._name(i)} ({peak:,})" for i, peak in enumerate(needs.peaks) if peak > limit]
                yield f"{head}: shrink what is read, written or kept at {', '.join(over[:NAMED]) or 'the peak'}"
            elif what == "flash":
                yield f"{head}: most weights are in {largest(names, needs.weights)}"
            else:
                yield f"{head}: most cycles are in {largest(names, needs.by_layer)}"

    def _name(self, number: int) -> str:
        if number >= len(self.net.layers):
            return f"layer {number}"
        layer, _ = self.net.layers[number]
        return f"layer {number}, {layer.op} to {'x'.join(map(str, layer.output[1:]))}"


def fits(net: NetworkShape, limits: NetworkLimits, oracle: ShapeOracle) -> LimitAnswer:
    """What a network of shapes takes on the oracle's target, beside limits.

    Raises:
        CompileError: a layer has no kernel.
    """
    return LimitAnswer(net, oracle.needs(net), limits)
