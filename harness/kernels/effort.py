"""Executed instructions and modelled core cycles of pieces of kernels, from which a layer's cost is added up.

A kernel writes its cost as its loops: pieces counted in its code, or fitted to executed instructions where a compiler
wrote it, times how often the shape runs them. Cycles are those of harness/cycles for the core alone, in steady state
for inner loops; what straight code costs is a mean of such code.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.kernels.base import Cost
from harness.kernels.target import Target

STRAIGHT_M4 = 1.35
STRAIGHT_M7 = 0.9
"""Modelled cycles an instruction of code outside of inner loops: addresses, counters and spilled registers."""


@dataclass(frozen=True)
class Effort:
    """What running a piece of code takes: instructions, and cycles on a Cortex-M4 (or M3, M33) and a Cortex-M7."""

    instructions: float
    m4: float
    m7: float

    def __add__(self, other: Effort) -> Effort:
        return Effort(self.instructions + other.instructions, self.m4 + other.m4, self.m7 + other.m7)

    def __mul__(self, times: float) -> Effort:
        return Effort(self.instructions * times, self.m4 * times, self.m7 * times)

    def cycles(self, target: Target) -> float | None:
        """Modelled cycles on a core that this is known for."""
        known = {"cortex-m7": self.m7, "cortex-m3": self.m4, "cortex-m4": self.m4, "cortex-m33": self.m4}
        return known.get(target.core)

    def cost(self, target: Target, *, scratch: int = 0, flash: int = 0, reads: int = 1) -> Cost:
        """The cost of a layer that reads its `flash` bytes of weights and tables `reads` times."""
        cycles = self.cycles(target)
        if cycles is not None:
            cycles += target.weight_stalls(flash, reads)
        return Cost(self.instructions, scratch, cycles, flash)


NOTHING = Effort(0, 0, 0)


def straight(instructions: float) -> Effort:
    """Code outside of inner loops."""
    return Effort(instructions, instructions * STRAIGHT_M4, instructions * STRAIGHT_M7)
