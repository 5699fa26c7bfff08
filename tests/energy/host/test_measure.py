"""Measured energy: a device whose power is known, behind the simulated LPM01A."""

from __future__ import annotations

import time

import pytest

from harness.energy.lpm01a import BAUD, Lpm01a
from harness.energy.measure import measure_energy
from harness.errors import DeviceRefusedError, MeterError
from harness.mlperf.client import Laps
from harness.resources import has_package
from harness.units import Unit
from tests.support.lpm01a import SimulatedLpm01a

pytestmark = pytest.mark.skipif(not has_package("serial"), reason="pySerial is not installed")
IDLE_W, BUSY_W, INFERENCE_S = 0.002, 0.050, 0.02


class Device:
    """Answers like MlperfClient: inferences take a while, in which the board draws more."""

    def __init__(self, *, clock: float = 1.0, talk_s: float = 0.05) -> None:
        self.loaded, self.asked = b"", []
        self._busy = [(0.0, 0.0)]  # from when to when
        self._clock, self._talk_s = clock, talk_s

    def watts(self, at: float) -> float:
        return BUSY_W if any(first <= at < last for first, last in self._busy) else IDLE_W

    def load(self, data: bytes) -> None:
        self.loaded = data

    def infer(self, inferences: int, warmups: int = 0, *, timeout_s: float = 0) -> Laps:
        self.asked.append((inferences, warmups))
        begun = time.monotonic()
        self._busy.append((begun, float("inf")))
        time.sleep(inferences * INFERENCE_S)
        took = time.monotonic() - begun
        self._busy[-1] = (begun, begun + took)
        time.sleep(self._talk_s)  # the answer goes over the line
        return Laps(inferences, round(took * 1e6 * self._clock), (0.0,))


def measured(device: Device, monkeypatch, **options):
    monkeypatch.setattr("harness.energy.measure.IDLE_S", 0.3)
    instrument = SimulatedLpm01a(device.watts)
    try:
        from harness.link.serial import SerialTransport

        meter = Lpm01a(SerialTransport(instrument.port, BAUD))
        return measure_energy(device, meter, b"input", least_seconds=0.6, runs=3, warmups=1, **options)
    finally:
        instrument.close()


def test_energy_per_inference_is_power_times_time_without_the_waiting(monkeypatch):
    told = []
    device = Device()
    found = measured(device, monkeypatch, progress=lambda *told_: told.append(told_))
    expected = BUSY_W * INFERENCE_S * 1e9
    assert found.energy.unit is Unit.NANOJOULES
    # A busy machine wakes late: its sleep is longer, and the energy with it, as the device's clock says
    assert found.energy.value == pytest.approx(BUSY_W * found.seconds * 1e9, rel=0.15)
    assert found.energy.value > 0.85 * expected
    assert found.idle_w == pytest.approx(IDLE_W, rel=0.2)
    assert device.loaded == b"input"
    assert len(found.runs) == 3
    assert found.inferences == device.asked[-1][0]
    assert 0 < found.extra < 0.5
    assert "LPM01A" in found.meter
    assert told


def test_a_device_whose_clock_is_not_this_worlds_is_refused(monkeypatch):
    for clock in (3.0, 0.1):
        with pytest.raises(MeterError, match="passed here"):
            measured(Device(clock=clock), monkeypatch)


def test_a_device_that_fails_lets_go_of_the_meter(monkeypatch):
    class Failing(Device):
        def infer(self, inferences: int, warmups: int = 0, *, timeout_s: float = 0) -> Laps:
            if warmups == 0:
                raise DeviceRefusedError("no", hint="reset it")
            return super().infer(inferences, warmups)

    with pytest.raises(DeviceRefusedError):
        measured(Failing(), monkeypatch)
