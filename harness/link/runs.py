"""Inferences on a device: start one, fetch what its layers wrote where it stops, and what it says at its end."""

from __future__ import annotations

import time
from collections.abc import Sequence

from harness.errors import DeviceTimeoutError, ProtocolError
from harness.link.compare import Comparison
from harness.link.digest import DIGEST_SIZE
from harness.link.exchange import NotReceivedError
from harness.link.limits import STOP_S
from harness.link.records import DeviceInfo, Fields, Inference, ModelInfo
from harness.link.transfer import Losses, Transfer
from harness.link.wire import WRITE_EXPECTED, Kind, Mode, Space

FIRST_LIMIT_S = 120.0
"""Seconds that a run may take of which nothing is known."""

# Outputs up to this size come with the answer to INVOKE, which cannot be asked for in smaller pieces
_OUTPUT_ROOM = 512
_LEAST_LIMIT_S = 10.0
_LIMIT_FACTOR = 20.0
LEAST_STEP_S = 0.1
_AGAIN = "run again; report this if it happens again"


class Runs:
    """Runs of a session, one after another."""

    def __init__(self, transfer: Transfer) -> None:
        """transfer: of the session."""
        self._transfer = transfer
        self._run = 0
        self._longest_s = 0.0
        self._typical_s = 0.0
        self._left_s = 0.0  # that the inference may still compute

    def infer(
        self,
        model: ModelInfo,
        info: DeviceInfo,
        inputs: Sequence[bytes],
        mode: Mode,
        limit_s: float | None,
        comparison: Comparison | None = None,
    ) -> Inference:
        """Run a model that was initialised.

        Args:
            model: what the device says of it; info: what it says of itself.
            inputs: bytes of every input tensor, of the right sizes.
            mode: what is observed.
            limit_s: seconds it may take; None for FIRST_LIMIT_S at first, then 20 times the longest so far, at least
                10 s.
            comparison: what the layers should write, for mode COMPARE.

        Raises:
            LinkError, DeviceFaultError, BoardLostError: as Client.infer.
        """
        start = time.monotonic()
        limit = self._limit() if limit_s is None else limit_s
        fields = self.start(model, inputs, mode, limit, b"" if comparison is None else comparison.table)
        fields, stopped = self._stops(model, fields, mode, limit)
        fields.take(8)  # layer and status, which say nothing after success
        ticks = fields.number(8)
        together = b"" if comparison is None else fields.take(DIGEST_SIZE)
        outputs = self._tensors(Space.OUTPUT, 0, model.outputs, fields)
        seconds = time.monotonic() - start
        layers = len(model.layers)
        observed = mode & (Mode.STEP | Mode.LAYER_STACK | Mode.COMPARE)
        watched = mode & Mode.PROFILE or info.guard == "canary"  # which is looked at after every layer
        layer_outputs: tuple[tuple[bytes | None, ...], ...] | None = None
        if comparison is not None:
            layer_outputs = comparison.layers(stopped, together)
        elif mode & Mode.STEP:
            layer_outputs = tuple(stopped.values())
        return Inference(
            outputs=outputs,
            layer_outputs=layer_outputs,
            fetched=len(stopped),
            layer_ticks=self._layer_ticks(layers, info) if mode & Mode.PROFILE else None,
            layer_stack=self._layer_stack(layers) if mode & Mode.LAYER_STACK and info.stack_size else None,
            total_ticks=None if observed else _total(ticks, layers if watched else 0, info),
            observed_ticks=ticks,
            seconds=seconds,
        )

    def start(
        self, model: ModelInfo, inputs: Sequence[bytes], mode: Mode, limit: float, table: bytes = b""
    ) -> Fields:
        """Write inputs, and the table of mode COMPARE, and start a run, in one frame where it fits; the answer after
        its run id.
        """
        transfer = self._transfer
        self._left_s = limit + (STOP_S * len(model.layers) if mode & (Mode.STEP | Mode.COMPARE) else 0.0)
        self._run = (self._run + 1) & 0xFFFFFFFF
        doing = f"inference {self._run} of model {model.name}"
        if mode & Mode.STEP and model.layers:
            doing += f", in layer {model.layers[0].name},"
        written = False
        losses = Losses(Kind.INVOKE, transfer.exchange.timeout_s)
        while True:
            inline = not written and len(table) + sum(model.inputs) <= transfer.piece
            if not inline and not written:
                for index, data in enumerate(inputs):
                    transfer.write(index, data)
                transfer.write(WRITE_EXPECTED, table)
                written = True
                losses = Losses(Kind.INVOKE, transfer.exchange.timeout_s)
            room = min(transfer.piece, _OUTPUT_ROOM)
            flags = mode | Mode.INLINE if inline else mode
            body = self._run.to_bytes(4, "little") + bytes((flags,)) + room.to_bytes(2, "little")
            try:
                return self._step(Kind.INVOKE, body + (b"".join((table, *inputs)) if inline else b""), limit, doing)
            except NotReceivedError:
                losses.add()
                if inline:
                    transfer.shrink()

    def _stops(
        self, model: ModelInfo, fields: Fields, mode: Mode, limit: float
    ) -> tuple[Fields, dict[int, tuple[bytes, ...]]]:
        """Go on from each layer after which the run stops; the answer at its end, and what each of them wrote."""
        collected: dict[int, tuple[bytes, ...]] = {}
        least = 0
        while fields.number(1):
            layer = fields.number(4)
            steps = mode & Mode.STEP and layer == least
            if not (steps or mode & Mode.COMPARE and layer >= least) or layer >= len(model.layers):
                raise ProtocolError(f"the device stopped at layer {layer}", hint=_AGAIN)
            least = layer + 1
            fields.take(12)  # status and ticks, which say nothing before the end
            collected[layer] = self._tensors(Space.LAYER, layer, model.layers[layer].outputs, fields)
            fields = self._go_on(model, layer, limit)
        if mode & Mode.STEP and len(collected) != len(model.layers):
            raise ProtocolError(f"the device stopped at {len(collected)} of {len(model.layers)} layers", hint=_AGAIN)
        return fields, collected

    def _go_on(self, model: ModelInfo, layer: int, limit: float) -> Fields:
        body = self._run.to_bytes(4, "little") + layer.to_bytes(4, "little")
        where = f"in layer {model.layers[layer + 1].name}" if layer + 1 < len(model.layers) else "after its last layer"
        doing = f"inference {self._run} of model {model.name}, {where},"
        return self._transfer.until_received(Kind.CONTINUE, lambda: self._step(Kind.CONTINUE, body, limit, doing))

    def _step(self, kind: Kind, body: bytes, limit: float, doing: str) -> Fields:
        """Let the device compute up to its next answer, and learn how long that takes."""
        transfer = self._transfer
        start = time.monotonic()
        before = transfer.exchange.retries
        if self._left_s <= 0:
            raise DeviceTimeoutError(
                f"{doing} did not end within its time limit", hint="the firmware is far slower than it was; run again"
            )
        limit = max(min(limit, self._left_s), LEAST_STEP_S)
        answer = transfer.ask_long(kind, body, limit_s=limit, expected_s=self._typical_s, doing=doing)
        self._left_s -= time.monotonic() - start
        if transfer.exchange.retries > before:
            transfer.shrink()
        else:
            transfer.grow()
            self._typical_s += (time.monotonic() - start - self._typical_s) / 4
        self._longest_s = max(self._longest_s, time.monotonic() - start)
        fields = Fields(answer, f"the answer to {kind.name}")
        if (run := fields.number(4)) != self._run:
            raise ProtocolError(
                f"the device answers for run {run}, not {self._run}", hint="reset the board or run again"
            )
        return fields

    def _limit(self) -> float:
        if self._longest_s == 0.0:
            return FIRST_LIMIT_S
        return max(_LEAST_LIMIT_S, _LIMIT_FACTOR * self._longest_s)

    def _tensors(self, space: Space, index: int, sizes: Sequence[int], fields: Fields) -> tuple[bytes, ...]:
        """Tensors that came with the answer, or else are fetched: a layer's, or the model's outputs."""
        if fields.left and fields.left == sum(sizes):
            return tuple(fields.take(size) for size in sizes)
        if fields.left:
            raise ProtocolError(f"{fields.left} bytes of tensors where {sum(sizes)} belong", hint="run again")
        if space is Space.OUTPUT:
            return tuple(self._transfer.read(space, number, 0, 0, size) for number, size in enumerate(sizes))
        return tuple(self._transfer.read(space, index, number, 0, size) for number, size in enumerate(sizes))

    def _layer_ticks(self, count: int, info: DeviceInfo) -> tuple[int, ...]:
        raw = self._transfer.read(Space.TICKS, 0, 0, 0, 8 * count)
        words = (int.from_bytes(raw[8 * i : 8 * i + 8], "little") for i in range(count))
        return tuple(max(round(word - info.layer_overhead), 0) for word in words)

    def _layer_stack(self, count: int) -> tuple[int, ...]:
        raw = self._transfer.read(Space.LAYER_STACK, 0, 0, 0, 4 * count)
        return tuple(int.from_bytes(raw[4 * i : 4 * i + 4], "little") for i in range(count))


def _total(ticks: int, observed_layers: int, info: DeviceInfo) -> int:
    """A run's ticks without what reading the counter and observing layers cost."""
    return max(round(ticks - info.run_overhead - observed_layers * info.pair_overhead), 0)
