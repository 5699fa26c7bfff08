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
from harness.ethosu.memory import Bytes
from harness.ethosu.payload import CUSTOM_CODE, MOST_MEMORY, Words, read_payload
from harness.ethosu.simulator import Observer, Simulator
from harness.ir.graph import ABSENT, Attrs, Node, Place
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
        tensors: where inputs, then outputs lie; blocks are regions.
    """

    accelerator: Accelerator
    stream: bytes
    constants: bytes
    regions: tuple[tuple[int, int], ...]
    tensors: tuple[Place, ...]

    @property
    def places(self) -> tuple[Place, ...]:
        """See Attrs."""
        return self.tensors

    @property
    def blocks(self) -> Mapping[int, int]:
        """See Attrs."""
        return dict(self.regions)

    @property
    def words(self) -> Words:
        """The command stream."""
        return np.frombuffer(self.stream, "<u4")

    @cached_property
    def simulator(self) -> Simulator:
        """An NPU that keeps the decoded weights."""
        return Simulator(self.accelerator)

    def memories(self) -> dict[int, Bytes]:
        """Every region, all but the constants cleared."""
        made: dict[int, Bytes] = {number: np.zeros(size, np.uint8) for number, size in self.regions}
        made[CONSTANTS] = np.frombuffer(self.constants, np.uint8)
        made.setdefault(FAST, made[ARENA])
        return made


def run_stream(inputs: Inputs, op: Operands, observe: Observer | None = None) -> tuple[Array, ...]:
    """The outputs of one run; `observe` is called after each operation.

    Raises:
        CommandStreamError: the NPU cannot carry out a command.
    """
    attrs = op.attrs
    assert isinstance(attrs, EthosUAttrs)
    memories = attrs.memories()
    for i in range(len(inputs)):
        place, given = attrs.tensors[i], np.ascontiguousarray(array(inputs, i)).reshape(-1).view(np.uint8)
        memories[place.block][place.offset : place.offset + len(given)] = given
    attrs.simulator.run(attrs.words, memories, f"'{op.outs[0].name}'", observe)
    made = []
    for tensor, place in zip(op.outs, attrs.tensors[len(inputs) :], strict=True):
        raw = memories[place.block][place.offset : place.offset + tensor.bytes]
        made.append(raw.copy().view(tensor.dtype.numpy).reshape(tensor.shape))
    return tuple(made)


def _verify(v: View) -> None:
    attrs = v.node.attrs
    assert isinstance(attrs, EthosUAttrs)
    ids = (*v.node.inputs, *v.node.outputs)
    v.need(len(attrs.tensors) == len(ids), f"places {len(attrs.tensors)} tensors of {len(ids)}")
    v.need(bool(attrs.stream) and len(attrs.stream) % 4 == 0, f"has a stream of {len(attrs.stream)} bytes")
    sizes, known = dict(attrs.regions), v.graph.places()
    v.need(ARENA in sizes and CONSTANTS not in sizes, f"has the regions {sorted(sizes)}")
    for t, place in zip(ids, attrs.tensors, strict=True):
        tensor, size = v.graph.tensors[t], sizes.get(place.block, 0)
        v.need(
            place.offset >= 0 and place.offset + tensor.bytes <= size,
            f"has '{tensor.name}' at bytes {place.offset} to {place.offset + tensor.bytes - 1} of region "
            f"{place.block}, which has {size}",
        )
        v.need(
            known.get(t, place) == place,
            f"wants '{tensor.name}' at byte {place.offset} of region {place.block}, and another operator elsewhere",
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
    left = op.drop_unread()
    inputs = op.inputs[_OPERANDS:]
    places = []
    for i, t in enumerate((*inputs, *(op.outputs[i] for i in left))):
        tensor = op.input(_OPERANDS + i) if i < len(inputs) else op.output(left[i - len(inputs)])
        block = ARENA if not payload.separate else INPUTS if i < len(inputs) else OUTPUTS
        at = op.offset(t)
        if at < 0:
            raise damaged(f"{op.place}: '{tensor.name}' has no place in the arena")
        places.append(Place(block, at))
        if payload.separate:
            sizes[block] = max(sizes.get(block, 0), at + tensor.bytes)
    if too_large := [size for size in sizes.values() if size > MOST_MEMORY]:
        raise damaged(f"{op.place}: a memory of {too_large[0]} bytes; {MOST_MEMORY} are simulated")
    stream = payload.words.astype("<u4").tobytes()
    return inputs, EthosUAttrs(accelerator, stream, op.content(1), tuple(sorted(sizes.items())), tuple(places))


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
        traits=frozenset({Trait.PLACED}),
        tflite=TfliteForm(CUSTOM, _write, _read, operands=range(_OPERANDS)),
    ),
)
