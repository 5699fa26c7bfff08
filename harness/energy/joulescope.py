"""A Joulescope (JS110, JS220), through its maker's package `joulescope`: pip install 'tinyhil[joulescope]'.

The instrument sends statistics 100 times a second: mean power and the time that it is the mean of.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import numpy as np

from harness.energy.meter import PowerTrace
from harness.errors import MeterError, PackageMissingError

RATE = "100 Hz"
FIRST_S = 3.0
"""Seconds that the first statistics may take."""


class Joulescope:
    """The one Joulescope that is plugged in. See harness.energy.meter.Meter."""

    def __init__(self) -> None:
        """Opens it.

        Raises:
            PackageMissingError: the package is not installed.
            MeterError: none is plugged in, or several are.
        """
        try:
            import joulescope
        except ImportError:
            raise PackageMissingError.of("joulescope", "a Joulescope", "joulescope") from None
        try:
            self._device: Any = joulescope.scan_require_one(config="auto")
            self._device.parameter_set("reduction_frequency", RATE)
            self._device.open()
        except Exception as error:  # the package raises what its driver, USB and the operating system raise
            raise MeterError(
                f"no Joulescope can be used: {error}", hint="plug in exactly one, and close its own program"
            ) from error
        self._lock = threading.Lock()
        self._came = threading.Event()
        self._rows: list[tuple[float, float, float]] = []  # (first second, last second, watts)
        self._at = 0.0
        self._sampling = False

    @property
    def name(self) -> str:
        """See Meter."""
        return str(getattr(self._device, "device_path", "") or self._device)

    def start(self) -> None:
        """See Meter."""
        if self._sampling:
            raise MeterError("the meter samples already", hint="stop it first")
        with self._lock:
            self._rows.clear()
        self._came.clear()
        self._sampling = True
        self._device.statistics_callback_register(self._take, "sensor")
        if not self._came.wait(FIRST_S):
            self._end()
            raise MeterError(f"the Joulescope sent nothing within {FIRST_S:g} s", hint="unplug it and try again")

    def stop(self) -> PowerTrace:
        """See Meter."""
        if not self._sampling:
            raise MeterError("the meter does not sample", hint="start it first")
        time.sleep(0.05)  # until what was measured has come
        self._end()
        with self._lock:
            rows, at = list(self._rows), self._at
        for (_, before, _), (after, _, _) in zip(rows, rows[1:], strict=False):
            if abs(after - before) > 1e-3:
                raise MeterError(f"the Joulescope lost {after - before:.3f} s", hint="try another USB port")
        zero = rows[0][0]
        edges = np.array([rows[0][0], *(last for _, last, _ in rows)]) - zero
        joules = np.array([(last - first) * watts for first, last, watts in rows])
        return PowerTrace(at, edges, joules)

    def close(self) -> None:
        """See Meter."""
        with contextlib.suppress(Exception):
            if self._sampling:
                self._end()
            self._device.close()

    def _end(self) -> None:
        self._sampling = False
        self._device.statistics_callback_unregister(self._take, "sensor")

    def _take(self, statistics: dict[str, Any]) -> None:
        """Called by a thread of the package."""
        first, last = statistics["time"]["range"]["value"]
        watts = statistics["signals"]["power"]["µ"]["value"]
        with self._lock:
            if not self._rows:  # its clock begins when the mean is there
                self._at = time.monotonic() - (last - first)
            self._rows.append((float(first), float(last), float(watts)))
        self._came.set()
