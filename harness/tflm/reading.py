"""A .tflite file -> its operators and tensors as TFLM sees them, whether tinyhil compiles them or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from harness.frontends.tflite.schema import (
    ASSIGN_VARIABLE,
    CALL_ONCE,
    READ_VARIABLE,
    VAR_HANDLE,
    FileOperator,
    FileSubgraph,
    FileTensor,
    read_model,
)
from harness.ir.graph import ABSENT
from harness.ir.operators import OPERATORS
from harness.ir.operators.tflite import ACTIVATIONS, CUSTOM
from harness.tflm.layer import SIZES, Scale, Shape, TflmLayer

_NAMES = {
    **{
        form.code: operator.name
        for operator in OPERATORS.values()
        if (form := operator.tflite) is not None and form.code != CUSTOM and not form.dynamic_of
    },
    VAR_HANDLE: "VAR_HANDLE",
    READ_VARIABLE: "READ_VARIABLE",
    ASSIGN_VARIABLE: "ASSIGN_VARIABLE",
    CALL_ONCE: "CALL_ONCE",
}
_MOST_NUMBERS = 64
"""Of a constant operand; larger ones are data."""


@dataclass(frozen=True)
class TflmTensor:
    """A tensor that the file does not hold: TFLM's planner places it.

    Attributes:
        bytes: its size.
        first, last: operators that write it first and read it last; of an input first is 0, of an output last is the
            last operator.
    """

    bytes: int
    first: int
    last: int


@dataclass(frozen=True)
class TflmModel:
    """A model file.

    Attributes:
        layers: operators of the main graph in the file's order.
        tensors: those that have to be placed, in the file's order, which the planner follows.
        count: of all tensors of the main graph, with constants.
        ends: inputs and outputs of the model.
        size: bytes of the file.
    """

    layers: tuple[TflmLayer, ...]
    tensors: tuple[TflmTensor, ...]
    count: int
    ends: int
    size: int


def read(data: bytes, place: str = "model") -> TflmModel:
    """The bytes of a .tflite file as TFLM sees them.

    Raises:
        ModelFileError: it is not a .tflite file, or damaged.
    """
    main = read_model(data, place)[0]
    return TflmModel(
        layers=tuple(_layer(op, main) for op in main.operators),
        tensors=_placed(main),
        count=len(main.tensors),
        ends=len(main.inputs) + len(main.outputs),
        size=len(data),
    )


def _placed(main: FileSubgraph) -> tuple[TflmTensor, ...]:
    first: dict[int, int] = dict.fromkeys(main.inputs, 0)
    last: dict[int, int] = dict.fromkeys(main.inputs, 0)
    for op in main.operators:
        for t in op.outputs:
            first.setdefault(t, op.index)
            last[t] = max(last.get(t, 0), op.index)
        for t in op.inputs:
            if t != ABSENT and t in first:
                last[t] = max(last[t], op.index)
    for t in main.outputs:
        if t in first:
            last[t] = max(len(main.operators) - 1, 0)
    return tuple(
        TflmTensor(size_of(main.tensors[t]), start, last[t])
        for t, start in sorted(first.items())
        if main.tensors[t].data is None and not main.tensors[t].variable
    )


def size_of(tensor: FileTensor) -> int:
    """Bytes of a tensor."""
    return prod(tensor.shape) * SIZES.get(tensor.type, 1)


def _layer(op: FileOperator, main: FileSubgraph) -> TflmLayer:
    given = [None if t == ABSENT else main.tensors[t] for t in op.inputs]
    made = [main.tensors[t] for t in op.outputs]
    name = _NAMES.get(op.code) or op.name
    second = given[1].type if len(given) > 1 and given[1] is not None else ""
    return TflmLayer(
        op=name,
        inputs=tuple(None if tensor is None else tensor.shape for tensor in given),
        outputs=tuple(tensor.shape for tensor in made),
        types=(given[0].type if given and given[0] is not None else "", second, made[0].type if made else ""),
        constants=tuple(i for i, tensor in enumerate(given) if tensor is not None and tensor.data is not None),
        **_OPTIONS[name](op, given, made) if name in _OPTIONS else {},
    )


_Tensors = list[FileTensor | None]


def _pair(op: FileOperator, height: int, width: int, default: int = 0) -> Shape:
    return op.options.integer(height, default=default), op.options.integer(width, default=default)


def _padding(op: FileOperator) -> str:
    return "VALID" if op.options.integer(4, "<b") == 1 else "SAME"


def _activation(op: FileOperator, offset: int) -> str:
    number = op.options.integer(offset, "<b")
    return ACTIVATIONS[number] if 0 <= number < len(ACTIVATIONS) else str(number)


def _convolution(op: FileOperator, given: _Tensors, made: list[FileTensor]) -> dict[str, Any]:
    return {
        "padding": _padding(op),
        "stride": _pair(op, 8, 6),
        "dilation": _pair(op, 14, 12, 1),
        "activation": _activation(op, 10),
    }


def _depthwise(op: FileOperator, given: _Tensors, made: list[FileTensor]) -> dict[str, Any]:
    return {
        "padding": _padding(op),
        "stride": _pair(op, 8, 6),
        "dilation": _pair(op, 16, 14, 1),
        "activation": _activation(op, 12),
    }


def _pooling(op: FileOperator, given: _Tensors, made: list[FileTensor]) -> dict[str, Any]:
    return {
        "padding": _padding(op),
        "stride": _pair(op, 8, 6),
        "kernel": _pair(op, 12, 10),
        "activation": _activation(op, 14),
    }


def _dense(op: FileOperator, given: _Tensors, made: list[FileTensor]) -> dict[str, Any]:
    weights = given[1] if len(given) > 1 else None
    zero = next((z for z in weights.zero_points if z), 0) if weights is not None else 0
    scales = len(weights.scales) if weights is not None else 0
    return {"activation": _activation(op, 4), "weights_zero": zero, "per_channel": scales > 1}


def _activated(offset: int) -> Callable[..., dict[str, Any]]:
    return lambda op, given, made: {"activation": _activation(op, offset)}


def _concatenation(op: FileOperator, given: _Tensors, made: list[FileTensor]) -> dict[str, Any]:
    rank = max(len(made[0].shape), 1) if made else 1
    return {"axis": op.options.integer(4) % rank, "activation": _activation(op, 6)}


def _operand(*positions: int) -> Callable[..., dict[str, Any]]:
    def read_operands(op: FileOperator, given: _Tensors, made: list[FileTensor]) -> dict[str, Any]:
        found = [constant(given[i]) if i < len(given) else None for i in positions]
        return {} if None in found else {"numbers": tuple(found)}

    return read_operands


def constant(tensor: FileTensor | None) -> Shape | None:
    """The few integers that a tensor holds in the file; None where it holds none, or others."""
    if tensor is None or tensor.data is None or tensor.type not in ("int32", "int64"):
        return None
    values = np.frombuffer(tensor.data.tobytes()[: _MOST_NUMBERS * 8], "<i4" if tensor.type == "int32" else "<i8")
    return tuple(int(value) for value in values[:_MOST_NUMBERS])


def _slice(op: FileOperator, given: _Tensors, made: list[FileTensor]) -> dict[str, Any]:
    masks = tuple(op.options.integer(offset) for offset in (4, 6, 8, 10, 12))
    return {**_operand(1, 2, 3)(op, given, made), "masks": masks}


def _quant(op: FileOperator, given: _Tensors, made: list[FileTensor]) -> dict[str, Any]:
    return {"quant": (_scale(given[0] if given else None), _scale(made[0] if made else None))}


def _scale(tensor: FileTensor | None) -> Scale | None:
    if tensor is None or not tensor.scales:
        return None
    return tensor.scales[0], tensor.zero_points[0] if tensor.zero_points else 0


def _mean(op: FileOperator, given: _Tensors, made: list[FileTensor]) -> dict[str, Any]:
    return {**_reduction(op, given, made), **_quant(op, given, made)}


def _reduction(op: FileOperator, given: _Tensors, made: list[FileTensor]) -> dict[str, Any]:
    return {**_operand(1)(op, given, made), "keep": op.options.flag(4)}


def _svdf(op: FileOperator, given: _Tensors, made: list[FileTensor]) -> dict[str, Any]:
    state = given[4] if len(given) > 4 else None
    return {"activation": _activation(op, 6), "state": state.type if state is not None else ""}


def _recurrent(op: FileOperator, given: _Tensors, made: list[FileTensor]) -> dict[str, Any]:
    return {"activation": _activation(op, 4), "time_major": op.options.flag(10)}


_OPTIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "AVERAGE_POOL_2D": _pooling,
    "MAX_POOL_2D": _pooling,
    "FULLY_CONNECTED": _dense,
    "ADD": _activated(4),
    "SUB": _activated(4),
    "MUL": _activated(4),
    "CONCATENATION": _concatenation,
    "PAD": _operand(1),
    "PADV2": _operand(1),
    "TRANSPOSE": _operand(1),
    **dict.fromkeys(("REDUCE_MAX", "REDUCE_MIN", "SUM"), _reduction),
    "MEAN": _mean,
    "STRIDED_SLICE": _slice,
    "SOFTMAX": _quant,
    "QUANTIZE": _quant,
    "SVDF": _svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _recurrent,
}
"""Operator -> what is read of its options and constants."""
