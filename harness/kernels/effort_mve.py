"""What MVE kernels take: how often their loops run, times what a round costs.

A kernel names its loops and counts them from the shape (`Loops`). What a round of each takes was fitted to executed
instructions and to modelled cycles of the Cortex-M55 over layers of all kinds (tests/bench/mve_rates.py repeats it).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from harness.kernels.base import Context, Cost, Kernel

MVE = frozenset({"mve"})

Loops: TypeAlias = Mapping[str, float]
"""Name of a loop -> how often a layer runs it."""


@dataclass(frozen=True)
class Rate:
    """Executed instructions and modelled core cycles of one round of a loop."""

    instructions: float
    cycles: float


Rates: TypeAlias = Mapping[str, Rate]


class MveKernel(Kernel):
    """A kernel whose cost is that of its loops.

    Attributes:
        rates: what a round of each loop takes.
    """

    features = MVE
    rates: ClassVar[Rates]

    @abstractmethod
    def loops(self, context: Context) -> Loops:
        """How often each loop runs."""

    def scratch(self, context: Context) -> int:
        """Bytes of scratch."""
        return 0

    def flash(self, context: Context) -> int:
        """Bytes of packed weights and tables."""
        return 0

    def cost(self, context: Context) -> Cost:
        loops = self.loops(context)
        instructions = sum(count * self.rates[name].instructions for name, count in loops.items())
        cycles = sum(count * self.rates[name].cycles for name, count in loops.items())
        known = cycles if context.target.core == "cortex-m55" else None
        return Cost(instructions, self.scratch(context), known, self.flash(context))
