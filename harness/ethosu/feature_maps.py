"""Reading and writing feature maps: four tiles, NHWC or bricks of 16 channels, any strides."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from harness.ethosu.memory import NpuMemory
from harness.ethosu.registers import FeatureMap
from harness.quantization.fixedpoint import Ints

BRICK = 16
"""Channels of a brick of NHCWB16."""

Shape = tuple[int, int, int]
Area = tuple[slice, slice, slice]


def read(memory: NpuMemory, source: FeatureMap, shape: Shape) -> Ints:
    """Elements [height, width, depth] as they are, zero point included."""
    out = np.empty(shape, np.int64)
    for area, view in pieces(memory, source, shape, write=False):
        out[area] = view.reshape(out[area].shape)
    return out


def write(memory: NpuMemory, target: FeatureMap, values: Ints) -> None:
    """Elements [height, width, depth]; of each the lower bits are kept."""
    height, width, depth = values.shape
    for area, view in pieces(memory, target, (height, width, depth), write=True):
        view[...] = values[area].astype(view.dtype).reshape(view.shape)


def pieces(
    memory: NpuMemory, place: FeatureMap, shape: Shape, *, write: bool
) -> Iterator[tuple[Area, npt.NDArray[np.generic]]]:
    """Each part of the shape that lies regularly, and its elements as a view of memory."""
    size = np.dtype(place.kind).itemsize
    for tile, rows, columns in _tiles(place, shape):
        parts = (rows.stop - rows.start, columns.stop - columns.start)
        base = place.bases[tile]
        sy, sx, sc = place.strides
        if not place.bricks:
            view = memory.strided(place.region, base, (*parts, shape[2]), (sy, sx, size), place.kind, write=write)
            yield (rows, columns, slice(0, shape[2])), view
            continue
        whole = shape[2] // BRICK
        for start, count, lanes in ((0, whole, BRICK), (whole, 1, shape[2] % BRICK)):
            if count and lanes:
                view = memory.strided(
                    place.region,
                    base + start * sc,
                    (*parts, count, lanes),
                    (sy, BRICK * size, sc, size),
                    place.kind,
                    write=write,
                )
                yield (rows, columns, slice(start * BRICK, start * BRICK + count * lanes)), view


def _tiles(place: FeatureMap, shape: Shape) -> Iterator[tuple[int, slice, slice]]:
    """Number, rows and columns of each of the four tiles that the shape reaches into."""
    height, width, _ = shape
    left = min(place.width0, width)
    for first, columns, upper in ((0, slice(0, left), place.height0), (1, slice(left, width), place.height1)):
        middle = min(upper, height)
        for tile, rows in ((first, slice(0, middle)), (first + 2, slice(middle, height))):
            if rows.start < rows.stop and columns.start < columns.stop:
                yield tile, rows, columns
