"""A host for MLPerf Tiny's serial language: commands, performance runs, accuracy runs.

Not the benchmark's own runner and no way to make a submission: a means to try a firmware before the official host does.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.errors import DeviceRefusedError, DeviceTimeoutError, NoBytesError, ProtocolError
from harness.link.transport import Transport

READY = "m-ready"
BYTES_PER_COMMAND = 31
"""As many as the benchmark's runner sends: its own firmware takes commands of 80 characters."""
LINE_LIMIT = 1 << 20
"""The most bytes that a device may send without ending a line."""
# Enough for inferences that take a fiftieth of what the first one took
_MOST_RUNS = 64
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|inf)|nan")


@dataclass(frozen=True)
class Laps:
    """One `infer`.

    Attributes:
        inferences: how many were timed.
        microseconds: of the device's own clock, for all of them together.
        results: what came out of the last.
    """

    inferences: int
    microseconds: int
    results: tuple[float, ...]

    @property
    def latency_us(self) -> float:
        """Microseconds an inference."""
        return self.microseconds / self.inferences


@dataclass(frozen=True)
class Performance:
    """Several timed runs of one input, as the benchmark's performance mode makes them."""

    runs: tuple[Laps, ...]

    @property
    def latency_us(self) -> float:
        """Median over the runs of microseconds an inference."""
        return statistics.median(run.latency_us for run in self.runs)

    @property
    def throughput(self) -> float:
        """Median inferences a second of the device's own clock; infinite where that did not move."""
        return float("inf") if self.latency_us == 0 else 1e6 / self.latency_us


class MlperfClient:
    """Speaks with a device; the transport is somebody else's to open and close."""

    def __init__(self, transport: Transport, *, timeout_s: float = 10.0) -> None:
        """timeout_s: how long a command may take that does not compute."""
        self._transport = transport
        self._timeout_s = timeout_s
        self._held = b""

    def wait_ready(self) -> None:
        """Wait until the device listens, whether it has just started or stands in the middle of a command.

        Raises:
            NoBytesError, DeviceTimeoutError: it does not answer.
        """
        tries = 3
        for attempt in range(tries):
            self._transport.write(b"%name%")  # the first mark ends whatever a disturbance began
            deadline = time.monotonic() + self._timeout_s / tries
            while True:
                try:  # what it said at start, and of the mark, may come before the name
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
        """Answers to what was asked more than once; what comes for longer than the time limit is not waited for."""
        deadline = time.monotonic() + self._timeout_s
        while self._transport.read(0.2) and time.monotonic() < deadline:
            pass
        self._held = b""

    def command(self, text: str, *, timeout_s: float | None = None, refuse: bool = True) -> list[str]:
        """Send a command; returns the lines of the answer without m-ready.

        Args:
            text: the command without its end.
            timeout_s: how long it may take; None for the client's.
            refuse: raise when the device answers with an error.

        Raises:
            DeviceRefusedError: a line of the answer is e-[...].
            NoBytesError, DeviceTimeoutError: no answer, or none that ends.
            ProtocolError: a line without end.
        """
        self._transport.write(text.encode("ascii") + b"%")
        lines = self._answer(self._timeout_s if timeout_s is None else timeout_s, text[:40])
        refused = [line for line in lines if line.startswith("e-[")]
        if refuse and refused:
            raise DeviceRefusedError(
                f"'{text[:40]}': {refused[0]}", hint="docs/mlperf.md explains the commands", details="\n".join(lines)
            )
        return lines

    def name(self) -> str:
        """Which board it says it is."""
        return self._told(self.command("name"), r"m-name-dut-\[([^]]+)\]")

    def model_id(self) -> str:
        """Which model it says it has."""
        return self._told(self.command("profile"), r"m-model-\[([^]]+)\]")

    def timestamp(self) -> int:
        """Microseconds on the device's own clock."""
        return int(self._told(self.command("timestamp"), r"m-lap-us-(\d+)"))

    def load(self, data: bytes) -> None:
        """Send an inference's input.

        Raises:
            ProtocolError: the device does not say that it has it all.
        """
        lines = self.command(f"db load {len(data)}")
        for start in range(0, len(data), BYTES_PER_COMMAND):
            lines = self.command(f"db {data[start : start + BYTES_PER_COMMAND].hex()}")
        if "m-load-done" not in lines:
            raise ProtocolError(f"no m-load-done after {len(data)} bytes", hint="reset the device and try again")

    def infer(self, inferences: int = 1, warmups: int = 0, *, timeout_s: float = 120.0) -> Laps:
        """Run the loaded input.

        Raises:
            DeviceRefusedError: the device cannot.
            ProtocolError: its answer lacks times or results.
        """
        lines = self.command(f"infer {inferences} {warmups}", timeout_s=timeout_s)
        laps = [int(found[1]) for line in lines if (found := re.fullmatch(r"m-lap-us-(\d+)", line))]
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
        """Performance mode: as many inferences a run as last `least_seconds` of the device's clock.

        The benchmark wants 10 s and five runs. An emulated device's clock is virtual: those 10 s may take longer here.

        Raises:
            ProtocolError: the device's clock hardly moves, or not at all.
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
        """Accuracy mode: top-1 over labelled inputs, and all results."""
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
        """Lines up to m-ready."""
        lines: list[str] = []
        deadline = time.monotonic() + timeout_s
        heard = bool(self._held)
        while True:
            line, found, rest = self._held.partition(b"\n")
            if found:
                self._held = rest
                text = line.decode("ascii", "replace").strip()
                if text == READY:
                    return lines
                if text:
                    lines.append(text)
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                kind = DeviceTimeoutError if heard or lines else NoBytesError
                raise kind(
                    f"'{doing}' was not answered within {max(timeout_s, 0):.3g} s",
                    hint="is it firmware of this language, at 115200 baud? Reset the board and try again",
                    details="\n".join(lines),
                )
            if len(self._held) > LINE_LIMIT:
                raise ProtocolError("a line without end", hint="is it another firmware, or another baud rate?")
            data = self._transport.read(min(left, 0.1))
            heard = heard or bool(data)
            self._held += data
