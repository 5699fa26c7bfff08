"""Duty cycle: inferences at a rate, sleep in between, and how long a battery lasts."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import OptionError
from harness.units import Quantity


@dataclass(frozen=True)
class Battery:
    """A battery and what lies between it and the chip.

    Attributes:
        capacity_ah: ampere hours that can be drawn.
        volts: of the battery, its mean while it empties.
        efficiency: of the regulator, energy out over energy in; 1 for a chip at the battery.
    """

    capacity_ah: float
    volts: float
    efficiency: float = 1.0

    def __post_init__(self) -> None:
        if not (self.capacity_ah > 0 and self.volts > 0 and 0 < self.efficiency <= 1):
            raise OptionError(
                "a battery needs a capacity, a voltage above 0 and an efficiency above 0 and up to 1",
                hint="such as --battery 220mAh --battery-voltage 3V --efficiency 85%",
            )


@dataclass(frozen=True)
class DutyCycle:
    """Inferences at a rate.

    Attributes:
        rate: inferences per second.
        energy: of one, measured or estimated nanojoules.
        seconds: that one takes.
        sleep_a: amperes from the supply while the chip sleeps.
        volts: of the chip's supply.
    """

    rate: float
    energy: Quantity
    seconds: float
    sleep_a: float
    volts: float

    def __post_init__(self) -> None:
        if self.rate <= 0 or self.duty > 1:
            raise OptionError(
                f"{self.rate:.4g} inferences a second of {self.seconds * 1e3:.4g} ms take {self.duty:.0%} of the time",
                hint=f"at most {1 / self.seconds:.4g} a second, a faster part, or a smaller model",
            )

    @property
    def duty(self) -> float:
        """Share of the time in which an inference runs."""
        return self.rate * self.seconds

    @property
    def active_w(self) -> float:
        """Mean power of the inferences, in watts."""
        return self.rate * self.energy.value * 1e-9

    @property
    def sleep_w(self) -> float:
        """Mean power of the sleep in between, in watts."""
        return (1 - self.duty) * self.sleep_a * self.volts

    @property
    def mean_w(self) -> float:
        """Mean power at the chip's supply, in watts."""
        return self.active_w + self.sleep_w

    def battery_a(self, battery: Battery) -> float:
        """Mean current from a battery, in amperes."""
        return self.mean_w / battery.efficiency / battery.volts

    def life_h(self, battery: Battery) -> float:
        """Hours until the battery is empty; its own discharge, ageing and temperature are left out.

        Raises:
            OptionError: nothing is drawn.
        """
        current = self.battery_a(battery)
        if current <= 0:
            raise OptionError("nothing is drawn from the battery", hint="give --sleep or a higher --rate")
        return battery.capacity_ah / current
