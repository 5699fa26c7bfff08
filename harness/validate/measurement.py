"""Measurement: runs vectors through an image on a board; outputs, layers, time and memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from harness.boards.session import open_client
from harness.errors import BoardError, ProtocolError, VectorsError
from harness.ir.graph import Tensor
from harness.link.claims import ModelClaims
from harness.link.client import Client
from harness.link.compare import ExpectedLayers
from harness.link.paint import INVERSE
from harness.link.records import DeviceInfo, Inference, LineCounts, Watermarks
from harness.quantization.types import Array
from harness.runtimes.base import Measures
from harness.units import Quantity, Unit
from harness.validate.clock import PhaseClock
from harness.validate.npu_counts import NpuCounts, npu_counts, npu_notes

if TYPE_CHECKING:
    from harness.boards import Session
    from harness.build import Image, PackageSources

Progress = Callable[[str, int, int], None]
LayerOutputs: TypeAlias = tuple[tuple[tuple[Array | None, ...], ...], ...]
"""[vector][layer][output of the layer]."""

PAINT_SEED = 0x5EED
# Relative tolerance of the loop timed at boot, whose ticks include the reads of the counter
TICK_TOLERANCE = 0.005


@dataclass(frozen=True, eq=False)
class Measurement:
    """Results of one model on one board.

    Attributes:
        outputs: [vector][output], of the graph's shapes and types.
        layer_outputs: [vector][layer][output of the layer], as it was right after the layer; None if not asked for.
            Where the device compared, None for an output of which nothing was expected.
        fetched: layers whose outputs came over the link, all vectors together; the others' were found as expected.
        unit: of `total` and `layer_ticks`; None where the board measures no time.
        total: one inference on the first vector, without observing layers; None without profile.
        layer_ticks: by layer, on the first vector, less the cost of observing; None without profile.
        stack_high: bytes of stack that the model's invoke used; 0 where the board does not measure it.
        arena_size: bytes of the model's arena.
        arena_high: one past the highest arena byte that was written.
        arena_untouched: bytes of the arena that were never written.
        arena_overrun: bytes written behind the arena's end, which must be 0.
        reads_unwritten: whether outputs depend on the arena's earlier contents: the model reads bytes it never wrote.
        seconds: wall clock by phase: "start" (first exchange), "vectors", "profile" (the two runs that measure), and
            "device", the part of "vectors" spent waiting for the device's computation and the transfers.
        device: the device's answer to HELLO; None where a program ran that does not speak tinyhil's protocol.
        line: errors that the device counted on its serial line since it started; None for another kind of line.
        npu: what the NPU counted in one inference, by layer that runs there.
    """

    outputs: tuple[tuple[Array, ...], ...]
    layer_outputs: LayerOutputs | None
    fetched: int
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
    device: DeviceInfo | None
    line: LineCounts | None = None
    npu: tuple[NpuCounts, ...] = ()

    def notes(self) -> tuple[str, ...]:
        """Notes on the NPU's figures and on errors of the line, for the report."""
        npu = npu_notes(self.npu)
        if self.line is None or not self.line.overruns:
            return npu
        return (
            *npu,
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


@dataclass(frozen=True, eq=False)
class _Connection:
    """A device that was checked to have the model.

    Attributes:
        index: the model's index on the device.
        scale: (unit, units per tick); None if time is not measured.
    """

    client: Client
    device: DeviceInfo
    index: int
    scale: tuple[Unit, Fraction] | None


@dataclass(frozen=True, eq=False)
class _Results:
    """Results of all vectors, see Measurement."""

    outputs: tuple[tuple[Array, ...], ...]
    layer_outputs: LayerOutputs | None
    fetched: int


@dataclass(frozen=True, eq=False)
class _Footprint:
    """Time and memory of the first vector, run twice.

    Attributes:
        observed, plain: the runs with and without observing layers.
        marks: watermarks after each run.
        wrote: by byte of the arena, whether it was written in either run.
    """

    observed: Inference
    plain: Inference
    marks: tuple[Watermarks, Watermarks]
    wrote: npt.NDArray[np.bool_]


def measure(
    session: Session,
    image: Image,
    package: PackageSources,
    vectors: Sequence[Sequence[Array]],
    *,
    layers: bool,
    expected: Sequence[ExpectedLayers] | None = None,
    profile: bool = True,
    measures: Measures = Measures(),  # noqa: B008
    progress: Progress | None = None,
    client: Client | None = None,
) -> Measurement:
    """Run a model of the image over vectors.

    The model is initialized once, then runs the vectors in order: for a model with states they are a sequence. Then it
    is initialized and runs the first vector twice more, over two paints of the arena that differ in every byte: this
    shows all bytes that are written, the stack used, and the time.

    Args:
        session: an open session with the board.
        image: the image that runs.
        package: the model.
        vectors: [vector][input], of the graph's shapes and types.
        layers: fetch the outputs of every layer, too, which takes the time to transfer them.
        expected: with layers, for each vector what they should be: a device that can compare sends only the others.
        profile: measure time by layer and in total.
        measures: what the model's runtime can measure; nothing else is asked for.
        progress: called with ("run", done, total).
        client: a client of this session that was checked before; None for a new one.

    Raises:
        VectorsError: no vectors, or one that does not fit the model.
        WrongImageError: the device runs another build, board or model.
        LinkError, DeviceFaultError, BoardLostError: see harness.link.client.Client.
        BoardError: the board's tick counter does not run at the rate in boards.yaml.
    """
    inputs = [_input_bytes(vector, number, package) for number, vector in enumerate(vectors)]
    if not inputs:
        raise VectorsError(f"no vectors for {package.plan.name}", hint="give at least one input vector")
    clock = PhaseClock()
    with clock.phase("start"):
        connection = _identify(session, image, package, profile=profile, client=client)
    line_before = session.line_seconds
    with clock.phase("vectors"):
        results = _stream(connection, package, inputs, layers=layers, expected=expected, progress=progress)
    clock.seconds["device"] = session.line_seconds - line_before
    with clock.phase("profile"):
        footprint = _profile(session, connection, inputs[0], measures)
    measured = _summary(connection, results, footprint, measures, clock.seconds)
    return replace(measured, npu=npu_counts(session, package.plan.layers))


def run_once(
    session: Session,
    image: Image,
    package: PackageSources,
    vector: Sequence[Array],
    *,
    layers: bool,
    expected: ExpectedLayers | None = None,
) -> tuple[tuple[Array, ...], tuple[tuple[Array | None, ...], ...] | None]:
    """(outputs, layers' outputs as Measurement.layer_outputs) of one vector from initial states; nothing is measured.

    Args, errors: as of measure().
    """
    connection = _identify(session, image, package, profile=False, client=None)
    data = [_input_bytes(vector, 0, package)]
    rows = None if expected is None else [expected]
    results = _stream(connection, package, data, layers=layers, expected=rows, progress=None)
    return results.outputs[0], None if results.layer_outputs is None else results.layer_outputs[0]


def _identify(
    session: Session, image: Image, package: PackageSources, *, profile: bool, client: Client | None
) -> _Connection:
    """Checks that the device runs this image with this model, and the rate of its tick counter."""
    if client is None:
        client = open_client(session, image)
    device = client.info or client.hello(image.build_id, image.board)
    index = image.index_of(package.plan.name)
    _check_model(client, index, package)
    scale = session.tick_scale() if profile and device.ticks_run else None
    if scale is not None:
        _check_ticks(scale, device, session.ran_on.name)
    return _Connection(client, device, index, scale)


def _stream(
    connection: _Connection,
    package: PackageSources,
    inputs: Sequence[Sequence[bytes]],
    *,
    layers: bool,
    expected: Sequence[ExpectedLayers] | None,
    progress: Progress | None,
) -> _Results:
    """Initializes the model and runs all vectors in order."""
    plan = package.plan
    outputs = [plan.graph.tensors[tensor] for tensor in plan.graph.outputs]
    written = [[plan.graph.tensors[tensor] for tensor in layer.outputs] for layer in plan.layers]
    got: list[tuple[Array, ...]] = []
    got_layers: list[tuple[tuple[Array | None, ...], ...]] = []
    fetched = 0
    connection.client.init(connection.index, PAINT_SEED)
    for number, data in enumerate(inputs):
        run = connection.client.infer(data, layers=layers, expected=None if expected is None else expected[number])
        got.append(_arrays(run.outputs, outputs))
        fetched += run.fetched
        if run.layer_outputs is not None:
            got_layers.append(
                tuple(_known(made, tensors) for made, tensors in zip(run.layer_outputs, written, strict=True))
            )
        if progress:
            progress("run", number + 1, len(inputs))
    return _Results(tuple(got), tuple(got_layers) if layers else None, fetched)


def _profile(session: Session, connection: _Connection, inputs: Sequence[bytes], measures: Measures) -> _Footprint:
    """Runs a vector twice: with layers observed for their times, then without for the total and the stack."""
    client, index = connection.client, connection.index
    client.init(index, PAINT_SEED)
    observed = client.infer(inputs, profile=connection.scale is not None and measures.layer_times)
    marks = client.watermarks()
    wrote = _written(client, PAINT_SEED, marks, measures)
    client.init(index, PAINT_SEED ^ INVERSE)
    plain = client.infer(inputs)
    plain_marks = client.watermarks()
    session.compare_marks(plain_marks, PAINT_SEED ^ INVERSE)
    wrote |= _written(client, PAINT_SEED ^ INVERSE, plain_marks, measures)
    return _Footprint(observed, plain, (marks, plain_marks), wrote)


def _written(client: Client, seed: int, marks: Watermarks, measures: Measures) -> npt.NDArray[np.bool_]:
    """By byte of the arena, whether it lost its paint; empty where the runtime does not show its arena."""
    if not measures.arena_bytes:
        return np.zeros(marks.arena_size, np.bool_)
    wrote = client.touched(seed)
    if int(np.count_nonzero(~wrote)) != marks.arena_untouched:
        raise ProtocolError(
            f"the device counts {marks.arena_untouched:,} bytes of paint in its arena, and shows another number",
            hint="run again; if it happens again, build the firmware anew",
        )
    return wrote


def _summary(
    connection: _Connection, results: _Results, footprint: _Footprint, measures: Measures, seconds: Mapping[str, float]
) -> Measurement:
    """The measurement from the results of the three steps, ticks converted to the board's unit."""
    observed, plain, (marks, plain_marks) = footprint.observed, footprint.plain, footprint.marks
    unit, per_tick = connection.scale or (None, Fraction(1))
    return Measurement(
        outputs=results.outputs,
        layer_outputs=results.layer_outputs,
        fetched=results.fetched,
        unit=unit,
        total=None if unit is None or plain.total_ticks is None else round(plain.total_ticks * per_tick),
        layer_ticks=_scaled(observed, per_tick) if unit is not None and measures.layer_times else None,
        stack_high=plain_marks.stack_high or 0,
        arena_size=plain_marks.arena_size,
        arena_high=int(np.max(np.nonzero(footprint.wrote)[0], initial=-1)) + 1,
        arena_untouched=int(np.count_nonzero(~footprint.wrote)),
        arena_overrun=max(marks.arena_overrun, plain_marks.arena_overrun),
        reads_unwritten=not (_same(observed, plain) and _equal(plain, results.outputs[0])),
        seconds=seconds,
        device=connection.device,
        line=connection.client.line(),
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
    return tuple(_array(part, tensor) for part, tensor in zip(data, tensors, strict=True))


def _known(data: Sequence[bytes | None], tensors: Sequence[Tensor]) -> tuple[Array | None, ...]:
    return tuple(None if part is None else _array(part, tensor) for part, tensor in zip(data, tensors, strict=True))


def _array(data: bytes, tensor: Tensor) -> Array:
    return np.frombuffer(data, tensor.dtype.numpy).reshape(tensor.shape)


def _check_model(client: Client, index: int, package: PackageSources) -> None:
    """Checks that the model at `index` is the package's: the build id only identifies the image."""
    plan = package.plan

    def sizes(tensors: Sequence[int]) -> tuple[int, ...]:
        return tuple(plan.graph.tensors[tensor].bytes for tensor in tensors)

    expected = ModelClaims(
        name=plan.name,
        sha256=plan.graph.sha256 or "0" * 64,
        arena_size=plan.arena_size,
        inputs=sizes(plan.graph.inputs),
        outputs=sizes(plan.graph.outputs),
        layers=tuple(sizes(layer.outputs) for layer in plan.layers),
    )
    client.model(index, expected)


def _check_ticks(scale: tuple[Unit, Fraction], device: DeviceInfo, board: str) -> None:
    """Checks the ticks of a loop of known length that the device timed at its start, on an emulator exactly."""
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
