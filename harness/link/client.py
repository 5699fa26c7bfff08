"""The host's side of the protocol: what a device can be asked to do. docs/protocol.md describes it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.elf.symbols import Symbols
from harness.errors import (
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
from harness.link.exchange import Exchange, NotReceivedError
from harness.link.faults import fault_error, parse_fault
from harness.link.framing import Kind
from harness.link.models import read_model
from harness.link.records import (
    DeviceInfo,
    Fields,
    Inference,
    LineCounts,
    ModelInfo,
    Watermarks,
    parse_hello,
    parse_line,
    parse_watermarks,
)
from harness.link.status import content_of
from harness.link.transport import Transport

VERSION = 1
_PROFILE, _STEP, _LAYER_STACK, _INLINE = 1, 2, 4, 8
_SPACE_OUTPUT, _SPACE_LAYER, _SPACE_TICKS, _SPACE_LAYER_STACK, _SPACE_ARENA = range(5)

# Bytes of a frame's content that are not data: head, CRC, and the longest request head
_FRAME_COST = 32
_LEAST_CHUNK = 24
# Outputs up to this size come with the answer to INVOKE, which cannot be asked for in smaller pieces
_OUTPUT_ROOM = 512
_TRIES_AT_A_SIZE = 3
# A line so bad that not even the shortest requests arrive, over and over
_MOST_LOSSES = 200
_FIRST_LIMIT_S = 120.0
_LEAST_LIMIT_S = 10.0
_LIMIT_FACTOR = 20.0
# A restart is told by READY, which may be lost
_RESTART_S = 1.0
# How long a new rate is tried, and how long the device may take after that to go back to the old one
_BAUD_TRIAL_S = 0.6
_BAUD_BACK_S = 1.5


class Client:
    """A session with a device.

    Attributes:
        info: what the device said in hello(), or None before it.
    """

    def __init__(self, transport: Transport, *, timeout_s: float = 10.0, elf: Path | None = None) -> None:
        """Start no exchange yet.

        Args:
            transport: the line; it stays the caller's to close.
            timeout_s: how long the device may be silent where it has nothing to compute.
            elf: the image, for function names and source lines in fault reports.
        """
        self.info: DeviceInfo | None = None
        self._exchange = Exchange(transport, timeout_s, self._fault)
        self._symbols = Symbols(elf) if elf is not None else None
        self._models: dict[int, ModelInfo] = {}
        self._model: ModelInfo | None = None
        self._chunk = 512
        self._chunk_limit = 512
        self._good = 0
        self._run = 0
        self._longest_s = 0.0
        self._typical_s = 0.0

    @property
    def retries(self) -> int:
        """Requests that had to be sent again so far."""
        return self._exchange.retries

    # --- what the device is --------------------------------------------------------------------------------------

    def hello(
        self, expect_build_id: str | None = None, expect_board: str | None = None, *, timeout_s: float | None = None
    ) -> DeviceInfo:
        """Open a session and learn what the device is.

        Args:
            expect_build_id, expect_board: what it should be; None for any.
            timeout_s: how long it may be silent; None for the client's time limit.

        Raises:
            WrongImageError: another build, or built for another board.
            NoBytesError: not a byte came within the time limit.
            GarbageError: bytes came, but no frame.
            ProtocolError: another protocol version.
        """
        nonce = random.SystemRandom().getrandbits(32)
        while True:
            body = VERSION.to_bytes(2, "little") + nonce.to_bytes(4, "little")
            answer = self._short(Kind.HELLO, body, answer_size=128, timeout_s=timeout_s)
            info, returned = parse_hello(answer)
            if returned == nonce:  # else it answers a host before us
                break
        self.info = info
        self._models.clear()
        self._model = None
        self._chunk_limit = info.frame_limit - _FRAME_COST
        self._chunk = self._chunk_limit
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
        return info

    def model(self, index: int) -> ModelInfo:
        """What a model in the image is.

        Raises:
            DeviceRefusedError: there is no such model.
        """
        if index in self._models:
            return self._models[index]
        info = read_model(lambda body: self._short(Kind.MODEL, body, answer_size=256), index)
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
            self._short(Kind.BAUD, fast.to_bytes(4, "little"))
        except DeviceRefusedError:
            return False
        set_baud(fast)
        self._exchange.rate_changed(None)
        try:
            self.hello(info.build_id, info.board, timeout_s=_BAUD_TRIAL_S)
        except (NoBytesError, GarbageError, DamagedLineError, DeviceTimeoutError):
            set_baud(slow)
            self._exchange.rate_changed(None)
            time.sleep(_BAUD_BACK_S)
            self.hello(info.build_id, info.board)
            return False
        counts = self.line()
        if counts is not None and counts.baud == slow:  # it went back, and our end had never left the old rate
            set_baud(slow)
            return False
        self._exchange.rate_changed(lambda: set_baud(slow))
        return True

    def line(self) -> LineCounts | None:
        """What the device saw on its serial line; None where it has none. Raises LinkError."""
        return parse_line(self._short(Kind.LINE, answer_size=16))

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
        self._model = info
        for _ in range(_MOST_LOSSES):
            try:
                self._check(
                    Kind.INIT,
                    self._exchange.long(
                        Kind.INIT, body, limit_s=_FIRST_LIMIT_S, expected_s=0.0, doing=f"init of model {info.name}"
                    ),
                )
                return
            except NotReceivedError:
                continue
        raise self._hopeless(Kind.INIT)

    def infer(
        self,
        inputs: Sequence[bytes],
        *,
        layers: bool = False,
        profile: bool = False,
        layer_stack: bool = False,
        limit_s: float | None = None,
    ) -> Inference:
        """Run the model once.

        Args:
            inputs: bytes of every input tensor.
            layers: fetch what each layer writes, stopping after each.
            profile: count ticks per layer.
            layer_stack: measure stack per layer.
            limit_s: seconds the inference may take; None for 120 s at first, then 20 times the
                longest so far, at least 10 s.

        Raises:
            VectorsError: inputs do not have the model's sizes.
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
        start = time.monotonic()
        limit = max(_LEAST_LIMIT_S, _LIMIT_FACTOR * self._longest_s) if limit_s is None else limit_s
        if limit_s is None and self._longest_s == 0.0:
            limit = _FIRST_LIMIT_S
        mode = _PROFILE * profile | _STEP * layers | _LAYER_STACK * layer_stack
        fields = self._invoke(model, inputs, mode, limit)
        collected: list[tuple[bytes, ...]] = []
        while fields.number(1):
            layer = fields.number(4)
            if not layers or layer != len(collected) or layer >= len(model.layers):
                raise ProtocolError(
                    f"the device stopped at layer {layer}", hint="run again; report this if it happens again"
                )
            fields.take(12)  # status and ticks, which say nothing before the end
            collected.append(self._tensors(_SPACE_LAYER, layer, model.layers[layer].outputs, fields))
            fields = self._continue(layer, limit)
        if layers and len(collected) != len(model.layers):
            raise ProtocolError(
                f"the device stopped at {len(collected)} of {len(model.layers)} layers",
                hint="run again; report this if it happens again",
            )
        fields.take(8)  # layer and status, which say nothing after success
        ticks = fields.number(8)
        outputs = self._tensors(_SPACE_OUTPUT, 0, model.outputs, fields)
        seconds = time.monotonic() - start
        layer_ticks = self._layer_ticks(len(model.layers)) if profile else None
        return Inference(
            outputs=outputs,
            layer_outputs=tuple(collected) if layers else None,
            layer_ticks=layer_ticks,
            layer_stack=self._layer_stack(len(model.layers)) if layer_stack and info.stack_size else None,
            total_ticks=None if layers or layer_stack else self._total(ticks, len(model.layers) if profile else 0),
            observed_ticks=ticks,
            seconds=seconds,
        )

    def watermarks(self) -> Watermarks:
        """Stack and arena use since init. Raises DeviceRefusedError before init."""
        return parse_watermarks(self._short(Kind.WATERMARK, answer_size=32))

    def read_arena(self, offset: int = 0, size: int | None = None) -> bytes:
        """Bytes of the selected model's arena; size None for all from offset."""
        return self._read(_SPACE_ARENA, 0, 0, offset, self._selected().arena_size - offset if size is None else size)

    def reset(self) -> None:
        """Restart the firmware, even out of its fault handler; hello() comes next."""
        self._check(Kind.RESET, self._exchange.short(Kind.RESET, ignore_faults=True))
        self._exchange.await_ready(_RESTART_S)
        self.info = None
        self._model = None

    def provoke(self, what: int) -> None:
        """Make the device fail, in an image built for tests of that; docs/protocol.md has the numbers.

        Raises:
            DeviceRefusedError: the image is not built for it.
        """
        try:
            self._check(
                Kind.TEST,
                self._exchange.long(
                    Kind.TEST,
                    bytes((what,)),
                    limit_s=self._exchange.timeout_s,
                    expected_s=0.0,
                    doing=f"provoked fault {what}",
                ),
            )
        except NotReceivedError:
            raise self._hopeless(Kind.TEST) from None

    # --- pieces --------------------------------------------------------------------------------------------------

    def _invoke(self, model: ModelInfo, inputs: Sequence[bytes], mode: int, limit: float) -> Fields:
        """Write inputs and start a run, in one frame where it fits; the answer after its run id."""
        self._run = (self._run + 1) & 0xFFFFFFFF
        total = sum(model.inputs)
        doing = f"inference {self._run} of model {model.name}"
        if mode & _STEP and model.layers:
            doing += f", in layer {model.layers[0].name},"
        written = False
        for _ in range(_MOST_LOSSES):
            inline = not written and total <= self._chunk
            if not inline and not written:
                for index, data in enumerate(inputs):
                    self._write(index, data)
                written = True
            room = min(self._chunk, _OUTPUT_ROOM)
            body = self._run.to_bytes(4, "little") + bytes((mode | _INLINE * inline,)) + room.to_bytes(2, "little")
            if inline:
                body += b"".join(inputs)
            try:
                fields = self._run_step(Kind.INVOKE, body, limit, doing)
            except NotReceivedError:
                if inline:
                    self._shrink()
                continue
            return fields
        raise self._hopeless(Kind.INVOKE)

    def _continue(self, layer: int, limit: float) -> Fields:
        body = self._run.to_bytes(4, "little") + layer.to_bytes(4, "little")
        model = self._selected()
        where = f"in layer {model.layers[layer + 1].name}" if layer + 1 < len(model.layers) else "after its last layer"
        doing = f"inference {self._run} of model {model.name}, {where},"
        for _ in range(_MOST_LOSSES):
            try:
                return self._run_step(Kind.CONTINUE, body, limit, doing)
            except NotReceivedError:
                continue
        raise self._hopeless(Kind.CONTINUE)

    def _run_step(self, kind: Kind, body: bytes, limit: float, doing: str) -> Fields:
        start = time.monotonic()
        before = self.retries
        answer = self._exchange.long(kind, body, limit_s=limit, expected_s=self._typical_s, doing=doing)
        if self.retries > before:
            self._shrink()
        else:
            self._grow()
            self._typical_s += (time.monotonic() - start - self._typical_s) / 4
        self._longest_s = max(self._longest_s, time.monotonic() - start)
        fields = Fields(self._check(kind, answer), f"the answer to {kind.name}")
        if (run := fields.number(4)) != self._run:
            raise ProtocolError(
                f"the device answers for run {run}, not {self._run}", hint="reset the board or run again"
            )
        return fields

    def _tensors(self, space: int, index: int, sizes: Sequence[int], fields: Fields) -> tuple[bytes, ...]:
        """Tensors that came with the answer, or else are fetched: a layer's, or the model's outputs."""
        if fields.left and fields.left == sum(sizes):
            return tuple(fields.take(size) for size in sizes)
        if fields.left:
            raise ProtocolError(f"{fields.left} bytes of tensors where {sum(sizes)} belong", hint="run again")
        if space == _SPACE_OUTPUT:
            return tuple(self._read(space, number, 0, 0, size) for number, size in enumerate(sizes))
        return tuple(self._read(space, index, number, 0, size) for number, size in enumerate(sizes))

    def _total(self, ticks: int, observed_layers: int) -> int:
        info = self._known()
        return max(round(ticks - info.run_overhead - observed_layers * info.pair_overhead), 0)

    def _layer_ticks(self, count: int) -> tuple[int, ...]:
        raw = self._read(_SPACE_TICKS, 0, 0, 0, 8 * count)
        overhead = self._known().layer_overhead
        return tuple(max(round(int.from_bytes(raw[8 * i : 8 * i + 8], "little") - overhead), 0) for i in range(count))

    def _layer_stack(self, count: int) -> tuple[int, ...]:
        raw = self._read(_SPACE_LAYER_STACK, 0, 0, 0, 4 * count)
        return tuple(int.from_bytes(raw[4 * i : 4 * i + 4], "little") for i in range(count))

    def _write(self, index: int, data: bytes) -> None:
        at = 0
        losses = 0
        while at < len(data):
            part = data[at : at + self._chunk]
            body = bytes((index,)) + at.to_bytes(4, "little") + part
            try:
                self._short(Kind.WRITE, body, tries=self._tries(losses))
            except NotReceivedError:
                losses += 1
                self._shrink()
                continue
            self._grow()
            at += len(part)

    def _read(self, space: int, index: int, tensor: int, offset: int, size: int) -> bytes:
        out = bytearray()
        losses = 0
        while len(out) < size:
            count = min(self._chunk, size - len(out), 0xFFFF)
            body = bytes((space,)) + index.to_bytes(2, "little") + tensor.to_bytes(2, "little")
            body += (offset + len(out)).to_bytes(4, "little") + count.to_bytes(2, "little")
            try:
                part = self._short(Kind.READ, body, answer_size=count, tries=self._tries(losses))
            except NotReceivedError:
                losses += 1
                self._shrink()
                continue
            self._grow()
            if len(part) != count:
                raise ProtocolError(f"{len(part)} bytes read where {count} were asked for", hint="run again")
            out += part
        return bytes(out)

    def _tries(self, losses: int) -> int | None:
        """A few sendings at each size; the last goes on until the time limit and its error."""
        return _TRIES_AT_A_SIZE if losses < _MOST_LOSSES else None

    def _shrink(self) -> None:
        self._chunk = max(self._chunk // 2, _LEAST_CHUNK)
        self._good = 0

    def _grow(self) -> None:
        self._good += 1
        if self._good >= 4 and self._chunk < self._chunk_limit:
            self._chunk = min(self._chunk * 2, self._chunk_limit)
            self._good = 0

    def _short(
        self,
        kind: Kind,
        body: bytes = b"",
        *,
        answer_size: int = 0,
        tries: int | None = None,
        timeout_s: float | None = None,
    ) -> bytes:
        answer = self._exchange.short(kind, body, answer_size=answer_size, tries=tries, timeout_s=timeout_s)
        return self._check(kind, answer)

    def _check(self, kind: Kind, answer: bytes) -> bytes:
        """The answer after its status. Raises DeviceRefusedError when that is not 0."""
        return content_of(kind, answer, self._model.name if self._model is not None else "?")

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

    def _hopeless(self, kind: Kind) -> DeviceTimeoutError:
        return DeviceTimeoutError(
            f"{kind.name} was lost {_MOST_LOSSES} times in a row",
            hint="the line is too bad to work with: cable, baud rate?",
        )

    def _known(self) -> DeviceInfo:
        if self.info is None:
            raise ProtocolError("no session with the device", hint="call hello() first")
        return self.info

    def _selected(self) -> ModelInfo:
        if self._model is None:
            raise ProtocolError("no model is selected", hint="call init() first")
        return self._model
