"""A client for MLPerf Tiny's serial protocol: commands, performance runs, accuracy runs.

It is not the benchmark's own runner, and its results cannot be submitted: it is for trying a firmware.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.errors import DeviceRefusedError, DeviceTimeoutError, FloodError, NoBytesError, ProtocolError
from harness.link.transport import Transport

READY = "m-ready"
BYTES_PER_COMMAND = 31
"""Bytes of input per command, as the benchmark's runner sends them: its firmware takes commands of 80 characters."""
LINE_LIMIT = 1 << 20
"""The most bytes that a device may send without ending a line."""
MOST_LINES, MOST_BYTES = 10_000, 2 << 20
"""The most that an answer may have."""
_SLICE = 16_384
# Enough if inferences take at least a fiftieth of the time of the first one
_MOST_RUNS = 64
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|inf)|nan")


@dataclass(frozen=True)
class Laps:
    """Results of one command `infer`.

    Attributes:
        inferences: number of timed inferences.
        microseconds: for all of them, by the device's clock.
        results: outputs of the last one.
    """

    inferences: int
    microseconds: int
    results: tuple[float, ...]

    @property
    def latency_us(self) -> float:
        """Microseconds per inference."""
        return self.microseconds / self.inferences


@dataclass(frozen=True)
class Performance:
    """Timed runs of one input in the benchmark's performance mode."""

    runs: tuple[Laps, ...]

    @property
    def latency_us(self) -> float:
        """Median over the runs of the microseconds per inference."""
        return statistics.median(run.latency_us for run in self.runs)

    @property
    def throughput(self) -> float:
        """Inferences per second at the median latency; infinite if the device's clock did not advance."""
        return float("inf") if self.latency_us == 0 else 1e6 / self.latency_us


class MlperfClient:
    """A client of a device over an open transport, which the caller closes."""

    def __init__(self, transport: Transport, *, timeout_s: float = 10.0) -> None:
        """timeout_s: seconds that a command without computation may take."""
        self._transport = transport
        self._timeout_s = timeout_s
        self._held = b""
        self._coming = b""  # read, and not yet looked at

    def wait_ready(self) -> None:
        """Waits until the device answers, whether it has just started or has received part of a command.

        Raises:
            NoBytesError, DeviceTimeoutError: it does not answer.
        """
        tries = 3
        for attempt in range(tries):
            self._transport.write(b"%name%")  # the first mark ends a partial command
            deadline = time.monotonic() + self._timeout_s / tries
            while True:
                try:  # the greeting, and an error for the partial command, may come before the name
                    lines = self._answer(deadline - time.monotonic(), "name")
                except (NoBytesError, DeviceTimeoutError):
                    if attempt == tries - 1:
                        raise
                    break
                if any(line.startswith("m-name-") for line in lines):
                    if attempt:
                        self._pass_over()
                    return

    def _pass_over(self) -> None:
        """Skips further answers to repeated commands, until the line is idle or the time limit is reached."""
        deadline = time.monotonic() + self._timeout_s
        while self._transport.read(0.2) and time.monotonic() < deadline:
            pass
        self._held = self._coming = b""

    def command(self, text: str, *, timeout_s: float | None = None, refuse: bool = True) -> list[str]:
        """Sends a command; returns the lines of the answer without m-ready.

        Args:
            text: the command without its end mark.
            timeout_s: seconds that it may take; None for the client's limit.
            refuse: whether to raise if the device answers with an error.

        Raises:
            DeviceRefusedError: a line of the answer is e-[...].
            NoBytesError, DeviceTimeoutError: there is no answer, or no m-ready.
            ProtocolError, FloodError: a line of the answer is too long, or the answer is.
        """
        self._transport.write(text.encode("ascii") + b"%")
        lines = self._answer(self._timeout_s if timeout_s is None else timeout_s, text[:40])
        refused = [line for line in lines if line.startswith("e-[")]
        if refuse and refused:
            raise DeviceRefusedError(
                f"'{text[:40]}': {refused[0]}",
                hint="`tinyhil docs mlperf` explains the commands",
                details="\n".join(lines),
            )
        return lines

    def name(self) -> str:
        """The device's name of its board."""
        return self._told(self.command("name"), r"m-name-dut-\[([^]]+)\]")

    def model_id(self) -> str:
        """The device's name of its model."""
        return self._told(self.command("profile"), r"m-model-\[([^]]+)\]")

    def timestamp(self) -> int:
        """Microseconds by the device's clock."""
        return int(self._told(self.command("timestamp"), r"m-lap-us-(\d{1,18})"))

    def load(self, data: bytes) -> None:
        """Sends the input of an inference.

        Raises:
            ProtocolError: the device does not confirm that it has all bytes.
        """
        lines = self.command(f"db load {len(data)}")
        for start in range(0, len(data), BYTES_PER_COMMAND):
            lines = self.command(f"db {data[start : start + BYTES_PER_COMMAND].hex()}")
        if "m-load-done" not in lines:
            raise ProtocolError(f"no m-load-done after {len(data)} bytes", hint="reset the device and try again")

    def infer(self, inferences: int = 1, warmups: int = 0, *, timeout_s: float = 120.0) -> Laps:
        """Runs inferences of the loaded input, after `warmups` untimed ones.

        Raises:
            DeviceRefusedError: the device answers with an error.
            ProtocolError: the answer lacks times or results.
        """
        lines = self.command(f"infer {inferences} {warmups}", timeout_s=timeout_s)
        laps = [int(found[1]) for line in lines if (found := re.fullmatch(r"m-lap-us-(\d{1,18})", line))]
        if len(laps) != 2 or laps[1] < laps[0]:
            raise ProtocolError(f"{len(laps)} m-lap-us of an inference, not two in order", hint="see the details",
                                details="\n".join(lines))  # fmt: skip
        return Laps(inferences, laps[1] - laps[0], self._results(lines))

    def performance(
        self,
        data: bytes,
        *,
        least_seconds: float = 10.0,
        runs: int = 5,
        warmups: int = 10,
        timeout_s: float = 120.0,
    ) -> Performance:
        """Performance mode: `runs` runs, each of as many inferences as take `least_seconds` by the device's clock.

        The benchmark asks for 10 s and five runs. An emulated device's clock is virtual: 10 s may take longer here.

        Raises:
            ProtocolError: the device's clock does not advance, or too slowly.
        """
        self.load(data)
        trial = self.infer(1, warmups, timeout_s=timeout_s)
        count = max(1, -int(-least_seconds * 1e6 // max(trial.microseconds, 1)))
        for _ in range(_MOST_RUNS):
            first = self.infer(count, 0, timeout_s=timeout_s)
            if first.microseconds >= least_seconds * 1e6:
                break
            count += count // 16 + 1
        else:
            raise ProtocolError(
                f"{count} inferences take {first.microseconds} us of the device's clock, not {least_seconds:g} s",
                hint="does its clock stand still? Check the board's clocks",
            )
        rest = (self.infer(count, 0, timeout_s=timeout_s) for _ in range(runs - 1))
        return Performance((first, *rest))

    def accuracy(
        self,
        inputs: Sequence[bytes],
        labels: Sequence[int],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[float, list[tuple[float, ...]]]:
        """Accuracy mode: (top-1 accuracy over labelled inputs, results of each)."""
        if not inputs or len(inputs) != len(labels):
            raise ValueError(f"{len(inputs)} inputs and {len(labels)} labels")
        results = []
        for number, data in enumerate(inputs):
            self.load(data)
            results.append(self.infer().results)
            if progress:
                progress(number + 1, len(inputs))
        right = sum(max(range(len(r)), key=r.__getitem__) == label for r, label in zip(results, labels, strict=True))
        return right / len(labels), results

    def _results(self, lines: list[str]) -> tuple[float, ...]:
        values = self._told(lines, r"m-results-\[([^]]*)\]").split(",")
        if not all(_NUMBER.fullmatch(value) for value in values):
            raise ProtocolError(f"m-results of {','.join(values)[:60]!r}", hint="this is a bug, please report it")
        return tuple(float(value) for value in values)

    def _told(self, lines: list[str], pattern: str) -> str:
        for line in lines:
            found = re.fullmatch(pattern, line)
            if found:
                return found[1]
        raise ProtocolError(
            f"no line like {pattern} in the answer", hint="is it another firmware?", details="\n".join(lines)
        )

    def _answer(self, timeout_s: float, doing: str) -> list[str]:
        """The lines of an answer, up to m-ready."""
        lines: list[str] = []
        deadline = time.monotonic() + timeout_s
        came, ended = len(self._held), 0
        while True:
            end = self._held.find(b"\n")
            if end >= 0:
                text = self._held[:end].decode("ascii", "replace").strip()
                self._held = self._held[end + 1 :]
                if text == READY:
                    return lines
                if text:
                    lines.append(text)
                ended += 1
                if ended > MOST_LINES:
                    raise _flood(doing, f"{MOST_LINES:,} lines")
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                kind = DeviceTimeoutError if came else NoBytesError
                raise kind(
                    f"'{doing}' was not answered within {max(timeout_s, 0):.3g} s",
                    hint="is it firmware of this language, at 115200 baud? Reset the board and try again",
                    details="\n".join(lines),
                )
            if len(self._held) > LINE_LIMIT:
                raise ProtocolError("a line without end", hint="is it another firmware, or another baud rate?")
            if came > MOST_BYTES:
                raise _flood(doing, f"{MOST_BYTES:,} bytes")
            if not self._coming:
                self._coming = self._transport.read(min(left, 0.1))
            self._held += self._coming[:_SLICE]
            came += len(self._coming[:_SLICE])
            self._coming = self._coming[_SLICE:]


def _flood(doing: str, how_much: str) -> FloodError:
    return FloodError(
        f"the device answers '{doing}' without end: more than {how_much}",
        hint="reset the board; if it happens again, another firmware may be on it",
    )
