"""What a device tells of itself, its models and its runs."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import ProtocolError
from harness.link.wire import GUARDS, PROTOCOL_VERSION, TICK_UNITS, UNKNOWN, HelloFlag

LEAST_FRAME = 64
"""Bytes of content that every device takes: the longest request without data, and some data."""


class Fields:
    """Takes a frame's body apart; every surprise is a ProtocolError."""

    def __init__(self, body: bytes, what: str) -> None:
        self._body = body
        self._what = what
        self._at = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self._at + size
        if end > len(self._body):
            raise ProtocolError(
                f"{self._what} is cut short: {len(self._body)} bytes",
                hint="are firmware and tinyhil of the same version?",
            )
        part = self._body[self._at : end]
        self._at = end
        return part

    def number(self, size: int) -> int:
        """The next number, unsigned."""
        return int.from_bytes(self.take(size), "little")

    def text(self) -> str:
        """The next string."""
        return self.take(self.number(1)).decode("utf-8", "replace")

    def one_of(self, names: tuple[str, ...]) -> str:
        """The next byte as one of these names."""
        value = self.number(1)
        return names[value] if value < len(names) else f"unknown {value}"

    @property
    def left(self) -> int:
        """Bytes not yet taken."""
        return len(self._body) - self._at


@dataclass(frozen=True)
class DeviceInfo:
    """The answer to HELLO.

    Attributes:
        frame_limit: largest frame content the device takes, in bytes.
        test_faults: the image can be told to fail.
        compares: it compares layers with digests, and tells which bytes of the arena were written.
        installs: it has a slot for a relocatable model.
        stopped: a run is waiting after one of its layers.
        tick_unit: "none", "emulated", "cycles" or "host-ns".
        ticks_run: the tick counter was seen to move at boot.
        guard: what guards the stack: "none", "mpu", "limit" or "canary".
        clock_hz, tick_hz: core clock and tick rate, as the port states them.
        layer_overhead: ticks that a layer's raw figure holds too much.
        pair_overhead: ticks that observing a layer adds to the run around it.
        run_overhead: ticks that a run's raw figure holds too much.
        loop_instructions, loop_ticks: a loop of known length, timed at boot; 0 instructions where the port knows none.
        stack_size: bytes; 0 where the port cannot tell.
        arena_size: bytes reserved for arenas.
        layer_limit: most layers that can be profiled.
    """

    build_id: str
    board: str
    core: str
    protocol: int
    frame_limit: int
    test_faults: bool
    compares: bool
    installs: bool
    stopped: bool
    tick_unit: str
    ticks_run: bool
    guard: str
    clock_hz: int
    tick_hz: int
    layer_overhead: float
    pair_overhead: float
    run_overhead: float
    loop_instructions: int
    loop_ticks: int
    stack_size: int
    arena_size: int
    model_count: int
    layer_limit: int

    @property
    def ticks_per_instruction(self) -> float | None:
        """Measured at boot; None where no loop of known length is. Constant only under an instruction-counting
        emulator.
        """
        return self.loop_ticks / self.loop_instructions if self.loop_instructions else None


@dataclass(frozen=True)
class LayerInfo:
    """A layer: its name and the sizes in bytes of the tensors it writes."""

    name: str
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class ModelInfo:
    """A model in the image.

    Attributes:
        index: its number on the device.
        sha256: of the model file, hex.
        arena_size, arena_align: bytes.
        inputs, outputs: sizes in bytes.
    """

    index: int
    name: str
    sha256: str
    arena_size: int
    arena_align: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    layers: tuple[LayerInfo, ...]


@dataclass(frozen=True)
class Inference:
    """One run of a model.

    Attributes:
        outputs: bytes of each output tensor.
        layer_outputs: per layer, bytes of each tensor it writes, as they were right after the layer; None if not
            asked for. Where the device compared: None for a tensor of which nothing was expected.
        fetched: number of layers whose outputs came from the device; the others were found to be as expected.
        layer_ticks: per layer, observing it taken out; None if not asked for.
        layer_stack: per layer, bytes of stack under the frame that calls invoke, to within the observer's own frame
            (about 100 bytes); None if not asked for.
        total_ticks: of the whole inference. Without observer it is measured by two reads of the counter; with profile
            alone
            the observer's share is taken out; None when layers were stopped at.
        observed_ticks: the same as read, observer included.
        seconds: wall clock from the first byte sent to the last received.
    """

    outputs: tuple[bytes, ...]
    layer_outputs: tuple[tuple[bytes | None, ...], ...] | None
    fetched: int
    layer_ticks: tuple[int, ...] | None
    layer_stack: tuple[int, ...] | None
    total_ticks: int | None
    observed_ticks: int
    seconds: float


@dataclass(frozen=True)
class Watermarks:
    """Memory used since INIT, in bytes.

    Attributes:
        stack_size: reserved; None where the port cannot tell, as the two that follow.
        stack_high: used by the last run's invoke and what it calls; meaningful after a run without observer.
        stack_ever: deepest use since reset, runtime included.
        arena_size: the model's arena.
        arena_high: highest byte that lost its paint, + 1. A byte may be written with the very value of its paint: the
            greater
            of two runs with paint seeds s and s ^ 0x80000000, whose paints differ in every byte, is exact.
        arena_untouched: bytes that still show paint.
        arena_overrun: bytes written behind the model's arena, in what is reserved for larger models.
        runs: inferences since INIT.
    """

    stack_size: int | None
    stack_high: int | None
    stack_ever: int | None
    arena_size: int
    arena_high: int
    arena_untouched: int
    arena_overrun: int
    runs: int


@dataclass(frozen=True)
class LineCounts:
    """What the device saw on its serial line since it started.

    Attributes:
        baud: its rate.
        overruns: times that bytes were lost because they came faster than they were taken.
        framing: bytes without a stop bit.
        noise: bytes with a bit that was not read the same throughout.
    """

    baud: int
    overruns: int
    framing: int
    noise: int


def parse_line(body: bytes) -> LineCounts | None:
    """The answer to LINE; None where the line has no rate. Raises ProtocolError."""
    fields = Fields(body, "the answer to LINE")
    baud, overruns, framing, noise = (fields.number(4) for _ in range(4))
    return LineCounts(baud, overruns, framing, noise) if baud else None


def parse_hello(body: bytes) -> tuple[DeviceInfo, int]:
    """The device's facts and the nonce it returns.

    Raises:
        ProtocolError: another protocol version, or a body that breaks the format.
    """
    fields = Fields(body, "the answer to HELLO")
    protocol = fields.number(2)
    if protocol != PROTOCOL_VERSION:
        raise ProtocolError(
            f"the device speaks protocol version {protocol}, not {PROTOCOL_VERSION}", hint="build the firmware anew"
        )
    frame_limit = fields.number(2)
    if frame_limit < LEAST_FRAME:
        raise ProtocolError(
            f"the device claims to take frames of {frame_limit} bytes, fewer than any does ({LEAST_FRAME})",
            hint="the firmware is damaged or another one; load the image again",
        )
    nonce = fields.number(4)
    flags = fields.number(1)
    stopped = fields.number(1) != 0
    tick_unit = fields.one_of(TICK_UNITS)
    guard = fields.one_of(GUARDS)
    clock_hz, tick_hz, layer, pair, run, loop_instructions, loop_ticks, stack, arena = (
        fields.number(4) for _ in range(9)
    )
    models, layers = fields.number(2), fields.number(2)
    build_id, board, core = (fields.text() for _ in range(3))
    if frame_limit < 128:
        raise ProtocolError(f"the device takes frames of {frame_limit} bytes at most", hint="at least 128 are needed")
    info = DeviceInfo(
        build_id=build_id, board=board, core=core, protocol=protocol, frame_limit=frame_limit,
        test_faults=bool(flags & HelloFlag.TEST_FAULTS), compares=bool(flags & HelloFlag.COMPARES),
        installs=bool(flags & HelloFlag.INSTALLS), stopped=stopped,
        tick_unit=tick_unit, ticks_run=bool(flags & HelloFlag.TICKS_RUN), guard=guard,
        clock_hz=clock_hz, tick_hz=tick_hz, layer_overhead=layer / 256, pair_overhead=pair / 256, run_overhead=run /
        256,
        loop_instructions=loop_instructions, loop_ticks=loop_ticks, stack_size=stack, arena_size=arena,
        model_count=models, layer_limit=layers,
    )  # fmt: skip
    return info, nonce


def parse_watermarks(body: bytes) -> Watermarks:
    """The answer to WATERMARK. Raises ProtocolError."""
    fields = Fields(body, "the answer to WATERMARK")
    stack = [None if value == UNKNOWN else value for value in (fields.number(4) for _ in range(3))]
    size, high, untouched, overrun, runs = (fields.number(4) for _ in range(5))
    return Watermarks(
        stack_size=stack[0], stack_high=stack[1], stack_ever=stack[2], arena_size=size, arena_high=high,
        arena_untouched=untouched, arena_overrun=overrun, runs=runs,
    )  # fmt: skip
