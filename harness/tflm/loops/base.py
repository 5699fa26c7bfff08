"""Counts of loops: what the kernels of TFLM and CMSIS-NN do how often for a layer, as their sources have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from harness.tflm.layer import Shape, TflmLayer

Counts: TypeAlias = dict[str, float]
"""What is done -> how often."""

WORD = 4
VECTOR = 16
"""Bytes of a register of Helium."""


@dataclass(frozen=True)
class Loops:
    """How a layer is computed.

    Attributes:
        kernel: the way that TFLM takes for it; layers of one kernel share their costs.
        counts: what that does how often.
    """

    kernel: str
    counts: Mapping[str, float]


@dataclass(frozen=True)
class Taps:
    """The places of a window along one axis.

    Attributes:
        inside: [output position] places of the window that lie in the input.
        before: padding in front.
    """

    inside: npt.NDArray[np.int64]
    before: int


@dataclass(frozen=True)
class MovedWindow:
    """How a window moves over an input.

    Attributes:
        pixels: output positions.
        kernel: places of the window.
        valid: places inside the input, over all positions.
        valid_rows: rows of the window inside the input, over all positions.
        padded: [position] whether the window reaches out of the input.
    """

    rows: Taps
    columns: Taps
    pixels: int
    kernel: int
    valid: int
    valid_rows: int
    padded: npt.NDArray[np.bool_]


def taps(size: int, out: int, kernel: int, stride: int, dilation: int, same: bool) -> Taps:
    """The places of a window along an axis, as TFLM computes padding."""
    before = max(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - size) // 2 if same else 0
    places = np.arange(out)[:, None] * stride - before + np.arange(kernel)[None, :] * dilation
    return Taps(((places >= 0) & (places < size)).sum(axis=1), before)


def window(layer: TflmLayer, kernel: Shape) -> MovedWindow:
    """How the window of a layer moves over its input."""
    size, out, same = layer.input(0), layer.output, layer.padding == "SAME"
    dilation = layer.dilation or (1, 1)
    rows, columns = (
        taps(size[1 + axis], out[1 + axis], kernel[axis], layer.stride[axis], dilation[axis], same) for axis in (0, 1)
    )
    inside_rows, inside_columns = int(rows.inside.sum()), int(columns.inside.sum())
    out_of = (rows.inside < kernel[0])[:, None] | (columns.inside < kernel[1])[None, :]
    return MovedWindow(
        rows=rows,
        columns=columns,
        pixels=out[1] * out[2],
        kernel=prod(kernel),
        valid=inside_rows * inside_columns,
        valid_rows=inside_rows * out[2],
        padded=out_of.reshape(-1),
    )


def scaled(counts: Mapping[str, float], by: float, name: str = "") -> Counts:
    """All counts so many times; the names with `name` in front."""
    return {f"{name}{key}": value * by for key, value in counts.items()}


def added(parts: Iterable[Mapping[str, float]]) -> Counts:
    """The sum of counts."""
    found: Counts = {}
    for part in parts:
        for key, value in part.items():
            found[key] = found.get(key, 0) + value
    return found


def ceiling(value: int, by: int) -> int:
    """Division, rounded up."""
    return -(-value // by)


def copy(size: int, target: int = 0, source: int = 0) -> Counts:
    """A call of the C library's memcpy: blocks of 64 and of 16 bytes, words and bytes; few bytes that lie askew alone.

    Args:
        size: bytes.
        target, source: where they begin, from the start of a word.
    """
    if not (target | source) % WORD:
        return {"copy": 1, **_words(size)}
    if size < 2 * WORD:
        return {"copy": 1, "copy askew": 1, "copy byte": size}
    head = -source % WORD
    return {"copy": 1, "copy askew": 1, "copy head": head, "copy turned": head > 0, **_words(size - head)}


def _words(size: int) -> Counts:
    return {
        "copy 64": size // 64,
        "copy 16": size % 64 // 16,
        "copy 4": size % 16 // WORD,
        "copy 1": size % WORD,
        "copy end": size % WORD > 0,
    }


def fill(size: int, target: int = 0) -> Counts:
    """A call of the C library's memset: bytes up to a word, blocks of 16 bytes, words and bytes."""
    head = min(-target % WORD, size)
    size -= head
    return {
        "fill": 1,
        "fill head": head,
        "fill words": size >= WORD,
        "fill 16": size // 16,
        "fill 4": size % 16 // WORD,
        "fill 1": size % WORD,
    }
