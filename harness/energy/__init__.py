"""Energy of an inference: measured with a meter, or estimated from a datasheet's current and modelled cycles.

    from harness.energy import DutyCycle, estimate_energy
    found = estimate_energy(mode.time, part.run)
    DutyCycle(rate=1.0, energy=found.energy, ...).life_h

Measured and estimated energy are two units (harness.units), which never meet in a sum or comparison.
"""

from __future__ import annotations

from harness.energy.cascade import Cascade, Stage, trigger_rate
from harness.energy.duty import Battery, DutyCycle
from harness.energy.estimate import EnergyEstimate, estimate_energy
from harness.energy.measure import EnergyMeasurement, measure_energy
from harness.energy.meter import Meter, PowerTrace
from harness.energy.meters import open_meter

__all__ = [
    "Battery", "Cascade", "DutyCycle", "EnergyEstimate", "EnergyMeasurement", "Meter", "PowerTrace", "Stage",
    "estimate_energy", "measure_energy", "open_meter", "trigger_rate",
]  # fmt: skip
