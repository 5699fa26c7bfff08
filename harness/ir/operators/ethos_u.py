"""ethos-u: a part of a model that Vela compiled for an Ethos-U55 or U65; what it computes is what the NPU does.

Source: Vela 5.2, regor/tflite/tflite_writer.cpp (operands) and TFLM's kernel of the operator (regions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.errors import GraphError
from harness.ethosu.accelerators import Accelerator, accelerator_of
from harness.ethosu.footprint import StreamFootprint, footprint
from harness.ethosu.memory import Bytes
from harness.ethosu.multiplications import multiplications
from harness.ethosu.payload import CUSTOM_CODE, MOST_MEMORY, Words, read_payload
from harness.ethosu.simulator import Observer, Simulator
from harness.ir.graph import ABSENT, ArenaPlace, Attrs, Graph, Node
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, Types
from harness.ir.operators.tflite import CUSTOM, OperatorDraft, Read, Reading, TfliteForm, Writing, damaged
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

CONSTANTS, ARENA, FAST, INPUTS, OUTPUTS = range(5)
"""Regions: weights and tables, the arena, the NPU's fast memory, and inputs and outputs where they are apart."""

_OPERANDS = 4
"""The first inputs in the file: command stream, constants, arena, fast memory."""

_MOST = (1 << 16, 1 << 16)


@dataclass(frozen=True)
class EthosUAttrs(Attrs):
    """What the NPU is given.

    Attributes:
        accelerator: the one that the stream is for.
        stream: the command stream, words of 32 bits, little-endian.
        constants: region 0.
        regions: (number, bytes) of the other regions. Without region 2 it is region 1.
        tensors: where inputs, then outputs, then states lie; blocks are regions.
        place: how errors name it.
    """

    accelerator: Accelerator
    stream: bytes
    constants: bytes
    regions: tuple[tuple[int, int], ...]
    tensors: tuple[ArenaPlace, ...]
    place: str = "a stream"

    @property
    def places(self) -> tuple[ArenaPlace, ...]:
        """See Attrs."""
        return self.tensors

    @cached_property
    def blocks(self) -> Mapping[int, tuple[int, int]]:
        """See Attrs: the stretch of each region that the stream reads or writes; none of one that it leaves alone."""
        found: dict[int, tuple[int, int]] = {}
        for region, _ in self.regions:
            used = np.flatnonzero(self.footprint.asked[region] | self.footprint.written[region])
            if len(used):
                found[region] = (int(used[0]), int(used[-1]) + 1)
        return found or {ARENA: (0, 1)}

    @property
    def words(self) -> Words:
        """The command stream."""
        return np.frombuffer(self.stream, "<u4")

    @cached_property
    def simulator(self) -> Simulator:
        """An NPU that keeps the decoded weights."""
        return Simulator(self.accelerator)

    @cached_property
    def footprint(self) -> StreamFootprint:
        """Which bytes of its regions the stream reads before it writes them, and which it writes.

        Raises:
            CommandStreamError: the stream is damaged.
        """
        sizes = {CONSTANTS: len(self.constants), **dict(self.regions)}
        same = {} if FAST in sizes else {FAST: ARENA}
        return footprint(self.words, self.accelerator, sizes, same, self.place)

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of a run."""
        return multiplications(self.words)

    def memories(self) -> dict[int, Bytes]:
        """Every region, all but the constants cleared."""
        made: dict[int, Bytes] = {number: np.zeros(size, np.uint8) for number, size in self.regions}
        made[CONSTANTS] = np.frombuffer(self.constants, np.uint8)
        made.setdefault(FAST, made[ARENA])
        return made


def run_stream(inputs: Inputs, op: Operands, observe: Observer | None = None) -> tuple[Array, ...]:
    """The outputs of one run, and the states after it; `observe` is called after each operation.

    Raises:
        CommandStreamError: the NPU cannot carry out a command.
    """
    attrs = op.attrs
    assert isinstance(attrs, EthosUAttrs)
    memories, read = attrs.memories(), len(inputs)
    written = read + len(op.outs)

    def bytes_at(place: ArenaPlace, size: int) -> Bytes:
        return memories[place.block][place.offset : place.offset + size]

    given = [*(array(inputs, i) for i in range(read)), *op.held]
    for values, place in zip(given, (*attrs.tensors[:read], *attrs.tensors[written:]), strict=True):
        bytes_at(place, values.nbytes)[:] = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    attrs.simulator.run(attrs.words, memories, attrs.place, observe)
    forms = [(tensor.bytes, tensor.dtype, tensor.shape) for tensor in op.outs]
    forms += [(state.bytes, state.dtype, state.initial.shape) for state in op.states]
    return tuple(
        bytes_at(place, size).copy().view(dtype.numpy).reshape(shape)
        for place, (size, dtype, shape) in zip(attrs.tensors[read:], forms, strict=True)
    )


def _macs(graph: Graph, node: Node) -> int:
    assert isinstance(node.attrs, EthosUAttrs)
    return node.attrs.macs


def _verify(v: View) -> None:
    attrs = v.node.attrs
    assert isinstance(attrs, EthosUAttrs)
    held = [(state.name, state.bytes) for state in map(v.state, range(len(v.node.states)))]
    ids = (*v.node.inputs, *v.node.outputs)
    operands = [(v.graph.tensors[t].name, v.graph.tensors[t].bytes) for t in ids] + held
    v.need(len(attrs.tensors) == len(operands), f"places {len(attrs.tensors)} tensors of {len(operands)}")
    v.need(bool(attrs.stream) and len(attrs.stream) % 4 == 0, f"has a stream of {len(attrs.stream)} bytes")
    sizes, known = dict(attrs.regions), v.graph.places()
    v.need(ARENA in sizes and CONSTANTS not in sizes, f"has the regions {sorted(sizes)}")
    for (name, bytes_), place in zip(operands, attrs.tensors, strict=True):
        size = sizes.get(place.block, 0)
        v.need(
            0 <= place.offset <= size - bytes_,
            f"has '{name}', {bytes_} bytes, at byte {place.offset} of region {place.block}, which has {size}",
        )
    for t, place in zip(ids, attrs.tensors, strict=False):
        v.need(
            known.get(t, place) == place,
            f"wants '{v.graph.tensors[t].name}' at byte {place.offset} of region {place.block}, and another elsewhere",
        )
    alone = not sizes.keys() & {INPUTS, OUTPUTS} or sum(node.op == v.node.op for node in v.graph.nodes) == 1
    v.need(
        alone,
        "has inputs and outputs apart from the arena, and is not the only one of its kind",
        "compile it without --separate-io-regions",
    )


def _read(op: Reading) -> Read:
    if len(op.inputs) < _OPERANDS or ABSENT in op.inputs:
        raise damaged(f"{op.place}: inputs {list(op.inputs)}, where a stream and three memories are the first four")
    payload = read_payload(op.content(0), op.place)
    accelerator = accelerator_of(payload.config, op.place)
    sizes = {ARENA: op.length(2)}
    if op.inputs[3] != op.inputs[2] and op.length(3):
        sizes[FAST] = op.length(3)
    operands = range(_OPERANDS, len(op.inputs))
    reads = [i for i in operands if not op.is_variable(op.inputs[i])]
    tensors = [(INPUTS, op.inputs[i], op.input(i)) for i in reads]
    tensors += [(OUTPUTS, op.outputs[i], op.output(i)) for i in op.drop_unread()]
    tensors += [(ARENA, op.inputs[i], op.input(i)) for i in operands if i not in reads]
    places = []
    for region, t, tensor in tensors:
        block, at = region if payload.separate else ARENA, op.offset(t)
        if at < 0:
            raise damaged(f"{op.place}: '{tensor.name}' has no place in the arena")
        places.append(ArenaPlace(block, at))
        if block != ARENA:
            sizes[block] = max(sizes.get(block, 0), at + tensor.bytes)
    if too_large := [size for size in sizes.values() if size > MOST_MEMORY]:
        raise damaged(f"{op.place}: a memory of {too_large[0]} bytes; {MOST_MEMORY} are simulated")
    stream = payload.words.astype("<u4").tobytes()
    attrs = EthosUAttrs(accelerator, stream, op.content(1), tuple(sorted(sizes.items())), tuple(places), op.place)
    return op.ids(*reads), attrs


def _write(to: Writing, node: Node) -> OperatorDraft:
    raise GraphError(f"{node.op} is written by Vela alone", hint="write the model that Vela compiles")


OPERATORS = (
    Operator(
        CUSTOM_CODE,
        _verify,
        run_stream,
        EthosUAttrs,
        inputs=(0, _MOST[0]),
        outputs=(1, _MOST[1]),
        types=(Types(DType.INT8, DType.INT8, free=True),),
        states=None,
        macs=_macs,
        traits=frozenset({Trait.PLACED, Trait.READS_STATE, Trait.WRITES_STATE}),
        tflite=TfliteForm(CUSTOM, _write, _read, operands=range(_OPERANDS)),
    ),
)
