"""Numbers with their unit. Two units never meet in one sum, comparison or ratio."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.errors import OptionError, UnitError


class Unit(StrEnum):
    """What a figure counts; the value is its name in JSON.

    CYCLES: a cycle counter on silicon. INSTRUCTIONS: executed instructions, exact, from an emulator. MODELLED_CYCLES: a
    stated core model over emulated instructions. HOST_NS: nanoseconds on the machine that runs the host port, which say
    nothing of a microcontroller. BYTES: bytes. NANOJOULES: energy, measured by a meter on silicon.
    ESTIMATED_NANOJOULES: modelled cycles times a datasheet's charge per cycle and supply voltage.
    """

    CYCLES = "cycles"
    INSTRUCTIONS = "instructions"
    MODELLED_CYCLES = "modelled-cycles"
    HOST_NS = "host-ns"
    BYTES = "bytes"
    NANOJOULES = "nanojoules"
    ESTIMATED_NANOJOULES = "estimated-nanojoules"

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


# --- amounts in text -------------------------------------------------------------------------------------------------

_AMOUNT = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?) *([A-Za-zµμ%/]{0,8})")
_PREFIXES = {"n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
_PERIODS = {"Hz": 1.0, "/s": 1.0, "/min": 60.0, "/h": 3600.0, "/d": 86400.0}


def parse_amount(text: str, symbol: str, option: str, example: str) -> float:
    """The amount in a text such as "50ms", "220 mAh" or "2uA", in units of `symbol` ("s", "Ah", "A").

    Args:
        text: a number above 0 with the unit, which has an SI prefix or none; a bare number is refused.
        symbol: of the unit.
        option: what the text is the value of, for messages.
        example: a value that would do, for messages.

    Raises:
        OptionError: the text is something else.
    """
    found = _AMOUNT.fullmatch(text.strip())
    unit = found[2] if found else ""
    factor = _PREFIXES.get(unit.removesuffix(symbol)) if unit.endswith(symbol) else None
    if found is None or factor is None or float(found[1]) <= 0:
        raise OptionError(f"{option}: '{text}' is no amount above 0 in {symbol}", hint=f"such as {example}")
    return float(found[1]) * factor


def parse_rate(text: str, option: str) -> float:
    """Times per second in a text such as "1/s", "10/min", "4/h", "1/d" or "0.5Hz".

    Raises:
        OptionError: the text is something else, or 0.
    """
    found = _AMOUNT.fullmatch(text.strip())
    period = _PERIODS.get(found[2]) if found else None
    if found is None or period is None or float(found[1]) <= 0:
        raise OptionError(f"{option}: '{text}' is no rate above 0", hint="such as 1/s, 10/min, 4/h, 1/d or 0.5Hz")
    return float(found[1]) / period


def parse_share(text: str, option: str) -> float:
    """A share from 0 to 1 in a text such as "0.02" or "2%".

    Raises:
        OptionError: the text is something else.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is not None and found[2] in ("", "%"):
        share = float(found[1]) / (100 if found[2] else 1)
        if share <= 1:
            return share
    raise OptionError(f"{option}: '{text}' is no share from 0 to 1", hint="such as 0.02 or 2%")
