"""Client of the calibration firmware, which takes lines of text (firmware/calibrate/calibrate_serve.c)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harness.errors import DeviceTimeoutError, NoBytesError, ProtocolError

if TYPE_CHECKING:
    from harness.link.transport import Transport

_TIMEOUT_S = 60.0
_ANSWER_LIMIT = 200
# Of lines that were received before; a serial port holds some kilobytes
_MOST_REFUSALS = 1_000
_MOST_DIGITS = 18


class CalibrationClient:
    """A client over an open transport, which the caller closes."""

    def __init__(self, transport: Transport, *, timeout_s: float = _TIMEOUT_S) -> None:
        """timeout_s: time limit of an answer in seconds."""
        self._transport = transport
        self._timeout_s = timeout_s
        self._held = b""

    def check(self, build_id: str, functions: int) -> None:
        """Checks that the device runs the image with this build id.

        Raises:
            ProtocolError: it is another; NoBytesError, DeviceTimeoutError: nothing answers.
        """
        said = self._ask("\n?").split()  # the line's end completes whatever was received before
        for _ in range(_MOST_REFUSALS):
            if said[:1] != ["!"]:
                break
            said = self._line().split()
        if said[:3] != ["calibrate", build_id, str(functions)]:
            raise ProtocolError(
                f"'{' '.join(said)[:60]}' is not build {build_id} with {functions} functions",
                hint="reset the board and try again",
            )

    def ticks(self, function: int, iterations: int) -> int:
        """Ticks of `iterations` iterations of a function's loop.

        Raises:
            ProtocolError: it says something else, such as a fault; NoBytesError, DeviceTimeoutError: nothing.
        """
        said = self._ask(f"{function} {iterations}").split()
        if len(said) != 2 or said[0] != "=" or not said[1].isdigit() or len(said[1]) > _MOST_DIGITS:
            raise ProtocolError(f"'{' '.join(said)[:60]}' for loop function {function}", hint="`tinyhil docs cycles`")
        return int(said[1])

    def _ask(self, text: str) -> str:
        self._transport.write(text.encode("ascii") + b"\n")
        return self._line()

    def _line(self) -> str:
        deadline = time.monotonic() + self._timeout_s
        while b"\n" not in self._held:
            left = deadline - time.monotonic()
            if left <= 0 or len(self._held) > _ANSWER_LIMIT:
                kind = DeviceTimeoutError if self._held else NoBytesError
                raise kind(f"no answer within {self._timeout_s:g} s", hint="reset the board and try again")
            self._held += self._transport.read(min(left, 0.1))
        line, _, self._held = self._held.partition(b"\n")
        line = line[-_ANSWER_LIMIT:]
        return line.decode("ascii", "replace").strip()
