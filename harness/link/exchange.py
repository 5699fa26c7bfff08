"""One request and its answer over a line that loses, damages and invents bytes.

Short requests are sent again until they are answered: the device carries out each sequence number once. A long request
(init, invoke, continue) is acknowledged when it begins; from then on its answer is asked for again, never the request.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable

from harness.errors import (
    DamagedLineError,
    DeviceRestartedError,
    DeviceTimeoutError,
    GarbageError,
    NoBytesError,
    TinyhilError,
)
from harness.link.framing import Damage, Frame, FrameDecoder, encode, kind_name
from harness.link.limits import Strangers
from harness.link.transport import Transport
from harness.link.wire import ANSWER, AnswerStatus, Kind

_NO_SESSION = bytes((AnswerStatus.NO_SESSION,))
_FIRST_WAIT_S = 0.25
_LEAST_WAIT_S = 0.03
_MOST_WAIT_S = 2.0
_WAIT_FACTOR = 8.0
# Besides its bytes an exchange costs about as much as this many bytes
_BASE_BYTES = 64
# Resending at once on damage, at most this often a request: garbage must not make us flood the line
_QUICK_RESENDS = 8
# Bytes that are made frames at a time: a burst of a transport's buffer would become many objects at once
_SLICE = 16_384


class NotReceivedError(Exception):
    """The device has not got the request, and will not: the caller may send it in another form."""


class Exchange:
    """Requests and answers on a transport.

    Attributes:
        timeout_s: how long the device may be silent, in seconds.
        retries: requests sent again so far.
        damaged: damaged stretches received so far.
    """

    def __init__(self, transport: Transport, timeout_s: float, on_fault: Callable[[bytes], TinyhilError]) -> None:
        """timeout_s: how long the device may be silent; on_fault: turns a fault frame's body into an error."""
        self._transport = transport
        self.timeout_s = timeout_s
        self._on_fault = on_fault
        self._decoder = FrameDecoder()
        self._held = b""  # came, and is not yet made frames
        self._events: deque[Frame | Damage] = deque()
        self._strangers = Strangers()  # since the last answer
        self._answered = True
        self._sequence = random.SystemRandom().randrange(0x10000)
        self._greeted = False
        self._any_bytes = False
        self._any_frame = False
        self._seconds_per_byte: float | None = None
        self._noise = 0  # bytes since the last frame
        self._vain_waits = 0  # since the last frame
        self._lower: Callable[[], None] | None = None
        self._damage_told = 0  # frames in which the device told of damage, since the present request
        self.retries = 0
        self.damaged = 0

    def make(self, kind: Kind, body: bytes = b"") -> tuple[bytes, int]:
        """The next request as a frame that is not sent, and its sequence number."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        return encode(kind, self._sequence, body), self._sequence

    def short(
        self,
        kind: Kind,
        body: bytes = b"",
        *,
        answer_size: int = 0,
        tries: int | None = None,
        ignore_faults: bool = False,
        timeout_s: float | None = None,
    ) -> bytes:
        """Send a request that is carried out at once; returns the answer: status, body.

        Args:
            kind, body: the request.
            answer_size: bytes of body to expect, for timing only.
            tries: give up after so many sendings with NotReceivedError; None to go on until the time limit.
            ignore_faults: go on when a fault frame comes.
            timeout_s: how long the device may be silent; None for what the exchange was made with.

        Raises:
            NotReceivedError: see tries.
            NoBytesError, GarbageError, DamagedLineError, DeviceTimeoutError: no answer within the time limit.
            FloodError: too much else came.
            BoardLostError: the stream ended.
            DeviceRestartedError: the device started anew.
            DeviceFaultError: a fault frame came instead.
        """
        frame, sequence = self.make(kind, body)
        size = len(frame) + answer_size + _BASE_BYTES
        timeout_s = self.timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + timeout_s
        self._begin(kind)
        wait = self._first_wait(size)
        sent, quick = 0, _QUICK_RESENDS
        while tries is None or sent < tries:
            self._transport.write(frame)
            start = time.monotonic()
            self.retries += sent > 0
            sent += 1
            event = self._answer(kind, sequence, min(start + wait, deadline), quick > 0, ignore_faults)
            if isinstance(event, Frame) and event.kind != Kind.DAMAGED:
                if sent == 1:
                    self._learn((time.monotonic() - start) / size)
                return event.body
            if event is None:
                wait = min(wait * 2, _MOST_WAIT_S)
                self._waited_in_vain()
            else:
                quick -= 1
            if time.monotonic() >= deadline:
                raise self._silence(f"{kind_name(kind)} was not answered for {timeout_s:.3g} s", "")
        raise NotReceivedError

    def _answer(
        self, kind: Kind, sequence: int, until: float, heed_damage: bool, ignore_faults: bool
    ) -> Frame | Damage | None:
        """The answer, or if heeded a sign of damage on one of the two ways; None when `until` has come.

        READY is no sign of anything: it may be left over from an earlier start. If the device has really started anew,
        it knows nothing of the session, and says so when the request is sent again.
        """
        while (event := self._next(until)) is not None:
            if isinstance(event, Frame):
                if event.kind == (kind | ANSWER) and event.sequence == sequence:
                    self._check_session(event, kind)
                    self._answered = True
                    return event
                if event.kind == (kind | ANSWER):
                    self._be_patient()
                if not (ignore_faults and event.kind == Kind.FAULT):
                    self._check_unasked(event, sequence, kind)
                self._strangers.meet(event)
                if event.kind != Kind.DAMAGED:
                    continue
            if heed_damage:
                return event
        return None

    def long(self, kind: Kind, body: bytes, *, limit_s: float, expected_s: float, doing: str) -> bytes:
        """Send a request that may take long; returns the answer: status, body.

        Args:
            kind, body: the request.
            limit_s: seconds it may take once begun.
            expected_s: a guess of that, for deciding when to ask again.
            doing: what it does, for the error.

        Raises:
            NotReceivedError: the device surely has not begun it, nor ever will.
            DeviceTimeoutError: begun, but not ended within limit_s; or no answer at all within the time limit.
            NoBytesError, GarbageError, BoardLostError, DeviceFaultError: as in short().
        """
        frame, sequence = self.make(kind, body)
        again = encode(Kind.REPEAT, sequence)
        self._begin(kind)
        self._transport.write(frame)
        start = time.monotonic()
        deadline = start + self.timeout_s
        wait = self._first_wait(len(frame) + _BASE_BYTES)
        begun = False
        asked = False  # after READY, whether the device still knows of the request
        quick = _QUICK_RESENDS
        while True:
            event = self._next(min(time.monotonic() + wait, deadline))
            if isinstance(event, Frame):
                if event.kind == (kind | ANSWER) and event.sequence == sequence:
                    self._check_session(event, kind)
                    self._answered = True
                    return event.body
                unknown = event.kind == (Kind.REPEAT | ANSWER) and event.body[:1] != _NO_SESSION
                if unknown and event.sequence == sequence:
                    raise NotReceivedError
                if event.kind == Kind.ACCEPTED and event.sequence == sequence and not begun:
                    begun = True
                    self._learn((time.monotonic() - start) / (len(frame) + _BASE_BYTES))
                    deadline = time.monotonic() + limit_s
                    wait = max(2 * expected_s, _LEAST_WAIT_S)
                self._check_unasked(event, sequence, kind)
                self._strangers.meet(event)
                restarted = event.kind == Kind.READY and not asked
                asked |= restarted
                if event.kind != Kind.DAMAGED and not restarted:
                    continue
            if event is None:
                wait = min(wait * 2, max(_MOST_WAIT_S, limit_s / 8 if begun else 0.0))
                self._waited_in_vain()
            elif quick > 0:
                quick -= 1
            else:
                continue
            if time.monotonic() >= deadline:
                if begun:
                    raise self._silence(f"{doing} did not end within {limit_s:g} s", "it began, then nothing more came")
                raise self._silence(f"{kind_name(kind)} was not answered for {self.timeout_s:g} s", "")
            self.retries += 1
            self._transport.write(again)

    def rate_changed(self, lower: Callable[[], None] | None) -> None:
        """Begin anew with what comes: the line has another rate now.

        Args:
            lower: goes back to the rate that the device has after a reset; called once when only noise comes, as
                after a power failure. None where this is that rate.
        """
        self._decoder = FrameDecoder()
        self._held = b""
        self._events.clear()
        self._answered = True
        self._seconds_per_byte = None
        self._noise = self._vain_waits = 0
        self._lower = lower

    def await_ready(self, limit_s: float) -> bool:
        """Wait for the device to say that it has started; False when it has not within limit_s seconds."""
        until = time.monotonic() + limit_s
        self._begin(Kind.RESET)
        while (event := self._next(until)) is not None:
            if isinstance(event, Frame):
                if event.kind == Kind.READY:
                    return True
                self._strangers.meet(event)
        return False

    def _begin(self, kind: Kind) -> None:
        """A wait for an answer begins, or goes on for a request that is sent anew because it was lost."""
        self._damage_told = 0
        if self._answered or kind is Kind.HELLO:
            self._strangers = Strangers()
        self._answered = False

    def _next(self, until: float) -> Frame | Damage | None:
        """The next event; None when `until` has come. Bytes that keep coming do not put it off."""
        while not self._events:
            left = until - time.monotonic()
            if left <= 0:
                return None
            data = self._held or self._transport.read(left)
            if data:
                part, self._held = data[:_SLICE], data[_SLICE:]
                self._any_bytes = True
                self._noise += len(part)
                self._strangers.take(len(part))
                self._events.extend(self._decoder.feed(part))
        event = self._events.popleft()
        if isinstance(event, Damage):
            self.damaged += 1
            self._strangers.meet_damage()
        else:
            self._any_frame = True
            self._noise = self._vain_waits = 0
            self._damage_told += event.kind == Kind.DAMAGED
        return event

    def _waited_in_vain(self) -> None:
        """Noise and no frame, twice: the device may be back at the rate of its start."""
        self._vain_waits += 1
        if self._lower is not None and self._noise and self._vain_waits >= 2:
            lower, self._lower = self._lower, None
            lower()
            self.rate_changed(None)

    def _check_unasked(self, frame: Frame, sequence: int, kind: Kind) -> None:
        """Faults, and that the device has started anew."""
        if frame.kind == Kind.FAULT:
            raise self._on_fault(frame.body)
        if frame.kind & ANSWER and frame.sequence == sequence:
            self._check_session(frame, kind)

    def _check_session(self, answer: Frame, kind: Kind) -> None:
        """Of an answer: that the device knows of the session, and so has not started anew since HELLO."""
        if kind is Kind.HELLO:
            self._greeted = True
        elif self._greeted and answer.body[:1] == _NO_SESSION:
            raise DeviceRestartedError(
                "the device started anew in the middle of a session",
                hint="a reset from outside, a watchdog or the power supply; run again",
            )

    def _first_wait(self, size: int) -> float:
        if self._seconds_per_byte is None:
            return _FIRST_WAIT_S
        return min(max(_WAIT_FACTOR * self._seconds_per_byte * size, _LEAST_WAIT_S), _MOST_WAIT_S)

    def _learn(self, seconds_per_byte: float) -> None:
        old = self._seconds_per_byte
        self._seconds_per_byte = seconds_per_byte if old is None else 0.8 * old + 0.2 * seconds_per_byte

    def _be_patient(self) -> None:
        """A second answer to an earlier request came: it was late, not lost, and was asked for too soon."""
        if self._seconds_per_byte is not None:
            self._seconds_per_byte = min(self._seconds_per_byte * 2, _MOST_WAIT_S / _BASE_BYTES)

    def _silence(self, message: str, details: str) -> TinyhilError:
        details = "\n".join(filter(None, (details, self._strangers.told())))
        if not self._any_bytes:
            return NoBytesError(
                f"the device has not sent a byte in {self.timeout_s:g} s",
                hint="is the right port chosen, the board powered and the image for this board?",
            )
        if not self._any_frame:
            return GarbageError(
                "the device sends bytes, but no valid frame",
                hint="another program on the board, or a wrong baud rate? The transcript shows the bytes",
            )
        if self._damage_told:
            return DamagedLineError(
                f"{message}; the device told {self._damage_told} times that what it received was damaged",
                hint="bytes are lost on the way to it: a lower rate (`uart.fast_baud` in boards.yaml)? Another cable?",
                details=details,
            )
        return DeviceTimeoutError(
            message, hint="the firmware hangs or the line is broken; the next run starts it anew", details=details
        )
