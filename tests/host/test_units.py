import operator

import pytest

from harness.errors import UnitError
from harness.units import Quantity, Unit, total

CYCLES = Quantity(10, Unit.CYCLES)
INSTRUCTIONS = Quantity(10, Unit.INSTRUCTIONS)


@pytest.mark.parametrize(
    "operation",
    [
        operator.add,
        operator.sub,
        operator.lt,
        operator.le,
        operator.gt,
        operator.ge,
        operator.eq,
        operator.ne,
        Quantity.ratio,
    ],
)
def test_figures_of_two_units_never_meet(operation):
    with pytest.raises(UnitError, match="instructions"):
        operation(CYCLES, INSTRUCTIONS)


@pytest.mark.parametrize("operation", [operator.add, operator.lt, Quantity.ratio])
def test_a_bare_number_has_no_unit_to_compare(operation):
    with pytest.raises(UnitError, match="bare number"):
        operation(CYCLES, 10)


def test_arithmetic_within_a_unit():
    four = Quantity(4, Unit.CYCLES)
    assert CYCLES + four == Quantity(14, Unit.CYCLES)
    assert CYCLES - four == Quantity(6, Unit.CYCLES)
    assert four < CYCLES and not four >= CYCLES
    assert CYCLES.ratio(four) == 2.5
    assert total([CYCLES, four], Unit.CYCLES).value == 14
    assert str(Quantity(1234567, Unit.BYTES)) == "1,234,567 bytes"


def test_a_sum_refuses_the_wrong_unit():
    with pytest.raises(UnitError):
        total([INSTRUCTIONS], Unit.CYCLES)


def test_ratio_to_nothing():
    nothing = Quantity(0, Unit.CYCLES)
    assert nothing.ratio(nothing) == 1.0
    assert CYCLES.ratio(nothing) == float("inf")


def test_units_are_found_by_name():
    assert Unit.parse("modelled_cycles") is Unit.MODELLED_CYCLES
    with pytest.raises(UnitError, match="furlongs"):
        Unit.parse("furlongs")
