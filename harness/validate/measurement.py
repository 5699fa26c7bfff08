"""Vectors through an image on a board: outputs, layers, time and memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from harness.boards.session import open_client
from harness.errors import BoardError, VectorsError, WrongImageError
from harness.ir.graph import Tensor
from harness.link.client import Client
from harness.link.paint import INVERSE, touched
from harness.link.records import DeviceInfo, Inference, LineCounts
from harness.quantization.types import Array
from harness.units import Quantity, Unit

if TYPE_CHECKING:
    from harness.boards import Session
    from harness.build import Image, PackageSources

Progress = Callable[[str, int, int], None]

PAINT_SEED = 0x5EED
# How far the loop timed at boot may be off its known length: it is timed with the reads of the counter around it
TICK_TOLERANCE = 0.005


@dataclass(frozen=True, eq=False)
class Measurement:
    """What one model did on one board.

    Attributes:
        outputs: [vector][output], of the graph's shapes and types.
        layer_outputs: [vector][layer][output of the layer] as they were right after the layer; None if not asked for.
        unit: what total and layer_ticks count; None where the board has no time to tell.
        total: one inference on the first vector, without observing layers; None without profile.
        layer_ticks: per layer, on the first vector, the cost of observing taken out; None without profile.
        stack_high: bytes of stack that the model's invoke used; 0 where the board cannot tell.
        arena_size: bytes of the model's arena.
        arena_high: one past the highest arena byte that was written.
        arena_untouched: bytes of the arena that were never written.
        arena_overrun: bytes written behind the arena's end, which must be 0.
        reads_unwritten: outputs changed with what lay in the arena before: the model reads bytes it never wrote.
        seconds: wall clock by phase: "start" (first exchange), "vectors", "profile" (the two runs that measure), and
            "device", the part of "vectors" spent waiting for the device to compute and the line to carry.
        device: what the device said of itself.
        line: what it saw on its serial line since it started; None where the line is of another kind.
    """

    outputs: tuple[tuple[Array, ...], ...]
    layer_outputs: tuple[tuple[tuple[Array, ...], ...], ...] | None
    unit: Unit | None
    total: int | None
    layer_ticks: tuple[int, ...] | None
    stack_high: int
    arena_size: int
    arena_high: int
    arena_untouched: int
    arena_overrun: int
    reads_unwritten: bool
    seconds: Mapping[str, float]
    device: DeviceInfo
    line: LineCounts | None = None

    def notes(self) -> tuple[str, ...]:
        """What a report should say of the line."""
        if self.line is None or not self.line.overruns:
            return ()
        return (
            f"the device lost bytes {self.line.overruns} times at {self.line.baud} baud (UART overrun); "
            "they were sent again",
        )

    @property
    def total_quantity(self) -> Quantity | None:
        """`total` with its unit."""
        return None if self.total is None or self.unit is None else Quantity(self.total, self.unit)

    @property
    def layer_quantities(self) -> tuple[Quantity, ...] | None:
        """`layer_ticks` with their unit."""
        if self.layer_ticks is None or self.unit is None:
            return None
        return tuple(Quantity(value, self.unit) for value in self.layer_ticks)


def measure(
    session: Session,
    image: Image,
    package: PackageSources,
    vectors: Sequence[Sequence[Array]],
    *,
    layers: bool,
    profile: bool = True,
    progress: Progress | None = None,
    client: Client | None = None,
) -> Measurement:
    """Run a model of the image over vectors.

    The model is set to its beginning once, then takes the vectors in their order: for a model with state they are a
    sequence. Then it runs the first vector twice more from its beginning, over two paints of the arena that differ in
    every byte: that finds all bytes ever written, the stack used, and the time.

    Args:
        session: an open session with the board.
        image: what runs there.
        package: the model.
        vectors: [vector][input], of the graph's shapes and types.
        layers: fetch what every layer writes, too; slower by the bytes of all layers.
        profile: count per layer and in total.
        progress: called with ("run", done, total).
        client: a client that has said hello on this session, to be used on; None for a new one.

    Raises:
        VectorsError: no vectors, or one that does not fit the model.
        WrongImageError: the device runs another build, board or model.
        LinkError, DeviceFaultError, BoardLostError: see harness.link.client.Client.
        BoardError: the board's tick counter does not run as the board file says.
    """
    plan = package.plan
    inputs = [_input_bytes(vector, number, package) for number, vector in enumerate(vectors)]
    if not inputs:
        raise VectorsError(f"no vectors for {plan.name}", hint="give at least one input vector")
    outputs = [plan.graph.tensors[tensor] for tensor in plan.graph.outputs]
    written = [[plan.graph.tensors[tensor] for tensor in layer.outputs] for layer in plan.layers]
    clock = _Clock()

    with clock.phase("start"):
        if client is None:
            client = open_client(session, image)
        device = client.info or client.hello(image.build_id, image.board)
        index = image.index_of(plan.name)
        _check_model(client, index, package)
        scale = session.tick_scale() if profile and device.ticks_run else None
        if scale is not None:
            _check_ticks(scale, device, session.ran_on.name)

    got: list[tuple[Array, ...]] = []
    got_layers: list[tuple[tuple[Array, ...], ...]] = []
    line_before = session.line_seconds
    with clock.phase("vectors"):
        client.init(index, PAINT_SEED)
        for number, data in enumerate(inputs):
            run = client.infer(data, layers=layers)
            got.append(_arrays(run.outputs, outputs))
            if run.layer_outputs is not None:
                got_layers.append(
                    tuple(_arrays(made, tensors) for made, tensors in zip(run.layer_outputs, written, strict=True))
                )
            if progress:
                progress("run", number + 1, len(inputs))
    clock.seconds["device"] = session.line_seconds - line_before

    with clock.phase("profile"):
        # observed layer by layer, then unobserved: the one for the layers' time, the other for total and stack
        client.init(index, PAINT_SEED)
        observed = client.infer(inputs[0], profile=scale is not None)
        marks = client.watermarks()
        wrote = touched(client.read_arena(), PAINT_SEED)
        client.init(index, PAINT_SEED ^ INVERSE)
        plain = client.infer(inputs[0])
        plain_marks = client.watermarks()
        session.compare_marks(plain_marks, PAINT_SEED ^ INVERSE)
        wrote |= touched(client.read_arena(), PAINT_SEED ^ INVERSE)

    unit, per_tick = (None, Fraction(1)) if scale is None else scale
    return Measurement(
        outputs=tuple(got),
        layer_outputs=tuple(got_layers) if layers else None,
        unit=unit,
        total=None if scale is None or plain.total_ticks is None else round(plain.total_ticks * per_tick),
        layer_ticks=_scaled(observed, per_tick) if scale is not None else None,
        stack_high=plain_marks.stack_high or 0,
        arena_size=plain_marks.arena_size,
        arena_high=int(np.max(np.nonzero(wrote)[0], initial=-1)) + 1,
        arena_untouched=int(np.count_nonzero(~wrote)),
        arena_overrun=max(marks.arena_overrun, plain_marks.arena_overrun),
        reads_unwritten=not (_same(observed, plain) and _equal(plain, got[0])),
        seconds=clock.seconds,
        device=device,
        line=client.line(),
    )


def _input_bytes(vector: Sequence[Array], number: int, package: PackageSources) -> list[bytes]:
    graph = package.plan.graph
    if len(vector) != len(graph.inputs):
        raise VectorsError(
            f"vector {number} has {len(vector)} arrays, and {graph.name} takes {len(graph.inputs)} inputs",
            hint="give one array for each input of the model",
        )
    data = []
    for place, (array, tensor_id) in enumerate(zip(vector, graph.inputs, strict=True)):
        tensor = graph.tensors[tensor_id]
        if array.dtype != tensor.dtype.numpy or array.size != tensor.elements:
            raise VectorsError(
                f"vector {number}, input {place}: {array.dtype}{list(array.shape)} where {graph.name} takes "
                f"{tensor.dtype.value}{list(tensor.shape)}",
                hint="quantize and shape the vectors as the model's input says",
            )
        data.append(np.ascontiguousarray(array).tobytes())
    return data


def _arrays(data: Sequence[bytes], tensors: Sequence[Tensor]) -> tuple[Array, ...]:
    return tuple(
        np.frombuffer(part, tensor.dtype.numpy).reshape(tensor.shape)
        for part, tensor in zip(data, tensors, strict=True)
    )


def _check_model(client: Client, index: int, package: PackageSources) -> None:
    """The build id vouches for the image; this vouches for the order of the models in it."""
    model = client.model(index)
    plan = package.plan
    if model.name != plan.name or model.sha256 != (plan.graph.sha256 or "0" * 64):
        raise WrongImageError(
            f"model {index} on the device is {model.name} ({model.sha256[:12]}), not {plan.name} "
            f"({plan.graph.sha256[:12]})",
            hint="build the image anew from these models, in this order",
        )
    sizes = tuple(tuple(plan.graph.tensors[t].bytes for t in layer.outputs) for layer in plan.layers)
    if model.arena_size != plan.arena_size or tuple(layer.outputs for layer in model.layers) != sizes:
        raise WrongImageError(
            f"{plan.name} on the device is another compilation of the model",
            hint="build the image anew from this package",
        )


def _check_ticks(scale: tuple[Unit, Fraction], device: DeviceInfo, board: str) -> None:
    """The device timed a loop of known length when it started: an emulator's clock has to agree with it exactly."""
    unit, per_tick = scale
    if unit is not Unit.INSTRUCTIONS or not device.loop_instructions:
        return
    counted = device.loop_ticks * per_tick
    if abs(counted - device.loop_instructions) > TICK_TOLERANCE * device.loop_instructions:
        raise BoardError(
            f"{board} counts {float(counted):.1f} instructions for a loop of {device.loop_instructions}",
            hint="tick.hz of the board in boards.yaml is not what the emulated board does",
        )


def _scaled(run: Inference, per_tick: Fraction) -> tuple[int, ...]:
    return tuple(round(ticks * per_tick) for ticks in run.layer_ticks or ())


def _same(one: Inference, other: Inference) -> bool:
    return one.outputs == other.outputs


def _equal(run: Inference, arrays: Sequence[Array]) -> bool:
    return run.outputs == tuple(array.tobytes() for array in arrays)


class _Clock:
    """Wall-clock seconds by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - start
