"""Serialises a model as FlatBuffers of TensorFlow Lite's schema, version 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import flatbuffers
import flatbuffers.flexbuffers
import numpy as np

from harness.frontends.tflite.schema import IDENTIFIER
from harness.ir.operators import OPERATORS
from harness.ir.operators.tflite import CUSTOM, Fields, OperatorDraft
from harness.quantization.types import Array, Quantization

_TYPES = {
    "float32": 0,
    "int32": 2,
    "uint8": 3,
    "int64": 4,
    "bool": 6,
    "int16": 7,
    "int8": 9,
    "uint64": 12,
    "resource": 13,
    "uint32": 15,
    "int4": 17,
}



@dataclass(frozen=True, eq=False)
class TensorDraft:
    """A tensor to write; `type` is numpy's name of it, "resource", or "int4", whose data are two elements a byte."""

    name: str
    shape: tuple[int, ...]
    type: str
    quant: Quantization | None = None
    data: Array | None = None
    variable: bool = False


@dataclass
class SubgraphDraft:
    """A subgraph to write; tensors and operators are added to it."""

    name: str
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    tensors: list[TensorDraft] = field(default_factory=list)
    operators: list[OperatorDraft] = field(default_factory=list)

    def add(self, tensor: TensorDraft) -> int:
        """Index of a new tensor."""
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, name: str, data: Any, quant: Quantization | None = None) -> int:
        """Index of a new constant, int32 unless `data` is an array of another type."""
        array = data if isinstance(data, np.ndarray) else np.array(data, np.int32)
        return self.add(TensorDraft(name, array.shape, array.dtype.name, quant, array))


def _schema() -> Any:
    """The package of the schema's classes, which whoever only reads files does not wait for."""
    import tflite

    return tflite


def halves(data: Array) -> Array:
    """Integers of four bits as a file has them: two elements a byte, the first in the lower bits."""
    nibbles = data.reshape(-1).astype(np.uint8) & 15
    nibbles = np.append(nibbles, np.zeros(nibbles.size % 2, np.uint8))
    packed: Array = nibbles[0::2] | nibbles[1::2] << 4
    return packed


def _table(builder: Any, name: str, fields: Mapping[str, Any]) -> int:
    """A table of the schema; fields are numbers, or offsets of what was written before. Zeros are left out."""
    getattr(_schema(), f"{name}Start")(builder)
    for key, value in fields.items():
        if value:
            getattr(_schema(), f"{name}Add{key}")(builder, value)
    return cast(int, getattr(_schema(), f"{name}End")(builder))


def _vector(builder: Any, values: Sequence[int]) -> int:
    """A vector of offsets."""
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependUOffsetTRelative(value)
    return cast(int, builder.EndVector())


def _numbers(builder: Any, values: Sequence[int] | Sequence[float], dtype: str = "<i4") -> int:
    return cast(int, builder.CreateNumpyVector(np.array(values, dtype)))


def _bytes(builder: Any, data: bytes) -> int:
    """A byte vector aligned to 16 bytes, as readers that use it in place expect."""
    builder.StartVector(1, len(data), 16)
    builder.head -= len(data)
    builder.Bytes[builder.head : builder.head + len(data)] = data
    return cast(int, builder.EndVector())


def _options(builder: Any, name: str, fields: Fields) -> int:
    ready: dict[str, Any] = {}
    for key, value in fields.items():
        if isinstance(value, str):
            ready[key] = builder.CreateString(value)
        elif isinstance(value, list | tuple):
            ready[key] = _numbers(builder, value)
        else:
            ready[key] = value
    return _table(builder, f"{name}Options", ready)


def _write_tensor(builder: Any, tensor: TensorDraft, buffer: int) -> int:
    quant = 0
    if tensor.quant is not None:
        parts = {
            "Scale": _numbers(builder, tensor.quant.scales, "<f4"),
            "ZeroPoint": _numbers(builder, tensor.quant.zero_points, "<i8"),
            "QuantizedDimension": tensor.quant.axis or 0,
        }
        quant = _table(builder, "QuantizationParameters", parts)
    name, shape = builder.CreateString(tensor.name), _numbers(builder, tensor.shape)
    fields = {
        **{"Shape": shape, "Type": _TYPES[tensor.type], "Buffer": buffer, "Name": name, "Quantization": quant},
        "IsVariable": tensor.variable,
    }
    return _table(builder, "Tensor", fields)


def _write_operator(builder: Any, operator: OperatorDraft, codes: Mapping[str, int]) -> int:
    options = _options(builder, operator.options, operator.fields) if operator.options else 0
    fields = {
        "OpcodeIndex": codes[operator.op],
        "Inputs": _numbers(builder, operator.inputs),
        "Outputs": _numbers(builder, operator.outputs),
        "BuiltinOptions": options,
        "BuiltinOptionsType": getattr(_schema().BuiltinOptions, f"{operator.options}Options") if options else 0,
        "CustomOptions": _bytes(builder, flexible(operator.custom)) if _is_custom(operator.op) else 0,
    }
    return _table(builder, "Operator", fields)


def flexible(options: Mapping[str, int | float | bool]) -> bytes:
    """The options of a custom operator: a map, whose keys FlexBuffers sort."""
    builder: Any = flatbuffers.flexbuffers.Builder()
    builder.MapFromElements(dict(options))
    return bytes(builder.Finish())


def _is_custom(op: str) -> bool:
    if op not in OPERATORS:
        return not hasattr(_schema().BuiltinOperator, op)
    form = OPERATORS[op].tflite
    return form is not None and form.code == CUSTOM


def _version(op: str) -> int:
    """Version of an operator, as TensorFlow's converter writes it for int8."""
    form = OPERATORS[op].tflite if op in OPERATORS else None
    return 1 if form is None else form.version


def serialize(subgraphs: Sequence[SubgraphDraft], metadata: Mapping[str, bytes] | None = None) -> bytes:
    """The file of a model; subgraph 0 is the main one. `metadata` is what further buffers hold, by name."""
    builder: Any = flatbuffers.Builder(1024)
    operators = [op.op for subgraph in subgraphs for op in subgraph.operators]
    codes = {op: i for i, op in enumerate(dict.fromkeys(operators))}
    buffers = [_table(builder, "Buffer", {})]
    tables = []
    for subgraph in subgraphs:
        tensors = []
        for tensor in subgraph.tensors:
            index = 0
            if tensor.data is not None:
                index = len(buffers)
                buffers.append(_table(builder, "Buffer", {"Data": _bytes(builder, tensor.data.tobytes())}))
            tensors.append(_write_tensor(builder, tensor, index))
        fields = {
            "Tensors": _vector(builder, tensors),
            "Inputs": _numbers(builder, subgraph.inputs),
            "Outputs": _numbers(builder, subgraph.outputs),
            "Operators": _vector(builder, [_write_operator(builder, op, codes) for op in subgraph.operators]),
            "Name": builder.CreateString(subgraph.name),
        }
        tables.append(_table(builder, "SubGraph", fields))
    described = []
    for name, content in (metadata or {}).items():
        fields = {"Name": builder.CreateString(name), "Buffer": len(buffers)}
        buffers.append(_table(builder, "Buffer", {"Data": _bytes(builder, content)}))
        described.append(_table(builder, "Metadata", fields))
    kinds = []
    for op in codes:
        own = _is_custom(op)
        code = CUSTOM if own else getattr(_schema().BuiltinOperator, op)
        fields = {"DeprecatedBuiltinCode": min(code, 127), "BuiltinCode": code, "Version": _version(op)}
        fields["CustomCode"] = builder.CreateString(op) if own else 0
        kinds.append(_table(builder, "OperatorCode", fields))
    model = {
        "Version": 3,
        "OperatorCodes": _vector(builder, kinds),
        "Subgraphs": _vector(builder, tables),
        "Description": builder.CreateString("tinyhil"),
        "Buffers": _vector(builder, buffers),
        **({"Metadata": _vector(builder, described)} if described else {}),
    }
    builder.Finish(_table(builder, "Model", model), IDENTIFIER)
    return bytes(builder.Output())
