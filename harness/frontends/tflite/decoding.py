"""Compressed constants of TFLM's files -> their values.

Indices are unsigned, of 1 to 7 bits, the most significant bit first, without gaps; tables of values have the tensor's
own type, one for the tensor or one behind the other for each of its channels. The ancillary data of TFLM_DECODE are 16
bytes (what decodes, version 1, two of nothing, twelve for that decoder), then its tables. Sources: as of compressed.py.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
import numpy.typing as npt

from harness.frontends.tflite.schema import FileTensor
from harness.ir.operators.tflite import Unsupported, damaged
from harness.quantization.types import Array

HEADER = 16
"""Bytes before the tables."""

ONE_TABLE = 15
"""Stands for the dimension of channels where a tensor has one table."""

MOST_BITS = 7
_MOST_ELEMENTS = 16 << 20
"""Of a compressed tensor; more is beyond any microcontroller."""

_SIZES = {"float32": 4, "int8": 1, "int16": 2, "int32": 4, "int64": 8, "bool": 1}
"""Bytes of an element of the types that TFLM decompresses."""

_LOOK_UP, _HUFFMAN, _PRUNED = 0, 1, 2

Bytes = npt.NDArray[np.uint8]


def decoded(tensor: FileTensor, encoded: Array, ancillary: Array, place: str) -> FileTensor:
    """What TFLM_DECODE makes of a pair of inputs, as a constant.

    Raises:
        ModelFileError: the data contradict each other.
        Unsupported: another way of decoding than by tables of values, or of the elements that are not zero.
    """
    head = ancillary[:HEADER].tobytes()
    if len(head) < HEADER:
        raise damaged(f"{place}: {len(head)} bytes of ancillary data, of which the first {HEADER} say how to decode")
    kind, version = head[0], head[1]
    if version != 1:
        raise Unsupported(f"TFLM_DECODE of version {version}")
    values = np.asarray(ancillary[HEADER:], np.uint8)
    if kind == _LOOK_UP:
        if head[4] != 1:
            raise Unsupported(f"TFLM_DECODE with look-up tables of version {head[4]}")
        axis, bits, stride = head[5] >> 4, head[5] & 7, head[6]
        size = stride * _size(tensor, place)
        whole = axis == ONE_TABLE or (axis == 0 and values.size == size)  # before 2026 one table had no mark
        size = values.size if whole and not size else size
        return looked_up(tensor, encoded, values, bits, None if whole else axis, size, place)
    if kind == _PRUNED:
        return _spread(tensor, np.asarray(encoded, np.uint8), values, place)
    names = {_HUFFMAN: "Huffman codes"}
    raise Unsupported(f"TFLM_DECODE by {names.get(kind, f'way {kind}')}")


def looked_up(
    tensor: FileTensor, encoded: Array, values: Bytes, bits: int, axis: int | None, stride: int, place: str
) -> FileTensor:
    """A constant whose elements are indices of tables of values.

    Args:
        tensor: its shape and type.
        encoded: the indices.
        values: the tables.
        bits: of an index.
        axis: dimension along which every slice has a table of its own; None for one table.
        stride: bytes of a table.
        place: for errors.

    Raises:
        ModelFileError: an index or a table lies outside what the file has.
    """
    size, count = _size(tensor, place), _count(tensor, place)
    if not 1 <= bits <= MOST_BITS:
        raise damaged(f"{place}: indices of {bits} bits for {tensor.place}; 1 to {MOST_BITS} are possible")
    if axis is not None and axis >= len(tensor.shape):
        raise damaged(f"{place}: tables along dimension {axis} of {tensor.place}, which has {len(tensor.shape)}")
    if encoded.size != (count * bits + 7) // 8:
        raise damaged(f"{place}: {encoded.size} bytes of indices for {count} elements of {bits} bits of {tensor.place}")
    tables = 1 if axis is None else tensor.shape[axis]
    if stride < size or stride % size or values.size < tables * stride:
        raise damaged(f"{place}: {values.size} bytes of values for {tables} tables of {stride} bytes of {tensor.place}")
    indices = _indices(np.asarray(encoded, np.uint8), count, bits).reshape(tensor.shape)
    if count and int(indices.max()) >= stride // size:
        raise damaged(f"{place}: index {int(indices.max())} in a table of {stride // size} values of {tensor.place}")
    if axis is not None:
        along = [1] * indices.ndim
        along[axis] = -1
        indices = indices + (np.arange(tables) * (stride // size)).reshape(along)
    table = values[: tables * stride].reshape(-1, size)
    return replace(tensor, data=np.ascontiguousarray(table[indices.reshape(-1)]).reshape(-1))


def _spread(tensor: FileTensor, encoded: Bytes, values: Bytes, place: str) -> FileTensor:
    """A constant of which only what is not its zero is stored; a bit an element says which."""
    size, count = _size(tensor, place), _count(tensor, place)
    if encoded.size != (count + 7) // 8:
        raise damaged(f"{place}: {encoded.size} bytes say which of the {count} elements of {tensor.place} are there")
    there = np.unpackbits(encoded, count=count).astype(bool)
    if values.size != int(there.sum()) * size:
        raise damaged(f"{place}: {values.size} bytes for {int(there.sum())} elements of {tensor.place}")
    zeros = set(tensor.zero_points) or {0}
    if zeros != {0}:
        raise Unsupported("TFLM_DECODE of pruned constants with a zero point")
    made = np.zeros((count, size), np.uint8)
    made[there] = values.reshape(-1, size)
    return replace(tensor, data=made.reshape(-1))


def _size(tensor: FileTensor, place: str) -> int:
    if tensor.type not in _SIZES:
        raise damaged(f"{place}: {tensor.place} is {tensor.type}, which TFLM does not decompress")
    return _SIZES[tensor.type]


def _count(tensor: FileTensor, place: str) -> int:
    if any(n < 0 for n in tensor.shape) or prod(tensor.shape) > _MOST_ELEMENTS:
        raise damaged(f"{place}: {tensor.place} of shape {list(tensor.shape)}")
    return prod(tensor.shape)


def _indices(encoded: Bytes, count: int, bits: int) -> npt.NDArray[np.int64]:
    """Indices from their bits."""
    flat = np.unpackbits(encoded, count=count * bits).reshape(count, bits)
    found = np.zeros(count, np.uint8)
    for bit in range(bits):
        found = (found << 1 | flat[:, bit]).astype(np.uint8)
    return found.astype(np.int64)
