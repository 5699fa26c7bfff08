"""ST's X-NUCLEO-LPM01A (PowerShield) on its serial port.

The protocol is text, in UM2269 ("Getting started with PowerShield firmware"): a command is a line, its answer a line
"PowerShield > ack COMMAND" or "PowerShield > error COMMAND" with a line "Error detail: ...". After `start` samples
come, one a line: 6409-07 is 6409e-7. Here they are joules of one sampling period each (`output energy`), which MLPerf
Tiny's runner asks for. "TimeStamp: 003s 000ms, buff 02%" tells the meter's clock and how full its buffer is.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np

from harness.energy.meter import PowerTrace
from harness.errors import MeterError, TinyhilError
from harness.link.transport import Transport

BAUD = 3_686_400
RATES_HZ = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
"""What `freq` takes with samples as text."""

LOWEST_V, HIGHEST_V = 1.8, 3.3

_PROMPT = "PowerShield >"
_SAMPLE = re.compile(r"(\d{4})([+-]\d{2})")
_TIMESTAMP = re.compile(r"TimeStamp: *(\d{1,9})s *(\d{1,3})ms\b.*")
_DAMAGED = re.compile(r"[\d+-]+")
_COMPLETED = "Acquisition completed"
_MOST_LINE, _MOST_SAMPLES = 4_096, 50_000_000
_LOST = 0.02
"""Share of samples, by the meter's own clock, from which on they count as lost."""


class Lpm01a:
    """An LPM01A that supplies the board and measures. See harness.energy.meter.Meter."""

    def __init__(
        self, transport: Transport, *, volts: float = 3.0, rate_hz: int = 1_000, timeout_s: float = 5.0
    ) -> None:
        """Takes control of the meter and switches the board's supply on.

        Args:
            transport: the port, which close() closes.
            volts: of the supply, 1.8 to 3.3.
            rate_hz: samples per second, one of RATES_HZ.
            timeout_s: that the meter may take to answer.

        Raises:
            MeterError: it does not answer, or refuses the voltage or rate.
        """
        self._transport = transport
        self._timeout_s = timeout_s
        self._held = b""
        self._version = ""
        self._rate_hz = rate_hz
        self._reader: _SampleThread | None = None
        self._closed = False
        if not LOWEST_V <= volts <= HIGHEST_V:
            raise MeterError(f"an LPM01A gives no {volts:g} V", hint=f"{LOWEST_V} to {HIGHEST_V} V")
        if rate_hz not in RATES_HZ:
            raise MeterError(f"an LPM01A has no rate of {rate_hz} Hz", hint=", ".join(map(str, RATES_HZ)))
        with self._closing_on_error():
            self._command("htc")
            self._version = next((w for w in self._command("version") if re.fullmatch(r"\d+(\.\d+)+", w)), "")
            for command in (
                *("output energy", "format ascii_dec", f"freq {rate_hz}", "acqtime inf"),
                *("trigsrc sw", "trigdelay 0"),
                *(f"volt {round(volts * 1000)}m", "pwr on nostatus"),
            ):
                self._command(command)

    @property
    def name(self) -> str:
        """See Meter."""
        return f"LPM01A, firmware {self._version}" if self._version else "LPM01A"

    def start(self) -> None:
        """See Meter."""
        if self._reader is not None:
            raise MeterError("the meter samples already", hint="stop it first")
        self._command("start")
        self._reader = _SampleThread(self._line, time.monotonic())
        self._reader.start()

    def stop(self) -> PowerTrace:
        """See Meter."""
        reader, self._reader = self._reader, None
        if reader is None:
            raise MeterError("the meter does not sample", hint="start it first")
        self._transport.write(b"stop\n")
        reader.finish(self._timeout_s)
        return reader.trace(self._rate_hz)

    def close(self) -> None:
        """See Meter. The board's supply stays on: the meter keeps it as it goes back to its own controls."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(TinyhilError):
            if self._reader is not None:
                self.stop()
        with contextlib.suppress(TinyhilError):
            self._transport.write(b"hrc\n")
        self._transport.close()

    @contextlib.contextmanager
    def _closing_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._closed = True
            self._transport.close()
            raise

    def _command(self, command: str) -> list[str]:
        """Sends a command; the words that come with its acknowledgement, and those of the lines before it."""
        self._transport.write(command.encode("ascii") + b"\n")
        deadline = time.monotonic() + self._timeout_s
        words: list[str] = []
        while (line := self._line(deadline - time.monotonic())) is not None:
            text = line.removeprefix(_PROMPT).strip()
            if text.startswith(f"ack {command}"):
                return [*words, *text.removeprefix(f"ack {command}").split()]
            if text.startswith(("error", "err ")):
                detail = self._line(0.5) or ""
                raise MeterError(
                    f"the meter refuses '{command}': {detail.partition('Error detail:')[2].strip() or text}",
                    hint="is its firmware current? `status` on its serial port tells more",
                )
            words += text.split()
        raise MeterError(
            f"the meter does not answer '{command}' within {self._timeout_s:g} s",
            hint="is it an LPM01A, on this port, and no other program at it?",
        )

    def _line(self, timeout_s: float) -> str | None:
        """The next line without its end; None if none has come in time."""
        deadline = time.monotonic() + timeout_s
        while True:
            end = self._held.find(b"\n")
            if end >= 0:
                line, self._held = self._held[:end], self._held[end + 1 :]
                return line.decode("ascii", "replace").strip()
            if len(self._held) > _MOST_LINE:
                raise MeterError("a line without end from the meter", hint="is it an LPM01A, and no other device?")
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._held += self._transport.read(min(left, 0.1))


class _SampleThread(threading.Thread):
    """Reads samples while they come, as the port's buffer holds few of them."""

    def __init__(self, line: Callable[[float], str | None], started: float) -> None:
        super().__init__(name="lpm01a", daemon=True)
        self._line = line
        self._begun = started
        self._joules: list[float] = []
        self._stamps: list[tuple[int, float]] = []  # (samples before it, seconds by the meter's clock)
        self._damaged = 0
        self._failure: TinyhilError | None = None
        self._done = threading.Event()
        self._ended = False

    def run(self) -> None:
        try:
            while not self._done.is_set():
                line = self._line(0.1)
                if line is not None and self._take(line.removeprefix(_PROMPT).strip()):
                    self._ended = True
                    return
        except TinyhilError as error:
            self._failure = error

    def _take(self, text: str) -> bool:
        """Takes a line; whether it was the last."""
        if _COMPLETED in text:
            return True
        found = _SAMPLE.fullmatch(text)
        if found:
            self._joules.append(int(found[1]) * 10.0 ** int(found[2]))
            if len(self._joules) > _MOST_SAMPLES:
                raise MeterError(f"more than {_MOST_SAMPLES:,} samples", hint="measure for less time")
        elif stamp := _TIMESTAMP.fullmatch(text):
            self._stamps.append((len(self._joules), int(stamp[1]) + int(stamp[2]) / 1e3))
        elif text.lower().startswith("error"):
            raise MeterError(f"the meter stopped: {text}", hint="a lower rate, or less current than its 50 mA?")
        elif _DAMAGED.fullmatch(text):
            self._damaged += 1
        return False

    def finish(self, timeout_s: float) -> None:
        """Waits for the end of the samples.

        Raises:
            MeterError: it does not come in time.
        """
        self.join(timeout_s)
        self._done.set()
        self.join(1.0)
        if self._failure is not None:
            raise self._failure
        if not self._ended:
            raise MeterError(f"the meter did not end within {timeout_s:g} s", hint="unplug it and try again")

    def trace(self, rate_hz: int) -> PowerTrace:
        """What was sampled.

        Raises:
            MeterError: samples are damaged, or fewer came than the meter's clock says.
        """
        count = len(self._joules)
        if self._damaged:
            raise MeterError(f"{self._damaged} of {count} samples are damaged", hint="try a lower sampling rate")
        # Stamps come about every second: of the last one it is known how many samples there must have been
        for before, seconds in self._stamps[-1:]:
            if abs(before - seconds * rate_hz) > max(2.0, _LOST * seconds * rate_hz, 0.1 * rate_hz):
                raise MeterError(
                    f"{before:,} samples in {seconds:g} s by the meter's clock, not {seconds * rate_hz:,.0f}",
                    hint="samples were lost: try a lower sampling rate, or another USB port",
                )
        edges = np.arange(count + 1) / rate_hz
        return PowerTrace(self._begun, edges, np.array(self._joules))
