"""Figures have units, and figures of two units never meet."""

import operator

import pytest
from pydantic import ValidationError

from harness.cycles.engine import estimate
from harness.cycles.walk import walk
from harness.errors import UnitError
from harness.units import Quantity, Unit, total
from harness.validate.card import Budget
from harness.validate.checks.budgets import check_budget

CYCLES = Quantity(10, Unit.CYCLES)
INSTRUCTIONS = Quantity(10, Unit.INSTRUCTIONS)
OPERATIONS = (
    *(operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne),
    Quantity.ratio,
)


@pytest.mark.parametrize("operation", OPERATIONS)
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


MODELLED = Quantity(10, Unit.MODELLED_CYCLES)


@pytest.mark.parametrize("other", [CYCLES, INSTRUCTIONS], ids=str)
@pytest.mark.parametrize(
    "operation",
    [
        *OPERATIONS,
        lambda a, b: total([a, b], Unit.MODELLED_CYCLES),
        lambda a, b: max(a, b),
        lambda a, b: sorted([a, b]),
        lambda a, b: check_budget("cycles", b, a),
        lambda a, b: check_budget("cycles", a, b),
    ],
)
def test_modelled_cycles_meet_nothing_that_was_counted(operation, other):
    with pytest.raises(UnitError):
        operation(MODELLED, other)


def test_an_estimates_figures_are_modelled_cycles():
    layer = estimate(walk(bytes.fromhex("00bf00bf7047"), "cortex-m4"), None).layers[0]
    figures = [layer.cycles, layer.core, layer.low, layer.high, *layer.causes.values(), layer.blocks[0].cycles]
    assert {figure.unit for figure in figures} == {Unit.MODELLED_CYCLES}
    assert layer.instructions.unit is Unit.INSTRUCTIONS
    with pytest.raises(UnitError, match="modelled-cycles"):
        layer.cycles.ratio(layer.instructions)


def test_a_modelled_figure_passes_no_budget():
    """A card's budgets are of cycles or instructions: there is none that a modelled figure could meet."""
    with pytest.raises(ValidationError):
        Budget(**{"modelled-cycles": 1})
    with pytest.raises(ValidationError):
        Budget(modelled_cycles=1)
