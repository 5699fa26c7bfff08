"""Weights that take fewer bits than their type: of few distinct values, or of four bits each.

Nothing but the values tells: a constant stays in the graph as it is, and kernels that
decode ask what it could be packed to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.quantization.types import Array

INT4 = (-8, 7)
"""Lowest and highest value of four bits."""

NIBBLES = 16
"""Values that indices of four bits tell apart."""

BYTES = 256
"""Values that indices of eight bits tell apart."""


@dataclass(frozen=True, eq=False)
class SharedValues:
    """Elements as indices into tables of values.

    Attributes:
        indices: uint8, the shape of the elements.
        tables: [tables, size] of the elements' type: one for all elements, or one for each slice along the axis. Values
            rise; a table of fewer values than the largest one repeats its last.
        counts: distinct values of each table.
    """

    indices: npt.NDArray[np.uint8]
    tables: Array
    counts: tuple[int, ...]

    @property
    def is_per_channel(self) -> bool:
        """Whether slices have tables of their own."""
        return len(self.counts) > 1


def is_int4(data: Array) -> bool:
    """Whether every element is an integer of four bits."""
    low, high = INT4
    if not np.issubdtype(data.dtype, np.integer):
        return False
    numbers = data.astype(np.int64)
    return bool(((numbers >= low) & (numbers <= high)).all())


def distinct(data: Array) -> Array:
    """The distinct values, as bit patterns tell them apart: rising, -0.0 before 0.0, each NaN by itself."""
    flat = np.ascontiguousarray(data).reshape(-1)
    if not np.issubdtype(flat.dtype, np.floating):
        return np.unique(flat)
    bits = np.unique(flat.view(f"u{flat.dtype.itemsize}"))
    values = bits.view(flat.dtype)
    return values[np.lexsort((~np.signbit(values), values))]


def shared_values(data: Array, most: int, axis: int | None = None) -> SharedValues | None:
    """Elements as indices into tables of at most `most` values; None where there are more distinct ones.

    Args:
        data: at least one element.
        most: up to 256.
        axis: None for one table, or the axis along which each slice has its own.
    """
    slices = [data.reshape(-1)] if axis is None else list(np.moveaxis(data, axis, 0).reshape(data.shape[axis], -1))
    found = [distinct(part) for part in slices]
    size = max(len(values) for values in found)
    if size > most:
        return None
    tables = np.stack([np.concatenate([values, np.repeat(values[-1:], size - len(values))]) for values in found])
    rows = np.stack([_indices(part, values) for part, values in zip(slices, found, strict=True)])
    if axis is None:
        indices = rows.reshape(data.shape)
    else:
        moved = np.moveaxis(data, axis, 0)
        indices = np.moveaxis(rows.reshape(moved.shape), 0, axis)
    return SharedValues(np.ascontiguousarray(indices), tables, tuple(len(values) for values in found))


def restored(shared: SharedValues, axis: int | None = None) -> Array:
    """The elements that `shared_values` was given."""
    if axis is None:
        whole: Array = shared.tables[0][shared.indices]
        return whole
    moved = np.moveaxis(shared.indices, axis, 0)
    rows = np.stack([table[part] for table, part in zip(shared.tables, moved, strict=True)])
    return np.moveaxis(rows, 0, axis)


def _indices(part: Array, values: Array) -> npt.NDArray[np.uint8]:
    """uint8: where each element stands among the distinct values."""
    if not np.issubdtype(part.dtype, np.floating):
        return np.searchsorted(values, part).astype(np.uint8)
    # Floats are compared by their bits: 0.0 and -0.0 differ in what a division gives, and a NaN equals itself.
    kind = f"u{part.dtype.itemsize}"
    bits = np.ascontiguousarray(values).view(kind)
    order = np.argsort(bits)
    return order[np.searchsorted(bits[order], np.ascontiguousarray(part).view(kind))].astype(np.uint8)
