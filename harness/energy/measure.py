"""Measured energy of an inference: a device that speaks MLPerf Tiny's language, with a meter in its supply.

As MLPerf's EnergyRunner measures: several runs, each of as many inferences as last ten seconds, and the median.
Unlike it, without its interface board and pins: the window is the host's, from the command to its answer, and what the
device does in it besides inferences (it waits for the line) is taken off at the power that it draws when it waits.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.energy.meter import Meter
from harness.errors import MeterError
from harness.mlperf.client import MlperfClient
from harness.units import Quantity, Unit

IDLE_S = 1.0
"""Seconds for which the waiting device is measured."""

_MOST_EXTRA = 0.5
"""Largest share of a window besides inferences."""


@dataclass(frozen=True)
class EnergyMeasurement:
    """Energy of an inference, measured.

    Attributes:
        energy: median over the runs, measured nanojoules per inference.
        runs: of each run, per inference.
        inferences: in a run.
        seconds: per inference, by the device's clock; the median.
        idle_w: mean power of the device while it waits for a command.
        extra: largest share of a window that was not inferences and was taken off at `idle_w`.
        meter: its name.
    """

    energy: Quantity
    runs: tuple[Quantity, ...]
    inferences: int
    seconds: float
    idle_w: float
    extra: float
    meter: str

    @property
    def spread(self) -> float:
        """(largest - smallest run) / median."""
        values = [run.value for run in self.runs]
        return (max(values) - min(values)) / max(self.energy.value, 1)


@dataclass(frozen=True)
class _Window:
    energy: Quantity
    host_s: float
    device_s: float


def measure_energy(
    client: MlperfClient,
    meter: Meter,
    data: bytes,
    *,
    least_seconds: float = 10.0,
    runs: int = 5,
    warmups: int = 10,
    timeout_s: float = 120.0,
    progress: Callable[[str, int, int], None] | None = None,
) -> EnergyMeasurement:
    """Energy per inference of one input.

    Args:
        client: of the device, which must be a real one: an emulator's clock is not the meter's.
        meter: in its supply, not sampling.
        data: the input, in the form that the firmware loads.
        least_seconds, runs, warmups: as the benchmark's energy mode.
        timeout_s: that a run may take.
        progress: told of each run.

    Raises:
        MeterError: the meter fails, or the device's seconds are not those of the meter.
        DeviceRefusedError, ProtocolError, LinkError: the device fails.
    """
    tell = progress or (lambda what, done, total: None)
    client.load(data)
    trial = client.infer(1, warmups, timeout_s=timeout_s)
    count = max(1, -int(-least_seconds * 1e6 // max(trial.microseconds, 1)))
    tell("idle", 0, runs)
    idle_w = _idle(meter)
    windows = []
    for number in range(runs):
        tell(f"run of {count:,} inferences", number, runs)
        windows.append(_run(client, meter, count, timeout_s))
    per_run = tuple(_per_inference(window, count, idle_w) for window in windows)
    return EnergyMeasurement(
        energy=Quantity(round(statistics.median(run.value for run in per_run)), Unit.NANOJOULES),
        runs=per_run,
        inferences=count,
        seconds=statistics.median(window.device_s for window in windows) / count,
        idle_w=idle_w,
        extra=max((window.host_s - window.device_s) / window.host_s for window in windows),
        meter=meter.name,
    )


def _idle(meter: Meter) -> float:
    """Watts of the device while nothing is asked of it."""
    meter.start()
    time.sleep(IDLE_S)
    trace = meter.stop()
    if trace.seconds < IDLE_S / 2:
        raise MeterError(f"the meter sampled {trace.seconds:.3f} s of {IDLE_S:g} s", hint="is its supply switched on?")
    whole = trace.energy(float(trace.edges[0]), float(trace.edges[-1]))
    return whole.value * 1e-9 / trace.seconds


def _run(client: MlperfClient, meter: Meter, count: int, timeout_s: float) -> _Window:
    meter.start()
    try:
        first = time.monotonic()
        laps = client.infer(count, 0, timeout_s=timeout_s)
        last = time.monotonic()
        time.sleep(0.05)  # the samples of the window must all be there
    except BaseException:
        meter.close()
        raise
    trace = meter.stop()
    host_s, device_s = last - first, laps.microseconds * 1e-6
    if not (1 - _MOST_EXTRA) * host_s <= device_s <= host_s * 1.01 + 0.01:
        raise MeterError(
            f"the device says that {count:,} inferences took {device_s:.3f} s, {host_s:.3f} s passed here",
            hint="a meter needs a real board, whose clock is right; is it the board of this firmware?",
        )
    begin = first - trace.started
    return _Window(trace.energy(begin, begin + host_s), host_s, device_s)


def _per_inference(window: _Window, count: int, idle_w: float) -> Quantity:
    waited = max(window.host_s - window.device_s, 0.0) * idle_w * 1e9
    return Quantity(round((window.energy.value - waited) / count), Unit.NANOJOULES)
