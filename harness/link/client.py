"""The host's side of the protocol: what a device can be asked to do. docs/protocol.md describes it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.elf.symbols import Symbols
from harness.errors import (
    BoardLostError,
    DamagedLineError,
    DeviceFaultError,
    DeviceRefusedError,
    DeviceTimeoutError,
    GarbageError,
    NoBytesError,
    ProtocolError,
    TinyhilError,
    VectorsError,
    WrongImageError,
)
from harness.link.claims import DeviceClaims, ModelClaims, check_watermarks
from harness.link.compare import Comparison, ExpectedLayers, can_compare
from harness.link.exchange import Exchange
from harness.link.faults import fault_error, parse_fault
from harness.link.gaps import read_touched
from harness.link.installation import PutProgress, SlotInfo, install, put, read_slot
from harness.link.limits import Pace
from harness.link.models import read_model
from harness.link.paint import touched
from harness.link.records import (
    DeviceInfo,
    Inference,
    LineCounts,
    ModelInfo,
    Watermarks,
    parse_hello,
    parse_line,
    parse_watermarks,
)
from harness.link.runs import FIRST_LIMIT_S, Runs
from harness.link.transfer import MOST_LOSSES, Transfer
from harness.link.transport import Transport
from harness.link.wire import PROTOCOL_VERSION, Kind, Mode, Space

RESTART_S = 1.0
"""How long a restart may take; it is told by READY, which may be lost."""

BAUD_TRIAL_S = 0.6
BAUD_BACK_S = 1.5
"""How long a new rate is tried, and how long the device may take after that to go back to the old one."""


class Client:
    """A session with a device.

    Attributes:
        info: what the device said in hello(), or None before it.
        exchange: what carries requests, for those who make one of their own.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        timeout_s: float = 10.0,
        elf: Path | None = None,
        explanation: Callable[[TinyhilError], TinyhilError | None] | None = None,
    ) -> None:
        """Start no exchange yet.

        Args:
            transport: the line; it stays the caller's to close.
            timeout_s: how long the device may be silent where it has nothing to compute.
            elf: the image, for function names and source lines in fault reports.
            explanation: asked for a better error when a model fails or the board is lost; see Session.explanation.
        """
        self._explanation = explanation
        self.info: DeviceInfo | None = None
        self.exchange = Exchange(transport, timeout_s, self._fault)
        self._transfer = Transfer(self.exchange)
        self._runs = Runs(self._transfer)
        self._symbols = Symbols(elf) if elf is not None else None
        self._models: dict[int, ModelInfo] = {}
        self._model: ModelInfo | None = None

    @property
    def retries(self) -> int:
        """Requests that had to be sent again so far."""
        return self.exchange.retries

    # --- what the device is --------------------------------------------------------------------------------------

    def hello(
        self,
        expect_build_id: str | None = None,
        expect_board: str | None = None,
        *,
        timeout_s: float | None = None,
        claims: DeviceClaims | None = None,
    ) -> DeviceInfo:
        """Open a session and learn what the device is.

        Args:
            expect_build_id, expect_board: what it should be; None for any.
            timeout_s: how long it may be silent; None for the client's time limit.
            claims: what else is known of the image; None to believe the device.

        Raises:
            WrongImageError: another build, built for another board, or not what is known of it.
            NoBytesError: not a byte came within the time limit.
            GarbageError: bytes came, but no frame.
            ProtocolError: another protocol version.
        """
        info = self._greet(timeout_s)
        self.info = info
        self._models.clear()
        self._select(None)
        self._transfer.set_frame_limit(info.frame_limit)
        if expect_build_id is not None and info.build_id != expect_build_id:
            raise WrongImageError(
                f"the device runs build {info.build_id or '(none)'} for {info.board}, not {expect_build_id}",
                hint="the new image was not loaded, or this is another board; load it again",
            )
        if expect_board is not None and info.board != expect_board:
            raise WrongImageError(
                f"the device runs an image for {info.board}, not for {expect_board}",
                hint="choose the board that is attached",
            )
        if claims is not None:
            claims.check(info)
        return info

    def model(self, index: int, expected: ModelClaims | None = None) -> ModelInfo:
        """What a model in the image is.

        Args:
            index: its number on the device.
            expected: what it must be; None to believe the device. What was read before is not checked again.

        Raises:
            DeviceRefusedError: there is no such model.
            WrongImageError: it is another one than expected.
        """
        if index in self._models:
            return self._models[index]
        pace = Pace(f"reading the tables of model {index}", self.exchange.timeout_s)

        def ask(body: bytes) -> bytes:
            answer = self._transfer.ask(Kind.MODEL, body, answer_size=256, timeout_s=pace.left())
            pace.add(len(answer))
            return answer

        info = read_model(ask, index, expected)
        self._models[index] = info
        return info

    def models(self) -> tuple[ModelInfo, ...]:
        """All models in the image."""
        return tuple(self.model(index) for index in range(self._known().model_count))

    def raise_baud(self, fast: int, slow: int, set_baud: Callable[[int], None]) -> bool:
        """Go on at a higher rate if both ends can; at the old one if not. True when the higher one is in use.

        A device that gets no undamaged frame at the new rate goes back to the old by itself.

        Args:
            fast, slow: bits a second: the rate to go to, and that of now.
            set_baud: sets our end's rate.

        Raises:
            LinkError: neither rate works any more.
        """
        info = self._known()
        try:
            self._transfer.ask(Kind.BAUD, fast.to_bytes(4, "little"))
        except DeviceRefusedError:
            return False
        set_baud(fast)
        self.exchange.rate_changed(None)
        try:
            self.hello(info.build_id, info.board, timeout_s=BAUD_TRIAL_S)
        except (NoBytesError, GarbageError, DamagedLineError, DeviceTimeoutError):
            set_baud(slow)
            self.exchange.rate_changed(None)
            time.sleep(BAUD_BACK_S)
            self.hello(info.build_id, info.board)
            return False
        counts = self.line()
        if counts is not None and counts.baud == slow:  # it went back, and our end had never left the old rate
            set_baud(slow)
            return False
        self.exchange.rate_changed(lambda: set_baud(slow))
        return True

    def line(self) -> LineCounts | None:
        """What the device saw on its serial line; None where it has none. Raises LinkError."""
        return parse_line(self._transfer.ask(Kind.LINE, answer_size=16))

    # --- its slot ---

    def slot(self) -> SlotInfo:
        """What the device's slot for relocatable models is. Raises DeviceRefusedError where it has none."""
        return read_slot(self._transfer)

    def install(
        self, file: bytes, weights: bytes = b"", *, weights_align: int = 4, progress: PutProgress | None = None
    ) -> None:
        """Send a relocatable model to the slot, and make it the device's model.

        Args:
            file: NAME.bin.
            weights: NAME_weights.bin; none where they are not apart.
            weights_align: of their address, a power of two that is at most 32.
            progress: called with ("send", bytes, all bytes).

        Raises:
            DeviceRefusedError: it has no room, or does not run there, and why.
        """
        at = -(-len(file) // weights_align) * weights_align if weights else 0
        put(self._transfer, 0, file.ljust(at, b"\0") + weights, progress)
        self._models.clear()
        self._select(None)
        install(self._transfer, len(file), (at, len(weights)), FIRST_LIMIT_S)

    # --- running -------------------------------------------------------------------------------------------------

    def init(self, model: int, paint_seed: int = 0) -> None:
        """Paint the arena, then set the model and its states to their beginning.

        Args:
            model: its index in the image.
            paint_seed: 32 bits; harness.link.paint has the pattern.

        Raises:
            DeviceRefusedError: no such model, or its init failed.
        """
        info = self.model(model)
        body = model.to_bytes(2, "little") + (paint_seed & 0xFFFFFFFF).to_bytes(4, "little")
        self._select(info)
        doing = f"init of model {info.name}"
        self._transfer.until_received(
            Kind.INIT, lambda: self._transfer.ask_long(Kind.INIT, body, limit_s=FIRST_LIMIT_S, doing=doing)
        )

    def infer(
        self,
        inputs: Sequence[bytes],
        *,
        layers: bool = False,
        expected: ExpectedLayers | None = None,
        profile: bool = False,
        layer_stack: bool = False,
        limit_s: float | None = None,
    ) -> Inference:
        """Run the model once.

        Args:
            inputs: bytes of every input tensor.
            layers: fetch what each layer writes, stopping after each.
            expected: with layers, what they should write: a device that can compare stops only where they write
                something else.
            profile: count ticks per layer.
            layer_stack: measure stack per layer.
            limit_s: seconds the inference may take; None for 120 s at first, then 20 times the
                longest so far, at least 10 s.

        Raises:
            VectorsError: inputs do not have the model's sizes.
            TinyhilError: what `explanation` says of a model that reports failure, or of a lost board.
            DeviceRefusedError: the model reports failure; or profiling is asked of a tick counter that stands still.
            DeviceTimeoutError: no answer within limit_s.
            DeviceFaultError, StackOverflowError: the firmware stopped in a fault handler.
        """
        model = self._selected()
        sizes = tuple(len(data) for data in inputs)
        if sizes != model.inputs:
            raise VectorsError(
                f"model {model.name} takes inputs of {model.inputs} bytes, not {sizes}", hint="check shapes and types"
            )
        info = self._known()
        if profile and not info.ticks_run:
            raise DeviceRefusedError(
                f"the tick counter of {info.board} stands still",
                hint="validate without profile, or check the board's clocks",
            )
        comparison = None
        if layers and expected is not None and not layer_stack and can_compare(model, info):
            comparison = Comparison(model, expected)
        step = layers and comparison is None
        mode = Mode.PROFILE * profile | Mode.STEP * step | Mode.LAYER_STACK * layer_stack
        mode |= Mode.COMPARE * (comparison is not None)
        try:
            return self._runs.infer(model, info, inputs, Mode(mode), limit_s, comparison)
        except (DeviceRefusedError, BoardLostError) as refused:
            better = None if self._explanation is None else self._explanation(refused)
            if better is None:
                raise
            raise better from refused

    def watermarks(self) -> Watermarks:
        """Stack and arena use since init. Raises DeviceRefusedError before init."""
        marks = parse_watermarks(self._transfer.ask(Kind.WATERMARK, answer_size=32))
        check_watermarks(marks, self._model)
        return marks

    def read_arena(self, offset: int = 0, size: int | None = None) -> bytes:
        """Bytes of the selected model's arena; size None for all from offset."""
        length = self._selected().arena_size - offset if size is None else size
        return self._transfer.read(Space.ARENA, 0, 0, offset, length)

    def touched(self, paint_seed: int) -> NDArray[np.bool_]:
        """By byte of the selected model's arena, whether it lost the paint that init() made with this seed."""
        if self._known().compares:
            return read_touched(self._transfer, self._selected().arena_size)
        return touched(self.read_arena(), paint_seed)

    def reset(self) -> None:
        """Restart the firmware, even out of its fault handler; hello() comes next."""
        self._transfer.ask(Kind.RESET, ignore_faults=True)
        self.exchange.await_ready(RESTART_S)
        self.info = None
        self._select(None)

    def provoke(self, what: int) -> None:
        """Make the device fail, in an image built for tests of that; docs/protocol.md has the numbers.

        Raises:
            DeviceRefusedError: the image is not built for it.
        """
        doing, limit = f"provoked fault {what}", self.exchange.timeout_s
        body = bytes((what,))
        self._transfer.until_received(
            Kind.TEST, lambda: self._transfer.ask_long(Kind.TEST, body, limit_s=limit, doing=doing)
        )

    # --- pieces --------------------------------------------------------------------------------------------------

    def _greet(self, timeout_s: float | None) -> DeviceInfo:
        """HELLO until the answer is to this host's, and not to one before it."""
        nonce = random.SystemRandom().getrandbits(32)
        body = PROTOCOL_VERSION.to_bytes(2, "little") + nonce.to_bytes(4, "little")
        until = time.monotonic() + (self.exchange.timeout_s if timeout_s is None else timeout_s)
        tries = 0
        while tries < MOST_LOSSES and (tries == 0 or time.monotonic() < until):
            tries += 1
            left = max(until - time.monotonic(), 0.0)
            try:
                answer = self._transfer.ask(Kind.HELLO, body, answer_size=128, timeout_s=left)
            except DeviceTimeoutError:
                if tries == 1:
                    raise
                break
            info, returned = parse_hello(answer)
            if returned == nonce:
                return info
        raise ProtocolError(
            f"the device answered {tries} times to another host than this one",
            hint="does another program use the board's line? Reset the board",
        )

    def _select(self, model: ModelInfo | None) -> None:
        self._model = model
        self._transfer.model = "?" if model is None else model.name

    def _fault(self, body: bytes) -> TinyhilError:
        """The error that a fault frame stands for."""
        fault = parse_fault(body)
        where = "the runtime"
        if fault.phase != "idle":
            model = self._models.get(fault.model)
            where = f"{fault.phase} of model {model.name if model is not None else fault.model}"
            if fault.layer is not None:
                known = model is not None and fault.layer < len(model.layers)
                where += f", layer {model.layers[fault.layer].name if model is not None and known else fault.layer}"
        error: DeviceFaultError = fault_error(fault, where, self._symbols)
        return error

    def _known(self) -> DeviceInfo:
        if self.info is None:
            raise ProtocolError("no session with the device", hint="call hello() first")
        return self.info

    def _selected(self) -> ModelInfo:
        if self._model is None:
            raise ProtocolError("no model is selected", hint="call init() first")
        return self._model
