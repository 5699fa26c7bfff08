"""Meters: the LPM01A's protocol against a simulated instrument, and a Joulescope's package against a made-up one."""

from __future__ import annotations

import sys
import threading
import time
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.energy.lpm01a import BAUD, Lpm01a
from harness.energy.meter import PowerTrace
from harness.energy.meters import check_meter, open_meter
from harness.errors import MeterError, OptionError, PackageMissingError, PortMissingError
from harness.resources import has_package
from harness.units import Quantity, Unit
from tests.support.lpm01a import SimulatedLpm01a, encoded

pytestmark = pytest.mark.skipif(not has_package("serial"), reason="pySerial is not installed")


@pytest.fixture
def instrument():
    made = SimulatedLpm01a(lambda at: 0.012)
    yield made
    made.close()


def meter_at(instrument: SimulatedLpm01a, **options) -> Lpm01a:
    from harness.link.serial import SerialTransport

    return Lpm01a(SerialTransport(instrument.port, BAUD), **options)


def test_it_takes_control_sets_the_supply_measures_and_lets_go(instrument):
    meter = meter_at(instrument, volts=3.3)
    assert meter.name == "LPM01A, firmware 1.0.6"
    meter.start()
    time.sleep(0.4)
    trace = meter.stop()
    meter.close()
    meter.close()
    assert trace.seconds > 0.2
    energy = trace.energy(0.1, 0.2)
    assert energy.unit is Unit.NANOJOULES
    assert energy.value == pytest.approx(0.1 * 0.012 * 1e9, rel=0.02)
    time.sleep(0.05)
    sent = instrument.commands
    assert sent[0] == "htc"
    assert sent[-1] == "hrc"
    for command in ("output energy", "format ascii_dec", "freq 1000", "volt 3300m", "pwr on nostatus", "acqtime inf"):
        assert sent.index(command) < sent.index("start")


def test_a_second_trace_begins_anew(instrument):
    meter = meter_at(instrument)
    for _ in range(2):
        meter.start()
        time.sleep(0.15)
        assert meter.stop().seconds > 0.05
    meter.close()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"mute": True}, "does not answer 'htc'"),
        ({"refuse": "volt"}, "refuses 'volt 3000m': not on this board"),
        ({"refuse": "start"}, "refuses 'start'"),
        ({"damage": True}, "damaged"),
        ({"lose": 0.25}, "by the meter's clock"),
        ({"endless": True}, "did not end"),
        ({"fail": "current beyond range"}, "current beyond range"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_goes_wrong_is_one_error(instrument, fault, told):
    for name, value in fault.items():
        setattr(instrument, name, value)
    with pytest.raises(MeterError) as caught:
        meter = meter_at(instrument, timeout_s=0.5)
        meter.start()
        time.sleep(2.2 if "lose" in fault else 0.2)
        meter.stop()
    assert told in caught.value.message
    assert caught.value.hint


def test_wrong_voltages_rates_and_orders_are_refused(instrument):
    for options in ({"volts": 5.0}, {"volts": 1.0}, {"rate_hz": 3}):
        with pytest.raises(MeterError):
            meter_at(instrument, **options)
    meter = meter_at(instrument)
    with pytest.raises(MeterError, match="does not sample"):
        meter.stop()
    meter.start()
    with pytest.raises(MeterError, match="samples already"):
        meter.start()
    meter.close()


def test_an_instrument_that_is_unplugged_is_an_error_and_no_hang(instrument):
    meter = meter_at(instrument, timeout_s=0.5)
    meter.start()
    instrument.close()
    with pytest.raises(Exception, match=r".") as caught:
        time.sleep(0.3)
        meter.stop()
    assert type(caught.value).__name__ in ("MeterError", "PortLostError")


@pytest.mark.parametrize("text", ["", "lpm01a", "lpm01a:", "joulescope:1", "otii", ":x"])
def test_what_names_no_meter_is_refused(text):
    with pytest.raises(OptionError, match="meter"):
        check_meter(text)


def test_a_port_that_is_not_there_is_told():
    with pytest.raises(PortMissingError):
        open_meter("lpm01a:/dev/nothing-here", volts=3.0)


def test_energy_of_a_trace_counts_samples_by_their_share():
    trace = PowerTrace(0.0, np.array([0.0, 1.0, 2.0, 4.0]), np.array([1.0, 2.0, 4.0]))
    assert trace.energy(0, 4) == Quantity(7_000_000_000, Unit.NANOJOULES)
    assert trace.energy(0.5, 1.5).value == 1_500_000_000
    assert trace.energy(3, 3).value == 0
    for first, last in ((-1, 2), (3, 5), (2, 1)):
        with pytest.raises(MeterError):
            trace.energy(first, last)
    with pytest.raises(MeterError, match="nothing"):
        PowerTrace(0.0, np.array([0.0]), np.array([])).energy(0, 0)


@given(st.floats(1e-8, 1e3))
def test_a_sample_is_written_and_read_within_its_four_digits(joules):
    text = encoded(joules)
    assert int(text[:4]) * 10.0 ** int(text[4:]) == pytest.approx(
        joules, rel=6e-2 if joules < 1e-6 else 6e-4, abs=6e-10
    )


class _Device:
    """What the package gives for a Joulescope: statistics from a thread of its own."""

    device_path = "u/js220/000123"

    def __init__(self, watts=0.02, gap=False, silent=False):
        self.watts, self.gap, self.silent = watts, gap, silent
        self.parameters, self.opened, self.closed = {}, False, False
        self._take = None

    def parameter_set(self, name, value):
        self.parameters[name] = value

    def open(self):
        self.opened = True

    def close(self):
        self.closed = True

    def statistics_callback_register(self, take, source):
        self._take = take
        if not self.silent:
            threading.Thread(target=self._run, args=(take,), daemon=True).start()

    def statistics_callback_unregister(self, take, source):
        self._take = None

    def _run(self, take):
        at = 17.0
        while self._take is take:
            time.sleep(0.01)
            if self.gap and 17.1 < at < 17.12:
                at += 0.05
            take({"time": {"range": {"value": [at, at + 0.01]}}, "signals": {"power": {"µ": {"value": self.watts}}}})
            at += 0.01


def joulescope_with(monkeypatch, device):
    def scan_require_one(config=None):
        if device is None:
            raise RuntimeError("no devices found")
        return device

    monkeypatch.setitem(sys.modules, "joulescope", types.SimpleNamespace(scan_require_one=scan_require_one))


def test_a_joulescope_is_opened_sampled_and_closed(monkeypatch):
    device = _Device()
    joulescope_with(monkeypatch, device)
    meter = open_meter("joulescope", volts=3.0)
    assert device.parameters == {"reduction_frequency": "100 Hz"}
    meter.start()
    time.sleep(0.3)
    trace = meter.stop()
    meter.close()
    assert device.closed
    assert trace.seconds > 0.05
    assert trace.energy(0, trace.seconds).value == pytest.approx(trace.seconds * 0.02 * 1e9, rel=1e-6)
    assert meter.name == "u/js220/000123"


def test_a_joulescope_that_is_missing_silent_or_loses_time_is_one_error(monkeypatch):
    joulescope_with(monkeypatch, None)
    with pytest.raises(MeterError, match="no devices found"):
        open_meter("joulescope", volts=3.0)
    monkeypatch.setattr("harness.energy.joulescope.FIRST_S", 0.1)
    joulescope_with(monkeypatch, _Device(silent=True))
    with pytest.raises(MeterError, match="sent nothing"):
        open_meter("joulescope", volts=3.0).start()
    joulescope_with(monkeypatch, _Device(gap=True))
    meter = open_meter("joulescope", volts=3.0)
    meter.start()
    time.sleep(0.5)
    with pytest.raises(MeterError, match="lost"):
        meter.stop()


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "joulescope", None)
    with pytest.raises(PackageMissingError) as caught:
        open_meter("joulescope", volts=3.0)
    assert "tinyhil[joulescope]" in caught.value.hint
