"""CONV_2D, int8, on Armv8.1-M MVE."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from harness.ir.graph import ConvAttrs
from harness.kernels.access_order import AccessOrder, windows
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.kernels.context import Context
from harness.kernels.convolution import weights_of
from harness.kernels.mve import (
    GENERAL,
    LANES,
    MAX_CHANNELS,
    SIGNED,
    gemm_shape,
    layer_form,
    layer_scaling,
    pack_gemm,
    readable,
    split_depth,
)
from harness.kernels.mve_kernel import Loops, MveKernel


@dataclass(frozen=True)
class Geometry:
    """A convolution's image and window, by rows (h) and columns (w)."""

    batches: int
    in_h: int
    in_w: int
    in_c: int
    out_h: int
    out_w: int
    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int
    pad_top: int
    pad_left: int

    @property
    def padded_w(self) -> bool:
        """Whether a window reaches beyond the image's columns."""
        last = (self.out_w - 1) * self.stride_w - self.pad_left + (self.kernel_w - 1) * self.dilation_w
        return self.pad_left > 0 or last >= self.in_w

    @property
    def depth(self) -> int:
        """Taps of an output."""
        return self.kernel_h * self.kernel_w * self.in_c


def geometry(context: Context) -> Geometry:
    """The node's convolution as it is."""
    attrs = context.node.attrs
    assert isinstance(attrs, ConvAttrs)
    (n, in_h, in_w, in_c), (_, out_h, out_w, _) = context.input(0).shape, context.output().shape
    kernel_h, kernel_w = context.input(1).shape[1:3]
    return Geometry(
        *(n, in_h, in_w, in_c, out_h, out_w, kernel_h, kernel_w),
        *attrs.stride,
        *(attrs.dilation[0] if kernel_h > 1 else 1, attrs.dilation[1] if kernel_w > 1 else 1),
        *(attrs.pads.top, attrs.pads.left),
    )


def in_runs(context: Context) -> Geometry:
    """The node's convolution, dense, turned to what makes its windows runs of bytes.

    Windows as wide as the image are windows over rows; an image one column wide is taken for one row.
    """
    g = geometry(context)
    if g.out_w == 1 and g.kernel_w == g.in_w and g.pad_left == 0 and g.dilation_w == 1:
        g = replace(g, in_w=1, kernel_w=1, in_c=g.in_w * g.in_c, stride_w=1)
    if g.in_w == g.out_w == g.kernel_w == 1 and g.pad_left == 0 and g.dilation_h == 1:
        g = Geometry(
            *(g.batches, 1, g.in_h, g.in_c, 1, g.out_h, 1, g.kernel_h),
            *(1, g.stride_h, 1, 1, 0, g.pad_top),
        )
    return g


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


def gemm_loops(context: Context, calls: int, pixels: int, depth: int) -> dict[str, float]:
    """Loops of `calls` calls of gemm_s8_mve, over `pixels` rows of `depth` each."""
    steps, tail = split_depth(depth)
    channels, form = context.output().shape[-1], layer_form(context)
    if context.node.op == "FULLY_CONNECTED":
        channels = context.input(1).shape[0]
    paired = calls * -(-pixels // 2)
    tiles = paired * -(-channels // 4)
    return {
        "call": calls,
        "pair": paired,
        "overlap": paired * (channels % 4 > 0),
        "single": calls * (pixels % 2),
        "tile": tiles,
        "round": tiles * -(-steps // 4),
        "step": tiles * steps,
        "tail": tiles * (tail > 0),
        "signed": tiles * (form == SIGNED),
        "general": tiles * (form == GENERAL),
    }


def packed_bytes(channels: int, depth: int, form: int) -> int:
    """Bytes of pack_gemm."""
    steps, tail = split_depth(depth)
    return -(-channels // 4) * (64 * steps + 32 * (tail > 0) + 36 + 4 * (form == GENERAL))





def _dense(context: Context) -> bool:
    """Whether it is a convolution without groups, of channels enough for a block."""
    x, w = context.input(0), context.input(1)
    return w.shape[3] == x.shape[3] and 4 <= w.shape[0] <= MAX_CHANNELS


class Conv1x1S8Mve(MveKernel):
    """Convolutions whose windows follow one another in the input: 1x1 above all."""

    ops = frozenset({"CONV_2D"})

    def applies(self, context: Context) -> bool:
        if not _dense(context):
            return False
        g = in_runs(context)
        together = g.kernel_h == g.kernel_w == g.stride_h == g.stride_w == 1 and g.pad_top == 0 and not g.padded_w
        return together and g.out_h == g.in_h and g.out_w == g.in_w and readable(g.depth)

    def lower(self, context: Context) -> Lowered:
        g = in_runs(context)
        weights = weights_of(context).reshape(-1, g.depth)
        scale = layer_scaling(context, weights)
        pixels = g.batches * g.out_h * g.out_w
        shape = {"pixels": pixels, "x_step": g.depth, **gemm_shape(context, g.depth, scale.form)}
        table = ConstantTable("packed", "int32_t", pack_gemm(weights, scale))
        return Lowered("conv_1x1_s8_mve", (Call("conv_1x1_s8_mve", (In(), table, Out()), shape),))

    def access_order(self, context: Context) -> AccessOrder:
        return pairs(context, in_runs(context).depth)

    def loops(self, context: Context) -> Loops:
        channels, depth = context.output().shape[3], in_runs(context).depth
        return gemm_loops(context, 1, context.output().elements // channels, depth)

    def reads(self, context: Context) -> float:
        return self.loops(context)["pair"]

    def flash(self, context: Context) -> int:
        return packed_bytes(context.output().shape[3], in_runs(context).depth, layer_form(context))


class ConvS8Mve(MveKernel):
    """Convolutions of any window that is not dilated along a row."""

    ops = frozenset({"CONV_2D"})
    strip_bytes: ClassVar[int] = 2048
    """Output rows whose strip is larger are computed in several pieces."""

    def applies(self, context: Context) -> bool:
        return _dense(context) and in_runs(context).dilation_w == 1

    def tile(self, g: Geometry) -> int:
        """Output columns that go through one strip; 0 when windows are read where they lie."""
        if g.kernel_h == 1 and g.pad_top == 0 and not g.padded_w and readable(g.depth):
            return 0
        column = g.kernel_h * g.in_c
        columns = max(self.strip_bytes // column - g.kernel_w, 0) // g.stride_w + 1
        return g.out_w if columns >= g.out_w else max(columns - columns % 2, 2)

    def scratch(self, context: Context) -> int:
        g = in_runs(context)
        tile = self.tile(g)
        if tile == 0:
            return 0
        steps, tail = split_depth(g.depth)
        past = 0 if tail else LANES * steps - g.depth
        return ((tile - 1) * g.stride_w + g.kernel_w) * g.kernel_h * g.in_c + past

    def lower(self, context: Context) -> Lowered:
        g = in_runs(context)
        by_row = weights_of(context).reshape(-1, g.kernel_h, g.kernel_w, g.in_c)
        weights = by_row.transpose(0, 2, 1, 3).reshape(-1, g.depth)
        scale = layer_scaling(context, weights)
        names = ("batches", "in_h", "in_w", "in_c", "out_h", "out_w", "kernel_h", "kernel_w", "stride_h", "stride_w")
        shape = {name: getattr(g, name) for name in (*names, "dilation_h", "pad_top", "pad_left")}
        shape |= {"in_zero": context.input().q.zero_point, "tile_w": self.tile(g)}
        shape |= {"x_step": g.stride_w * g.kernel_h * g.in_c, **gemm_shape(context, g.depth, scale.form)}
        # Without a strip the output stands in for it: an address that is not used.
        strip = Scratch() if self.tile(g) else Out()
        arguments = (In(), ConstantTable("packed", "int32_t", pack_gemm(weights, scale)), Out(), strip)
        return Lowered("conv_s8_mve", (Call("conv_s8_mve", arguments, shape),), self.scratch(context))

    def access_order(self, context: Context) -> AccessOrder:
        tile = self.tile(in_runs(context))
        # An image one column wide is taken for a row, and its rows for columns.
        within = None if tile else block_of(context.output().shape[3])
        if context.output().shape[2] == 1:
            return windows(context, lines=tile or 2, within=within)
        return windows(context, pixels=tile or 2, within=within)

    def loops(self, context: Context) -> Loops:
        g = in_runs(context)
        tile = self.tile(g) or g.out_w
        lines = g.batches * g.out_h
        found: dict[str, float] = {}
        for first in range(0, g.out_w, tile):
            for name, count in gemm_loops(context, lines, min(tile, g.out_w - first), g.depth).items():
                found[name] = found.get(name, 0) + count
        return found if self.tile(g) == 0 else found | _strip_loops(g, tile)

    def reads(self, context: Context) -> float:
        return self.loops(context)["pair"]

    def flash(self, context: Context) -> int:
        return packed_bytes(context.output().shape[3], in_runs(context).depth, layer_form(context))


class ConvSmallStripS8Mve(ConvS8Mve):
    """The same with as little scratch as can be: two output pixels a strip."""

    strip_bytes = 0

    def applies(self, context: Context) -> bool:
        usual = ConvS8Mve().scratch(context) if super().applies(context) else 0
        return self.scratch(context) < usual if usual else False


def _strip_loops(g: Geometry, tile: int) -> dict[str, float]:
    """Loops of conv_strip_s8_mve: per strip, per input line, per column of 64, 32, 16 or fewer channels."""
    column = g.kernel_h * g.in_c
    strips, inside, padding = 0, 0, 0
    for first in range(0, g.out_w, tile):
        start = first * g.stride_w - g.pad_left
        columns = (min(tile, g.out_w - first) - 1) * g.stride_w + g.kernel_w
        within = max(min(start + columns, g.in_w) - max(start, 0), 0)
        strips, inside, padding = strips + 1, inside + within, padding + columns - within
    lines = g.batches * g.out_h
    grouped = g.in_c <= 8 and 15 // g.in_c * column + g.in_c <= 256
    parts = (g.in_c // 64, g.in_c // 32 % 2, g.in_c // 16 % 2, int(g.in_c % 16 > 0))
    return {
        "strip": lines * strips,
        "line": lines * strips * g.kernel_h,
        "group": lines * g.kernel_h * inside / (16 // g.in_c) if grouped else 0,
        "part": 0 if grouped else lines * strips * g.kernel_h * sum(parts),
        "padding": (lines if tile < g.out_w else g.batches) * padding * column / LANES,
        **{
            name: 0 if grouped else lines * g.kernel_h * inside * part
            for name, part in zip(("column64", "column32", "column16", "column"), parts, strict=True)
        },
    }


KERNELS: tuple[Kernel, ...] = (Conv1x1S8Mve(), ConvS8Mve(), ConvSmallStripS8Mve())
