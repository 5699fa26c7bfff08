"""CONV_2D, int8, on Armv8.1-M MVE."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.operator import EITHER_ROUNDING
from harness.ir.window import ONE, Window2D
from harness.kernels.access_order import AccessOrder, windows
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.kernels.context import Context
from harness.kernels.mve import (
    EIGHT,
    FLOAT,
    GENERAL,
    LANES,
    LONGEST_ALONE,
    MAX_CHANNELS,
    PAIRS,
    PAIRS_SIGNED,
    SIGNED,
    Int8s,
    Packing,
    gemm_form,
    gemm_shape,
    mve_requant,
    pack_gemm,
    readable,
    split_depth,
    units,
)
from harness.kernels.mve_kernel import Loops, MveKernel
from harness.kernels.quantized_layer import QuantizedLayer, quantized_layer
from harness.kernels.window_fields import WINDOW_FIELDS, window_fields

HELD, LONGEST = 2, 18
"""Steps of a pixel, its tail being one: that stay in registers for all channels, and that are not counted in a loop."""


def canonical_window(context: Context) -> Window2D:
    """The node's windows; single taps are not dilated."""
    window = context.window
    return replace(window, rows=window.rows.canonical(), columns=window.columns.canonical())


def in_runs(context: Context) -> Window2D:
    """The windows of the node's convolution, dense, turned to what makes them runs of bytes.

    Windows as wide as the image are windows over rows; an image one column wide is taken for one row.
    """
    window = canonical_window(context)
    columns = window.columns
    if columns.out == 1 and columns.kernel == columns.size and columns.pad_before == 0 and columns.dilation == 1:
        window = replace(window, in_c=columns.size * window.in_c, columns=ONE)
    return window.column_as_row() if window.columns == ONE and window.rows.dilation == 1 else window


def depth_of(window: Window2D) -> int:
    """Taps of an output."""
    return window.taps * window.in_c


def block_of(channels: int, size: int = 4) -> list[int]:
    """The block of `size` in which each channel is written first."""
    return [channel // size for channel in range(channels)]


def pairs(context: Context, depth: int) -> AccessOrder:
    """gemm_s8_mve over rows of `depth`: two pixels at a time, read again for each block of four channels."""
    channels = context.output().shape[-1]
    block = np.array(block_of(channels))
    blocks = int(block[-1]) + 1
    pair = np.arange(context.output().elements // channels, dtype=np.int64) // 2
    reads = np.repeat(pair * blocks + blocks - 1, depth)
    writes = pair[:, None] * blocks + block
    return AccessOrder({0: reads.astype(np.int32)}, writes.astype(np.int32).reshape(-1))


def gemm_loops(
    context: Context, calls: int, pixels: int, depth: int, form: int, channels: int = 0, alone: bool = False
) -> dict[str, float]:
    """Loops of `calls` calls of gemm_s8_mve, or of gemm_pairs_s8_mve, over `pixels` rows of `depth` each.

    Args:
        context: of the layer.
        calls: of the function.
        pixels: of a call.
        depth: activations of a pixel.
        form: of gemm_form.
        channels: of the output, if not all of them.
        alone: whether a last pixel without another has a function of its own.
    """
    channels, size = channels or context.output().shape[-1], units(depth)
    if isinstance(context.node.attrs, FullyConnectedAttrs):
        channels = context.input(1).shape[0]
    eight = form in PAIRS.values()
    last = calls * (pixels % 2) * (alone and eight and size <= LONGEST_ALONE)
    paired = calls * -(-pixels // 2) - last
    tiles, eights = paired * -(-channels // 4), channels // EIGHT
    ended = tiles * (not eight)
    return {
        "call": calls * (last == 0 or pixels > 1),
        "pair": paired,
        "overlap": paired * (channels % 4 > 0),
        "single": (calls * (pixels % 2) - last) * (not eight),
        "tile": ended,
        "eight": paired * eights * eight,
        "step": tiles * max(size - HELD, 0),
        "held": tiles * min(size, HELD),
        "several": (ended + 5 * paired) * (size > 1),
        "far": tiles * (size > LONGEST),
        "round": tiles * -(-(size - HELD) // 4) * (size > LONGEST),
        "general": tiles * (form == GENERAL),
        "in_float": tiles * (form == FLOAT),
        "alone": last,
        "alone_eight": last * eights,
        "alone_step": last * eights * max(size - 2 * HELD, 0),
        "alone_held": last * eights * min(size, 2 * HELD),
    }


def packed_bytes(channels: int, depth: int, form: int, packing: Packing = "s8") -> int:
    """Bytes of pack_gemm."""
    steps, tail = split_depth(depth)
    weights = 64 * steps + 32 * (tail > 0)
    constants = 36 + 4 * (form == GENERAL) - 4 * (form == FLOAT) + 12 * (form in (SIGNED, PAIRS_SIGNED))
    return -(-channels // 4) * ((weights if packing == "s8" else weights // 2) + constants)


def _dense(context: Context) -> bool:
    """Whether it is a convolution without groups, of channels enough for a block."""
    x, w = context.input(0), context.input(1)
    return w.shape[3] == x.shape[3] and 4 <= w.shape[0] <= MAX_CHANNELS


def is_one_by_one(context: Context) -> bool:
    """Whether it is a convolution without groups whose windows follow one another in the input."""
    window = in_runs(context)
    together = all(a.kernel == a.stride == 1 and a.out == a.size for a in (window.rows, window.columns))
    return context.input(1).shape[3] == context.input().shape[3] and together and not window.reaches_padding


class Conv1x1S8Mve(MveKernel):
    """Convolutions whose windows follow one another in the input: 1x1 above all.

    Attributes:
        function: in C.
        packing: of weights.
    """

    ops = frozenset({"CONV_2D"})
    roundings = EITHER_ROUNDING
    function: ClassVar[str] = "conv_1x1_s8_mve"
    packing: ClassVar[Packing] = "s8"

    def matrix(self, layer: QuantizedLayer) -> Int8s:
        """What is packed: the weights, or what stands for them, [channels, taps]."""
        return layer.weights.astype(np.int8)

    def applies(self, context: Context) -> bool:
        return _dense(context) and is_one_by_one(context) and readable(depth_of(in_runs(context)))

    def lower(self, context: Context) -> Lowered:
        window = in_runs(context)
        depth = depth_of(window)
        layer = quantized_layer(context)
        weights, scale = self.matrix(layer), mve_requant(layer)
        form = gemm_form(layer, depth, self.packing)
        shape = {"pixels": window.pixels, "x_step": depth, **gemm_shape(layer, depth, form)}
        shape["out_step"] = len(weights)
        table = ConstantTable("packed", "int32_t", pack_gemm(weights, scale, self.packing, form))
        return Lowered(self.function, (Call(self.function, (In(), table, Out()), shape),))

    def access_order(self, context: Context) -> AccessOrder:
        return pairs(context, depth_of(in_runs(context)))

    def loops(self, context: Context) -> Loops:
        channels, depth = context.output().shape[3], depth_of(in_runs(context))
        form = gemm_form(quantized_layer(context), depth, self.packing)
        return gemm_loops(context, 1, context.output().elements // channels, depth, form, alone=True)

    def reads(self, context: Context) -> float:
        return self.loops(context)["pair"]

    def flash(self, context: Context) -> int:
        depth = depth_of(in_runs(context))
        form = gemm_form(quantized_layer(context), depth, self.packing)
        return packed_bytes(context.output().shape[3], depth, form, self.packing)


class ConvS8Mve(MveKernel):
    """Convolutions of windows that are not dilated along a row, where Conv1x1S8Mve is not; attributes as it has."""

    ops = frozenset({"CONV_2D"})
    roundings = EITHER_ROUNDING
    function: ClassVar[str] = "conv_s8_mve"
    packing: ClassVar[Packing] = "s8"
    strip_bytes: ClassVar[int] = 2048
    """Output rows whose strip is larger are computed in several pieces."""

    def matrix(self, layer: QuantizedLayer) -> Int8s:
        """What is packed: the weights, or what stands for them, [channels, taps]."""
        return layer.weights.astype(np.int8)

    def applies(self, context: Context) -> bool:
        together = is_one_by_one(context) and readable(depth_of(in_runs(context)))
        return _dense(context) and in_runs(context).columns.dilation == 1 and not together

    def tile(self, window: Window2D) -> int:
        """Output columns that go through one strip; 0 when windows are read where they lie."""
        rows, columns = window.rows, window.columns
        if rows.kernel == 1 and not window.reaches_padding and readable(depth_of(window)):
            return 0
        column = rows.kernel * window.in_c
        fitting = max(self.strip_bytes // column - columns.kernel, 0) // columns.stride + 1
        return columns.out if fitting >= columns.out else max(fitting - fitting % 2, 2)

    def scratch(self, context: Context) -> int:
        window = in_runs(context)
        tile, depth = self.tile(window), depth_of(window)
        if tile == 0:
            return 0
        steps, tail = split_depth(depth)
        past = 0 if tail else LANES * steps - depth
        columns = (tile - 1) * window.columns.stride + window.columns.kernel
        return columns * window.rows.kernel * window.in_c + past

    def lower(self, context: Context) -> Lowered:
        window = in_runs(context)
        depth, column = depth_of(window), window.rows.kernel * window.in_c
        layer = quantized_layer(context)
        by_row = self.matrix(layer).reshape(-1, window.rows.kernel, window.columns.kernel, window.in_c)
        weights = by_row.transpose(0, 2, 1, 3).reshape(-1, depth)
        scale, form = mve_requant(layer), gemm_form(layer, depth, self.packing)
        shape = window_fields(window, *(name for name in WINDOW_FIELDS if name != "dilation_w"))
        shape |= {"in_zero": context.input().q.zero_point, "tile_w": self.tile(window)}
        shape |= {"x_step": window.columns.stride * column, **gemm_shape(layer, depth, form)}
        # Without a strip the output stands in for it: an address that is not used.
        strip = Scratch() if self.tile(window) else Out()
        table = ConstantTable("packed", "int32_t", pack_gemm(weights, scale, self.packing, form))
        call = Call(self.function, (In(), table, Out(), strip), shape)
        return Lowered(self.function, (call,), self.scratch(context))

    def access_order(self, context: Context) -> AccessOrder:
        tile = self.tile(in_runs(context))
        # An image one column wide is taken for a row, and its rows for columns.
        within = None if tile else block_of(context.output().shape[3])
        if context.output().shape[2] == 1:
            return windows(context, lines=tile or 2, within=within)
        return windows(context, pixels=tile or 2, within=within)

    def loops(self, context: Context) -> Loops:
        window = in_runs(context)
        width, depth = window.columns.out, depth_of(window)
        tile = self.tile(window) or width
        lines = window.batches * window.rows.out
        form = gemm_form(quantized_layer(context), depth, self.packing)
        found: dict[str, float] = {}
        for first in range(0, width, tile):
            for name, count in gemm_loops(context, lines, min(tile, width - first), depth, form).items():
                found[name] = found.get(name, 0) + count
        return found if self.tile(window) == 0 else found | _strip_loops(window, tile)

    def reads(self, context: Context) -> float:
        return self.loops(context)["pair"]

    def flash(self, context: Context) -> int:
        depth = depth_of(in_runs(context))
        form = gemm_form(quantized_layer(context), depth, self.packing)
        return packed_bytes(context.output().shape[3], depth, form, self.packing)


class ConvSmallStripS8Mve(ConvS8Mve):
    """The same with as little scratch as can be: two output pixels a strip."""

    strip_bytes = 0

    def applies(self, context: Context) -> bool:
        usual = ConvS8Mve().scratch(context) if super().applies(context) else 0
        return self.scratch(context) < usual if usual else False


def _strip_loops(window: Window2D, tile: int) -> dict[str, float]:
    """Loops of conv_strip_s8_mve: per strip, per input line, per column of 64, 32, 16 or fewer channels."""
    rows, columns, in_c = window.rows, window.columns, window.in_c
    column = rows.kernel * in_c
    strips, inside, padding = 0, 0, 0
    for first in range(0, columns.out, tile):
        end = min(first + tile, columns.out)
        (start, stop), (begin, past) = columns.span(first, end), columns.needed(first, end)
        within = max(past - begin, 0)
        strips, inside, padding = strips + 1, inside + within, padding + stop - start - within
    lines = window.batches * rows.out
    grouped = in_c <= 8 and 15 // in_c * column + in_c <= 256
    parts = (in_c // 64, in_c // 32 % 2, in_c // 16 % 2, int(in_c % 16 > 0))
    return {
        "strip": lines * strips,
        "line": lines * strips * rows.kernel,
        "group": lines * rows.kernel * inside / (16 // in_c) if grouped else 0,
        "part": 0 if grouped else lines * strips * rows.kernel * sum(parts),
        "padding": (lines if tile < columns.out else window.batches) * padding * column / LANES,
        **{
            name: 0 if grouped else lines * rows.kernel * inside * part
            for name, part in zip(("column64", "column32", "column16", "column"), parts, strict=True)
        },
    }


KERNELS: tuple[Kernel, ...] = (Conv1x1S8Mve(), ConvS8Mve(), ConvSmallStripS8Mve())
