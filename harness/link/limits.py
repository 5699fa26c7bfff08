"""What a device may claim and send: all bounds of the host's, in time and bytes. docs/protocol.md tells them.

A device that is broken or hostile meets one of them in every operation: each wait ends, whatever comes meanwhile.
"""

from __future__ import annotations

import time
from collections import Counter

from harness.errors import DeviceTimeoutError, FloodError, GarbageError, ProtocolError, TinyhilError
from harness.link.framing import Frame, kind_name

MOST_TENSORS = 1_000
"""Most inputs, or outputs, that a device may claim of a model, and outputs of one layer."""

MOST_LAYERS = 10_000
"""Most layers of a model; as many operators as are imported."""

MOST_BYTES = 64 << 20
"""Most bytes of an arena, of all inputs, of all outputs, and of what one layer writes."""

FLOOD_BYTES = 1 << 20
"""Most bytes that may come while one answer is waited for; the answer itself has 64 KiB at most."""

FLOOD_FRAMES = 1_000
"""Most frames that may come meanwhile and are not the answer."""

FLOOD_DAMAGE = 10_000
"""Most damaged frames that may come meanwhile."""

LEAST_RATE = 500
"""Bytes a second that long data must come with, once the time limit of one answer has passed."""

STOP_S = 2.0
"""Seconds that each stop after a layer may add to an inference's time limit."""

_ANSWER_COST = 32
_SHOWN_KINDS = 4


class Strangers:
    """What came while one answer was waited for, and was not it."""

    def __init__(self) -> None:
        self._bytes = 0
        self._frames: Counter[int] = Counter()
        self._damaged = 0

    def take(self, size: int) -> None:
        """So many bytes came.

        Raises:
            FloodError, GarbageError: too many; garbage if there was no frame among them.
        """
        self._bytes += size
        if self._bytes > FLOOD_BYTES:
            raise self._flood(f"{FLOOD_BYTES:,} bytes")

    def meet(self, frame: Frame) -> None:
        """A frame came that is not the answer. Raises FloodError: too many have come."""
        self._frames[frame.kind] += 1
        if self._frames.total() > FLOOD_FRAMES:
            raise self._flood(f"{FLOOD_FRAMES:,} frames")

    def meet_damage(self) -> None:
        """A damaged frame came. Raises FloodError, GarbageError: too many have come."""
        self._damaged += 1
        if self._damaged > FLOOD_DAMAGE:
            raise self._flood(f"{FLOOD_DAMAGE:,} damaged frames")

    def told(self) -> str:
        """The frames by their types, as a line for an error's details; "" where none came."""
        kinds = [f"{kind_name(kind)} ({count})" for kind, count in self._frames.most_common(_SHOWN_KINDS)]
        more = ", ..." if len(self._frames) > _SHOWN_KINDS else ""
        return f"other frames came meanwhile: {', '.join(kinds)}{more}" if kinds else ""

    def _flood(self, how_much: str) -> TinyhilError:
        if not self._frames:
            return GarbageError(
                f"the device sends bytes, but no valid frame: {how_much} in answer to one request",
                hint="another program on the board, or a wrong baud rate? The transcript shows the bytes",
            )
        return FloodError(
            f"the device sends without end: more than {how_much} while one answer was waited for",
            hint="reset the board; if it happens again, another firmware than tinyhil's may be on it",
            details=self.told(),
        )


class Pace:
    """The time limit of an operation of many requests: it must get on at LEAST_RATE after the first answer's limit."""

    def __init__(self, doing: str, head_start_s: float) -> None:
        """doing: what it does, for the error; head_start_s: time limit of a single answer."""
        self._doing = doing
        self._head_start_s = head_start_s
        self._start = time.monotonic()
        self._done = 0

    def add(self, size: int) -> None:
        """So many bytes of it are done, in one answer."""
        self._done += size + _ANSWER_COST

    def left(self) -> float:
        """Seconds that the next answer may take; more than 0.

        Raises:
            DeviceTimeoutError: none.
        """
        passed = time.monotonic() - self._start
        left = self._head_start_s + self._done / LEAST_RATE - passed
        if left > 0:
            return min(left, self._head_start_s)
        raise DeviceTimeoutError(
            f"{self._doing}: after {passed:.1f} s the device has done less than {LEAST_RATE} bytes a second of it",
            hint="the line is too bad or too slow to work with: cable, baud rate? Reset the board",
        )


def check_claim(claimed: int, most: int, what: str) -> None:
    """Raises ProtocolError if a device claims more of something than any model has."""
    if claimed > most:
        raise ProtocolError(
            f"the device claims {claimed:,} {what}, more than the {most:,} of any model",
            hint="the firmware is damaged or another one; load the image again",
        )
