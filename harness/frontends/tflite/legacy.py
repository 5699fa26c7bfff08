"""Models quantized to uint8, as TensorFlow 1 wrote them, as models of int8: the same numbers, 128 less.

Done in the bytes of the file, so that the references read what is compiled: element types, zero points, and constants.
Only where every operator computes the same on both: TFLM rounds some by the sign of integers, and takes weights with a
zero point in FULLY_CONNECTED alone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from harness.errors import UnsupportedModelError
from harness.ethosu.payload import CUSTOM_CODE
from harness.frontends.tflite.flatbuffer import FlatTable
from harness.frontends.tflite.schema import FileOperator, FileSubgraph, FileTensor, read_model
from harness.ir.graph import ABSENT
from harness.ir.operators import OPERATORS
from harness.ir.operators.operator import Operator
from harness.ir.operators.traits import Trait
from harness.quantization.types import DType

_SUBGRAPHS, _BUFFERS, _TENSORS, _TYPE, _BUFFER, _DATA, _QUANTIZATION, _ZERO_POINTS = 8, 12, 4, 6, 8, 4, 12, 10
"""Fields of the schema's tables."""
_UINT8, _INT8, _BIAS = 3, 9, 128
_MOST = 1 << 20
_SAME = frozenset(
    {
        *("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "MAX_POOL_2D", "RELU", "RELU6"),
        *(
            "SOFTMAX",
            "LOGISTIC",
            "TANH",
            "PAD",
            "PADV2",
            "CONCATENATION",
            "QUANTIZE",
            "DEQUANTIZE",
            "MAXIMUM",
            "MINIMUM",
        ),
        *("SPLIT", "SPLIT_V", "STRIDED_SLICE", "SLICE"),
    }
)
"""Operators that compute the same with both, besides those that only copy."""
_BY_CODE: dict[int, Operator] = {op.tflite.code: op for op in OPERATORS.values() if op.tflite is not None}


@dataclass
class _Patches:
    """Changes to the bytes of a file: places of numbers and of constants."""

    numbers: dict[int, bytes] = field(default_factory=dict)
    constants: dict[int, bytes] = field(default_factory=dict)

    def applied(self, data: bytes) -> bytes:
        """The file with all of them."""
        made = bytearray(data)
        for at, value in (*self.numbers.items(), *self.constants.items()):
            made[at : at + len(value)] = value
        return bytes(made)


def as_int8(data: bytes, place: str) -> bytes:
    """The file with quantized uint8 tensors as int8 ones, where an operator wants that; else the file as it is.

    Raises:
        ModelFileError: it is damaged.
        UnsupportedModelError: something in it cannot be had exactly in int8; the message lists it.
    """
    subgraphs = read_model(data, place)
    main = subgraphs[0]
    if len(subgraphs) != 1 or not any(map(_is_legacy, main.tensors)) or not _wanted(main):
        return data
    if any(op.custom == CUSTOM_CODE for op in main.operators):
        return data  # its streams are of uint8
    reasons = list(dict.fromkeys(_reasons(main)))
    if reasons:
        raise UnsupportedModelError(
            f"{place}: not supported: a uint8 model that int8 cannot stand for exactly: " + ", ".join(reasons),
            hint="convert the model again with full integer quantization to int8 (TFLiteConverter, TensorFlow 2)",
        )
    return _patches(data, place, main).applied(data)


def _is_legacy(tensor: FileTensor) -> bool:
    return tensor.type == DType.UINT8.value and bool(tensor.scales)


def _touched(main: FileSubgraph, op: FileOperator) -> Iterator[tuple[int, FileTensor]]:
    """Positions (of outputs: -1) and tensors of an operator that are quantized to uint8."""
    places = [*enumerate(op.inputs), *((-1, t) for t in op.outputs)]
    return ((i, main.tensors[t]) for i, t in places if t != ABSENT and _is_legacy(main.tensors[t]))


def _takes_bytes(operator: Operator) -> bool:
    return any(DType.UINT8 in (types.x, types.y) for types in operator.types)


def _wanted(main: FileSubgraph) -> bool:
    """Whether an operator that tinyhil has reads or writes quantized uint8, which it does not compute."""
    ours = [op for op in main.operators if op.code in _BY_CODE and not _takes_bytes(_BY_CODE[op.code])]
    return any(True for op in ours for _ in _touched(main, op))


def _reasons(main: FileSubgraph) -> Iterator[str]:
    """What cannot be had exactly."""
    for op in main.operators:
        operator = _BY_CODE.get(op.code)
        touched = list(_touched(main, op))
        if operator is None or not touched:
            continue  # refused by name, or of no interest
        for i, tensor in touched:
            if i == 1 and operator.has(Trait.WEIGHTS) and tensor.data is not None:
                yield from _reasons_of_weights(operator, tensor)
            if not tensor.zero_points:
                yield f"'{tensor.name}' without a zero point"
        copies = operator.moves is not None or operator.has(Trait.SAME_BYTES)
        if not (copies or operator.name in _SAME or _is_odd_average(operator, op)):
            yield f"{operator.name} of uint8"


def _is_odd_average(operator: Operator, op: FileOperator) -> bool:
    """Whether means never lie halfway between two integers, where uint8 is rounded up, and int8 away from zero."""
    if not operator.has(Trait.AVERAGES) or operator.name != "AVERAGE_POOL_2D":
        return False
    valid, size = op.options.integer(4, "<b") == 1, op.options.integer(10) * op.options.integer(12)
    return valid and size % 2 == 1


def _reasons_of_weights(operator: Operator, tensor: FileTensor) -> Iterator[str]:
    if operator.name != "FULLY_CONNECTED" and tensor.zero_points and _centred(tensor) is None:
        yield f"{operator.name} with weights of zero point {tensor.zero_points[0]}, less which they leave int8"


def _centred(tensor: FileTensor) -> bytes | None:
    """Weights less their zero point, where all are int8."""
    assert tensor.data is not None
    values = tensor.data.astype(np.int64) - tensor.zero_points[0]
    fits = len(set(tensor.zero_points)) == 1 and bool((values >= -128).all() and (values <= 127).all())
    return values.astype(np.int8).tobytes() if fits else None


def _patches(data: bytes, place: str, main: FileSubgraph) -> _Patches:
    centred = {
        op.inputs[1]
        for op in main.operators
        if op.code in _BY_CODE and _BY_CODE[op.code].has(Trait.WEIGHTS) and len(op.inputs) > 1
        if _BY_CODE[op.code].name != "FULLY_CONNECTED"
    }
    found = _Patches()
    model = FlatTable.root(data, place)
    buffers = model.tables(_BUFFERS, "buffer", _MOST)
    tables = model.tables(_SUBGRAPHS, "subgraph", 1)[0].tables(_TENSORS, "tensor", _MOST)
    for tensor, table in zip(main.tensors, tables, strict=True):
        if _is_legacy(tensor):
            _patch(found, tensor, table, buffers, tensor.index in centred and tensor.data is not None)
    return found


def _patch(
    found: _Patches, tensor: FileTensor, table: FlatTable, buffers: tuple[FlatTable, ...], centred: bool
) -> None:
    """One tensor; `centred`: its constants without their zero point."""
    found.numbers[table.field(_TYPE)] = struct.pack("<b", _INT8)
    quantization = table.table(_QUANTIZATION, f"{table.place}, quantization")
    assert quantization is not None
    start, count = quantization.vector(_ZERO_POINTS, 8, table.place)
    points = [0 if centred else point - _BIAS for point in tensor.zero_points]
    found.numbers[start] = struct.pack(f"<{count}q", *points)
    if tensor.data is not None:
        at, _ = buffers[table.integer(_BUFFER, "<I")].vector(_DATA, 1, table.place)
        values = _centred(tensor) if centred else (tensor.data.astype(np.uint8) ^ 0x80).tobytes()
        assert values is not None
        found.constants[at] = values
