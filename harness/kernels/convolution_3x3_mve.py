"""CONV_2D, int8, of 3x3 windows with stride 1, on Armv8.1-M MVE: inputs are loaded once for up to six products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.ir.window import Window2D, WindowAxis
from harness.kernels.access_order import NEVER, AccessOrder
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.kernels.context import Context
from harness.kernels.mve import LANES, Int32s, mve_requant, words
from harness.kernels.mve_kernel import Loops, MveKernel
from harness.kernels.quantized_layer import QuantizedLayer, quantized_layer
from harness.kernels.window_fields import window_fields
from harness.quantization.fixedpoint import wrap32

HEIGHT, WIDTH = 2, 4
"""Rows and columns of a tile's outputs."""
COLUMN = 64
"""Bytes of a column of a strip: four rows of 16 channels."""
STRIP_BYTES = 4096
"""Output rows whose strip is larger are computed in several pieces."""
_FEW_ROWS = 32
"""Output rows of images of which edges are a part that matters."""
FARTHEST = 65535
"""Offsets of outputs are uint16."""

_SIZES = ("batches", "in_h", "in_w", "in_c", "out_h", "out_w", "out_c", "pad_top", "pad_left")


@dataclass(frozen=True)
class Steps:
    """Along one axis, the pieces in which outputs are computed, in turn.

    Attributes:
        starts: first output of each.
        ends: past the last.
    """

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def last_read(self, axis: WindowAxis) -> npt.NDArray[np.int64]:
        """For each input the last piece that reads it, or NEVER."""
        found = np.full(axis.size, NEVER, np.int64)
        for piece, (start, end) in enumerate(zip(self.starts, self.ends, strict=True)):
            first, past = axis.needed(start, end)
            found[first:past] = piece
        return found

    def first_written(self, out: int) -> npt.NDArray[np.int64]:
        """For each output the first piece that writes it."""
        found = np.zeros(out, np.int64)
        for piece in reversed(range(len(self.starts))):
            found[self.starts[piece] : self.ends[piece]] = piece
        return found


def _pieces(out: int, size: int, least: int) -> Steps:
    """Pieces of `size`; one that would have fewer than `least` moves back."""
    starts = tuple(min(first, out - least) for first in range(0, out, size))
    return Steps(starts, tuple(min(start + size, out) for start in starts))


def edge_biases(layer: QuantizedLayer) -> Int32s:
    """Biases [edge, channel, row of the tile] where the first row of the windows is padding, or the last one.

    Padding is the input's zero point: what it adds to a sum, and the bias takes away again, is left out of both.
    """
    sums = layer.weights.reshape(len(layer.weights), 3, -1).sum(axis=2)
    whole, (first, _, last) = layer.folded_bias, layer.in_zero * sums.T
    found = [np.stack([whole + first, whole], axis=1), np.stack([whole, whole + last], axis=1)]
    return wrap32(np.stack(found)).astype(np.int32)


def pack_tiles(layer: QuantizedLayer, in_c: int) -> Int32s:
    """Weights and requantization as conv_tiles_3x3_s8_mve.h has them."""
    scale = mve_requant(layer)
    channels = len(layer.weights)
    taps = np.pad(layer.weights.astype(np.int8).reshape(channels, 9, in_c), ((0, 0), (0, 0), (0, -in_c % LANES)))
    grouped = taps.reshape(channels, 9, -1, LANES).transpose(0, 2, 1, 3)
    right, zero = np.minimum(scale.shift, 0).astype(np.int32), np.full(channels, layer.zero_point, np.int32)
    if scale.by_factors:
        ends = [scale.multiplier, scale.factors, zero]
    else:
        ends = [scale.multiplier, right, zero]
        ends += [np.maximum(scale.shift, 0).astype(np.int32), (right < 0).astype(np.int32)]
    end = np.stack(ends, axis=1).astype(np.int32)
    parts = (words(np.repeat(scale.bias[c], 8), grouped[c].reshape(-1), end[c]) for c in range(channels))
    return np.concatenate(list(parts))


class Conv3x3S8Mve(MveKernel):
    """Convolutions of 3x3 windows, stride 1: two rows by four columns of a channel at a time."""

    ops = frozenset({"CONV_2D"})

    def applies(self, context: Context) -> bool:
        window = context.window
        rows, columns = window.rows, window.columns
        plain = all((a.kernel, a.stride, a.dilation) == (3, 1, 1) for a in (rows, columns))
        dense = context.input(1).shape[3] == window.in_c
        near = (columns.out + WIDTH - 1) * window.out_c <= FARTHEST
        return plain and dense and near and rows.out >= HEIGHT and columns.out >= WIDTH

    def lower(self, context: Context) -> Lowered:
        window, layer = context.window, quantized_layer(context)
        shape = window_fields(window, *_SIZES)
        shape |= {"in_zero": context.input().q.zero_point, "tile_w": _tile(window)}
        shape |= {"clamp_min": layer.clamp[0], "clamp_max": layer.clamp[1], "general": int(_general(context))}
        packed = pack_tiles(layer, window.in_c)
        shape["edges"] = packed.size if _has_edges(window) else 0
        if _has_edges(window):
            packed = np.concatenate([packed, edge_biases(layer).reshape(-1)])
        table = ConstantTable("packed", "int32_t", packed)
        call = Call("conv_3x3_s8_mve", (In(), table, Out(), Scratch("int32_t")), shape)
        return Lowered("conv_3x3_s8_mve", (call,), self.scratch(context))

    def scratch(self, context: Context) -> int:
        return (_tile(context.window) + 2) * COLUMN * _groups(context.window)

    def access_order(self, context: Context) -> AccessOrder:
        window = context.window
        down, across = _pieces(window.rows.out, HEIGHT, HEIGHT), _pieces(window.columns.out, _tile(window), WIDTH)
        image = np.arange(window.batches)[:, None, None] * (len(down.starts) * len(across.starts))
        rows, columns = down.last_read(window.rows)[:, None], across.last_read(window.columns)
        read = np.where((rows < 0) | (columns < 0), NEVER, image + rows * len(across.starts) + columns)
        made_rows, made_columns = down.first_written(window.rows.out), across.first_written(window.columns.out)
        made = image + made_rows[:, None] * len(across.starts) + made_columns
        reads = np.repeat(read.astype(np.int32).reshape(-1), window.in_c)
        return AccessOrder({0: reads}, np.repeat(made.astype(np.int32).reshape(-1), window.out_c))

    def loops(self, context: Context) -> Loops:
        window = context.window
        groups, down = _groups(window), window.batches * -(-window.rows.out // HEIGHT)
        across = _pieces(window.columns.out, _tile(window), WIDTH)
        strips, tiles, odd, inside, padded = 0, 0, 0, 0, 0
        for start, end in zip(across.starts, across.ends, strict=True):
            first, past = window.columns.needed(start, end)
            strips, inside = strips + 1, inside + max(past - first, 0)
            padded += end - start + 2 - max(past - first, 0)
            odd += (end - start) % WIDTH > 0
            tiles += -(-(end - start) // WIDTH)
        blocks = down * tiles * window.out_c
        inner = [window.rows.start(row) for row in _pieces(window.rows.out, HEIGHT, HEIGHT).starts]
        together = window.in_c == LANES
        whole = window.batches * together * sum(0 <= start <= window.rows.size - 4 for start in inner)
        edges = sum(_at_edge(window, row) for row in _pieces(window.rows.out, HEIGHT, HEIGHT).starts)
        at_edge = edges * window.batches * tiles * window.out_c
        return {
            "strip": down * strips,
            "weave": (down - whole) * strips * groups,
            "weave16": whole * strips,
            "column": (down - whole) * inside * groups,
            "column16": whole * inside * groups,
            "padding": (down if strips > 1 else 1) * padded * groups,
            "odd": down * odd,
            "tile": down * tiles,
            "block": blocks,
            "group": (blocks - at_edge) * groups,
            "edge_group": at_edge * groups,
            "looped": blocks * groups * (groups > 1),
            "general": blocks * _general(context),
        }

    def reads(self, context: Context) -> float:
        return self.loops(context)["tile"]

    def flash(self, context: Context) -> int:
        window = context.window
        edges = 16 * _has_edges(window)
        return window.out_c * (edges + 32 + 9 * LANES * _groups(window) + (20 if _general(context) else 12))


def _general(context: Context) -> bool:
    """Whether the general form is needed."""
    return not mve_requant(quantized_layer(context)).by_factors


def _has_edges(window: Window2D) -> bool:
    """Whether tiles of padding have biases of their own, which are code that many rows do not need."""
    return window.rows.reaches_padding and window.rows.out <= _FEW_ROWS


def _at_edge(window: Window2D, row: int) -> bool:
    """Whether the tiles of an output row have a first or a last row that is padding, which is left out."""
    start = window.rows.start(row)
    return _has_edges(window) and (start < 0 or start + 3 >= window.rows.size)


def _groups(window: Window2D) -> int:
    """Input channels in vectors."""
    return -(-window.in_c // LANES)


def _tile(window: Window2D) -> int:
    """Output columns that go through one strip."""
    fitting = STRIP_BYTES // (COLUMN * _groups(window)) - 2
    return window.columns.out if fitting >= window.columns.out else max(fitting - fitting % WIDTH, WIDTH)


KERNELS: tuple[Kernel, ...] = (Conv3x3S8Mve(),)
