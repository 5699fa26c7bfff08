"""Numbers with their unit. Two units never meet in one sum, comparison or ratio."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.errors import UnitError


class Unit(StrEnum):
    """What a figure counts; the value is its name in JSON.

    CYCLES: a cycle counter on silicon. INSTRUCTIONS: executed instructions, exact, from an emulator. MODELLED_CYCLES: a
    stated core model over emulated instructions. HOST_NS: nanoseconds on the machine that runs the host port, which say
    nothing of a microcontroller. BYTES: bytes.
    """

    CYCLES = "cycles"
    INSTRUCTIONS = "instructions"
    MODELLED_CYCLES = "modelled-cycles"
    HOST_NS = "host-ns"
    BYTES = "bytes"

    @classmethod
    def parse(cls, name: str) -> Unit:
        """The unit of a name; underscores and spaces count as hyphens.

        Raises:
            UnitError: there is no such unit.
        """
        try:
            return cls(name.strip().lower().replace("_", "-").replace(" ", "-"))
        except ValueError:
            raise UnitError(f"no unit is named {name!r}", hint="units: " + ", ".join(u.value for u in cls)) from None


@dataclass(frozen=True)
class Quantity:
    """A whole number of a unit."""

    value: int
    unit: Unit

    def _same(self, other: Quantity, what: str) -> int:
        if not isinstance(other, Quantity):
            raise UnitError(
                f"{self} cannot be {what} a bare number ({other!r})",
                hint="give the number its unit: Quantity(value, unit)",
            )
        if other.unit is not self.unit:
            raise UnitError(
                f"{self} cannot be {what} {other}",
                hint="only figures of one unit compare; measure both in the same way",
            )
        return other.value

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.value + self._same(other, "added to"), self.unit)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.value - self._same(other, "reduced by"), self.unit)

    def __lt__(self, other: Quantity) -> bool:
        return self.value < self._same(other, "compared with")

    def __le__(self, other: Quantity) -> bool:
        return self.value <= self._same(other, "compared with")

    def __gt__(self, other: Quantity) -> bool:
        return self.value > self._same(other, "compared with")

    def __ge__(self, other: Quantity) -> bool:
        return self.value >= self._same(other, "compared with")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Quantity):
            return NotImplemented
        return self.value == self._same(other, "compared with")

    def __hash__(self) -> int:
        return hash((self.value, self.unit))

    def ratio(self, other: Quantity) -> float:
        """How many times `other` this is; infinite when `other` is 0 and this is not, 1 when both are 0."""
        divisor = self._same(other, "divided by")
        if divisor == 0:
            return 1.0 if self.value == 0 else float("inf")
        return self.value / divisor

    def __str__(self) -> str:
        return f"{self.value:,} {self.unit.value}"


def total(quantities: Iterable[Quantity], unit: Unit) -> Quantity:
    """The sum of figures that are all of `unit`.

    Raises:
        UnitError: one of them is of another unit.
    """
    return sum(quantities, Quantity(0, unit))
