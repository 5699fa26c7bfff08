"""Estimated energy of an inference: modelled cycles, a datasheet's current per MHz, and the supply voltage.

    energy = cycles x current per MHz x voltage

A core at f MHz draws I = k f and takes t = cycles / f, so the charge is k cycles, whatever the clock. The datasheet's
current is a typical one of other code (CoreMark, while(1), Fibonacci): no error is known for it. The bounds are those
of the cycles alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.fit.microcontroller import RunCurrent
from harness.fit.timing import ExpectedTime
from harness.units import Quantity, Unit


@dataclass(frozen=True)
class EnergyEstimate:
    """Energy of an inference, estimated.

    Attributes:
        energy: expected, in estimated nanojoules.
        low, high: bounds by those of the modelled cycles; `high` is None where these have none.
        seconds: that the inference takes, estimated.
        volts: supply.
        current: where the current is from.
    """

    energy: Quantity
    low: Quantity
    high: Quantity | None
    seconds: float
    volts: float
    current: RunCurrent


def estimate_energy(time: ExpectedTime, current: RunCurrent, *, volts: float | None = None) -> EnergyEstimate:
    """The energy of an inference at the part's supply.

    Args:
        time: modelled cycles of the inference on the part.
        current: what the part draws while it runs.
        volts: of the supply; None for that of the datasheet's figure. The current is taken to be the same at any.
    """
    supply = current.volts if volts is None else volts
    per_cycle_j = current.ua_per_mhz * 1e-6 / 1e6 * supply

    def joules(cycles: Quantity) -> Quantity:
        return Quantity(round(cycles.value * per_cycle_j * 1e9), Unit.ESTIMATED_NANOJOULES)

    high = None if time.high is None else joules(time.high)
    return EnergyEstimate(joules(time.cycles), joules(time.low), high, time.expected_s, supply, current)
