"""Estimated energy, duty cycle and battery, cascades and trigger rates: against sums made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.energy import Battery, Cascade, DutyCycle, Stage, estimate_energy, trigger_rate
from harness.errors import OptionError, UnitError
from harness.fit.microcontroller import RunCurrent
from harness.fit.timing import ExpectedTime
from harness.units import Quantity, Unit

CURRENT = RunCurrent(100.0, 3.0, "by hand", 2.0, "a sheet")


def time_of(cycles: int, clock_hz: int = 80_000_000, bounded: bool = True) -> ExpectedTime:
    def figure(value: float) -> Quantity:
        return Quantity(round(value), Unit.MODELLED_CYCLES)

    high = figure(1.1 * cycles) if bounded else None
    return ExpectedTime(figure(cycles), figure(0.9 * cycles), high, clock_hz, (float(cycles),), 0.1, "by hand")


def joules(value: float, unit: Unit = Unit.ESTIMATED_NANOJOULES) -> Quantity:
    return Quantity(round(value * 1e9), unit)


def test_energy_is_cycles_times_charge_times_voltage_whatever_the_clock():
    # 8 million cycles at 80 MHz: 0.1 s of 8 mA at 3 V, 2.4 mJ
    for clock in (80_000_000, 8_000_000):
        found = estimate_energy(time_of(8_000_000, clock), CURRENT)
        assert found.energy == joules(2.4e-3)
        assert (found.low, found.high) == (joules(2.16e-3), joules(2.64e-3))
        assert found.seconds == pytest.approx(8e6 / clock)
    assert estimate_energy(time_of(8_000_000), CURRENT, volts=1.5).energy == joules(1.2e-3)
    assert estimate_energy(time_of(8_000_000, bounded=False), CURRENT).high is None


def test_estimated_and_measured_energy_never_meet():
    small, large = Stage("a", joules(1), 1.0), Stage("b", joules(9, Unit.NANOJOULES), 1.0)
    with pytest.raises(UnitError):
        Cascade(small, large, 0.1)
    with pytest.raises(UnitError):
        _ = small.energy + large.energy


def test_battery_life_by_hand():
    # 2.4 mJ a second in 0.1 s, and 0.9 s at 2 uA and 3 V: 2.4 mW + 5.4 uW
    duty = DutyCycle(1.0, joules(2.4e-3), 0.1, 2e-6, 3.0)
    assert duty.duty == pytest.approx(0.1)
    assert duty.mean_w == pytest.approx(2.4e-3 + 5.4e-6)
    battery = Battery(0.22, 3.0, 0.8)
    assert duty.battery_a(battery) == pytest.approx(2.4054e-3 / 0.8 / 3.0)
    assert duty.life_h(battery) == pytest.approx(0.22 / (2.4054e-3 / 2.4))


def test_a_rate_that_cannot_be_kept_and_batteries_that_are_none_are_refused():
    with pytest.raises(OptionError, match="take 120%") as caught:
        DutyCycle(12.0, joules(1e-3), 0.1, 0.0, 3.0)
    assert "at most 10 a second" in caught.value.hint
    for capacity, volts, efficiency in ((0.0, 3.0, 1.0), (0.2, 0.0, 1.0), (0.2, 3.0, 0.0), (0.2, 3.0, 1.1)):
        with pytest.raises(OptionError):
            Battery(capacity, volts, efficiency)
    with pytest.raises(OptionError, match="nothing is drawn"):
        DutyCycle(1.0, joules(0), 0.1, 0.0, 3.0).life_h(Battery(0.2, 3.0))


@given(st.floats(1e-5, 1.0), st.floats(1e-6, 0.9), st.floats(0, 1e-3), st.floats(0.01, 1))
def test_life_shrinks_with_rate_and_sleep_and_grows_with_efficiency(energy, seconds, sleep, efficiency):
    rate = 0.5 / seconds
    base = DutyCycle(rate, joules(energy), seconds, sleep, 3.0).life_h(Battery(0.2, 3.0, efficiency))
    assert base > 0
    assert DutyCycle(rate / 2, joules(energy), seconds, 0.0, 3.0).life_h(Battery(0.2, 3.0, efficiency)) > base
    assert DutyCycle(rate, joules(energy), seconds, sleep, 3.0).life_h(Battery(0.2, 3.0)) >= base * efficiency * 0.999


def test_a_cascade_costs_the_small_one_and_its_share_of_the_large():
    cascade = Cascade(Stage("small", joules(1e-3), 0.01), Stage("large", joules(20e-3), 0.2), 0.02)
    assert cascade.mean.energy == joules(1.4e-3)
    assert cascade.mean.seconds == pytest.approx(0.014)
    assert cascade.ratio == pytest.approx(0.07)
    assert cascade.break_even == pytest.approx(0.95)
    for wrong in (-0.1, 1.1):
        with pytest.raises(OptionError):
            Cascade(cascade.small, cascade.large, wrong)


def test_triggers_are_counted_by_highest_score_or_by_threshold():
    outputs = [np.array([[9, 1, 0]], np.int8), np.array([[1, 9, 0]], np.int8), np.array([[1, 2, 9]], np.int8)]
    assert trigger_rate(outputs, [1, 2]).rate == pytest.approx(2 / 3)
    found = trigger_rate(outputs, [1], labels=[0, 1, 1])
    assert (found.triggered, found.missed, found.false) == (1, 0.5, 0.0)
    by_score = trigger_rate(outputs, [1], threshold=0.2, scale=0.1, zero_point=0)
    assert by_score.triggered == 2
    assert trigger_rate(outputs, [0], labels=[1, 1, 1]).missed is None


def test_a_model_of_one_output_triggers_by_its_score():
    outputs = [np.array([[-128]], np.int8), np.array([[127]], np.int8)]
    found = trigger_rate(outputs, [0], threshold=0.5, scale=1 / 256, zero_point=-128, labels=[0, 1])
    assert (found.triggered, found.missed, found.false) == (1, 0.0, 0.0)
    with pytest.raises(OptionError, match="threshold"):
        trigger_rate(outputs, [0])


def test_classes_that_are_none_are_refused():
    outputs = [np.array([1, 2, 3])]
    for wakes, told in (([3], "no class 3"), ([-1], "no class -1"), ([], "no class wakes")):
        with pytest.raises(OptionError, match=told):
            trigger_rate(outputs, wakes)
    with pytest.raises(OptionError, match="no answers"):
        trigger_rate([], [0])
