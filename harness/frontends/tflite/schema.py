"""The tables of a .tflite file as plain records, read within bounds; whether tinyhil compiles them is not checked here.

Field offsets are those of TensorFlow Lite's schema.fbs, version 3: a table's nth field has vtable offset 4 + 2 * n.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np

from harness.errors import ModelFileError
from harness.frontends.foreign import HEAD, of_content
from harness.frontends.tflite.flatbuffer import FlatTable
from harness.ir.operators.tflite import CUSTOM, damaged
from harness.quantization.types import Array

IDENTIFIER = b"TFL3"
"""Bytes 4 to 7 of a file."""

SCHEMA_VERSION = 3
MAX_TENSORS = 20_000
MAX_OPERATORS = 10_000
MAX_SUBGRAPHS = 64
MAX_RANK = 8
MAX_OPERANDS = 1_000
MAX_CHANNELS = 65_536
MAX_CUSTOM_OPTIONS = 4_096
CALL_ONCE = 129
VAR_HANDLE = 142
READ_VARIABLE = 143
ASSIGN_VARIABLE = 144
RESOURCE = "resource"

_TYPES = {
    0: "float32",
    1: "float16",
    2: "int32",
    3: "uint8",
    4: "int64",
    5: "string",
    6: "bool",
    7: "int16",
    8: "complex64",
    9: "int8",
    10: "float64",
    11: "complex128",
    12: "uint64",
    13: RESOURCE,
    14: "variant",
    15: "uint32",
    16: "uint16",
    17: "int4",
    18: "bfloat16",
}

# A table without a single field: what an operator without options has.
_NO_FIELDS = FlatTable(b"\x04\x00\x04\x00\x04\x00\x00\x00", 4, "no options")


@dataclass(frozen=True, eq=False)
class FileTensor:
    """A tensor as the file has it.

    Attributes:
        type: TensorFlow's name of the element type, such as "int8".
        data: its buffer as bytes (a view of the file), or None when it has none.
        scales, zero_points, axis: quantization as written; empty when there is none.
        variable: whether it is a state, kept in place from one inference to the next.
        odd: a feature of this tensor that tinyhil does not read, such as "sparse storage", or "".
        signature: its shape with -1 where the file leaves a dimension open; () where it leaves none.
    """

    index: int
    place: str
    name: str
    shape: tuple[int, ...]
    type: str
    data: Array | None
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int
    odd: str
    variable: bool = False
    signature: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class FileOperator:
    """An operator as the file has it; `code` is TensorFlow's BuiltinOperator, `custom` the name of a custom one.

    custom_options: the FlexBuffer of a custom one, empty where there is none.
    """

    index: int
    place: str
    code: int
    custom: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options_type: int
    options: FlatTable
    custom_options: bytes = b""

    @property
    def key(self) -> int | str:
        """What says which operator it is: the code, or a custom one's name."""
        return self.custom if self.code == CUSTOM else self.code

    @property
    def name(self) -> str:
        """The operator's name, whether tinyhil supports it or not."""
        return f"custom operator '{self.custom}'" if self.code == CUSTOM else operator_name(self.code)


@dataclass(frozen=True, eq=False)
class FileSubgraph:
    """One subgraph of the file."""

    place: str
    tensors: tuple[FileTensor, ...]
    operators: tuple[FileOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def operator_name(code: int) -> str:
    """TensorFlow's name of a builtin operator code."""
    import tflite  # slow to import, and only needed for the names of operators that are refused

    for name, value in vars(tflite.BuiltinOperator).items():
        if value == code and not name.startswith("_"):
            return str(name)
    return f"BUILTIN_{code}"


def read_model(data: bytes, place: str) -> tuple[FileSubgraph, ...]:
    """All subgraphs of a .tflite file.

    Raises:
        ModelFileError: it is not a .tflite file, of another version, or damaged.
    """
    if len(data) < 8 or data[4:8] != IDENTIFIER:
        what, hint = of_content(data[:HEAD]) or ("", "give a model exported by the TensorFlow Lite converter")
        told = f", but {what}" if what else ""
        raise ModelFileError(
            f"{place}: not a .tflite file{told} (bytes 4 to 7 should read {IDENTIFIER.decode()})", hint=hint
        )
    model = FlatTable.root(data, place)
    version = model.integer(4, "<I")
    if version != SCHEMA_VERSION:
        raise ModelFileError(
            f"{place}: schema version {version}, tinyhil reads version {SCHEMA_VERSION}",
            hint="convert the model again with a current TensorFlow Lite converter",
        )
    codes = [_operator_code(t) for t in model.tables(6, "operator code", MAX_OPERATORS)]
    buffers = model.tables(12, "buffer", 4 * MAX_TENSORS)
    subgraphs = model.tables(8, "subgraph", MAX_SUBGRAPHS)
    if not subgraphs:
        raise damaged(f"{place}: no subgraph in the file")
    return tuple(_subgraph(t, codes, buffers) for t in subgraphs)


def _operator_code(table: FlatTable) -> tuple[int, str]:
    code = max(table.integer(4, "<b"), table.integer(10, "<i"))
    if code < 0:
        raise damaged(f"{table.place}: negative operator code {code}")
    return code, table.text(6, "custom code")


def _subgraph(table: FlatTable, codes: list[tuple[int, str]], buffers: tuple[FlatTable, ...]) -> FileSubgraph:
    tensors = tuple(_tensor(i, t, buffers) for i, t in enumerate(table.tables(4, "tensor", MAX_TENSORS)))
    operators = tuple(
        _operator(i, t, codes, len(tensors)) for i, t in enumerate(table.tables(10, "operator", MAX_OPERATORS))
    )
    inputs = table.integers(6, "inputs", MAX_OPERANDS)
    outputs = table.integers(8, "outputs", MAX_OPERANDS)
    for t in inputs + outputs:
        if not 0 <= t < len(tensors):
            raise damaged(f"{table.place}: input or output tensor {t}, of {len(tensors)} tensors")
    return FileSubgraph(table.place, tensors, operators, inputs, outputs)


def _operator(index: int, table: FlatTable, codes: list[tuple[int, str]], tensors: int) -> FileOperator:
    which = table.integer(4, "<I")
    if which >= len(codes):
        raise damaged(f"{table.place}: operator code {which}, of {len(codes)}")
    inputs = table.integers(6, "inputs", MAX_OPERANDS)
    outputs = table.integers(8, "outputs", MAX_OPERANDS)
    if any(not -1 <= t < tensors for t in inputs) or any(not 0 <= t < tensors for t in outputs):
        raise damaged(f"{table.place}: tensors {inputs} -> {outputs}, of {tensors}")
    kind = table.integer(10, "<B")
    # Options of type 0 (NONE) are none, whatever the file holds there.
    options = table.table(12, f"{table.place}, options") if kind else None
    code, custom = codes[which]
    flexible = table.array(14, "<u1", "custom options")
    if len(flexible) > MAX_CUSTOM_OPTIONS:
        raise damaged(f"{table.place}: {len(flexible)} bytes of custom options")
    return FileOperator(
        index, table.place, code, custom, inputs, outputs, kind, options or _NO_FIELDS, flexible.tobytes()
    )


def _tensor(index: int, table: FlatTable, buffers: tuple[FlatTable, ...]) -> FileTensor:
    name = table.text(10, "name") or f"tensor {index}"
    place = f"{table.place} '{name}'"
    shape = table.integers(4, "shape", MAX_RANK)
    kind = table.integer(6, "<b")
    odd = ""
    if table.has(16):
        odd = "sparse storage"
    data, external = _buffer(table.integer(8, "<I"), buffers, place)
    if external:
        odd = "buffers stored outside the FlatBuffer (large-model format)"
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis = 0
    quant = table.table(12, f"{place}, quantization")
    if quant is not None:
        values = quant.array(8, "<f4", "scales")
        if len(values) > MAX_CHANNELS:
            raise damaged(f"{place}: {len(values)} quantization scales")
        scales = tuple(float(v) for v in values)
        zero_points = quant.integers(10, "zero points", MAX_CHANNELS, "<i8")
        axis = quant.integer(16)
        if quant.integer(12, "<B"):
            odd = "custom quantization"
    type_name = _TYPES.get(kind, f"type {kind}")
    signature = table.integers(18, "shape signature", MAX_RANK)
    variable = table.flag(14)
    return FileTensor(
        index, place, name, shape, type_name, data, scales, zero_points, axis, odd, variable, signature
    )


def _buffer(index: int, buffers: tuple[FlatTable, ...], place: str) -> tuple[Array | None, bool]:
    """(bytes of a buffer or None when empty, whether they lie outside the FlatBuffer)."""
    if index >= len(buffers):
        raise damaged(f"{place}: buffer {index}, of {len(buffers)}")
    data = buffers[index].array(4, "<u1", "data")
    # Offsets 0 and 1 stand for "not external" in TensorFlow's own reader.
    external = not len(data) and buffers[index].integer(6, "<Q") > 1
    return (data if len(data) else None), external


def as_array(tensor: FileTensor, dtype: str, shape: tuple[int, ...]) -> Array | None:
    """A tensor's data as a read-only array, or None when it has none.

    Raises:
        ModelFileError: the buffer's length is not the shape's.
    """
    if tensor.data is None:
        return None
    kind = np.dtype(dtype).newbyteorder("<")
    elements = int(np.prod(shape, dtype=object)) if shape else 1
    if elements * kind.itemsize != tensor.data.size:
        raise damaged(f"{tensor.place}: {tensor.data.size} bytes of data for shape {list(shape)} of {dtype}")
    values: Array = tensor.data.view(kind).reshape(shape).astype(np.dtype(dtype), copy=False)
    values.flags.writeable = False
    return values


def unpacked(tensor: FileTensor) -> FileTensor:
    """A constant of int4, two elements a byte, the first in the lower bits, as one of int8; any other as it is.

    Raises:
        ModelFileError: the buffer's length is not the shape's.
    """
    if tensor.type != "int4" or tensor.data is None:
        return tensor
    count = prod(tensor.shape)
    if tensor.data.size != (count + 1) // 2:
        raise damaged(f"{tensor.place}: {tensor.data.size} bytes of data for shape {list(tensor.shape)} of int4")
    pairs = tensor.data.astype(np.uint8)
    apart = np.stack([pairs << 4, pairs & 0xF0], axis=-1).astype(np.uint8).reshape(-1)[:count].view(np.int8) >> 4
    return replace(tensor, type="int8", data=apart.view(np.uint8))
