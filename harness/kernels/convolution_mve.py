"""CONV_2D, int8, on Armv8.1-M MVE."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from harness.graph import ConvAttrs
from harness.kernels.accesses import Accesses, windows
from harness.kernels.base import Call, Context, Cost, In, Kernel, Lowered, Out, Scratch, Table
from harness.kernels.convolution import weights_of
from harness.kernels.mve import LANES, MAX_CHANNELS, MVE, gemm_shape, layer_scaling, pack_gemm, readable, split_depth

STRIP_BYTES = 2048
"""Output rows whose strip is larger are computed in several pieces."""


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


def pairs(context: Context, depth: int) -> Accesses:
    """gemm_s8_mve over rows of `depth`: two pixels at a time, read again for each block of four channels."""
    channels = context.output().shape[-1]
    block = np.array(block_of(channels))
    blocks = int(block[-1]) + 1
    pair = np.arange(context.output().elements // channels, dtype=np.int64) // 2
    reads = np.repeat(pair * blocks + blocks - 1, depth)
    writes = pair[:, None] * blocks + block
    return Accesses({0: reads.astype(np.int32)}, writes.astype(np.int32).reshape(-1))


def _dense(context: Context) -> bool:
    """Whether it is a convolution without groups, of channels enough for a block."""
    x, w = context.input(0), context.input(1)
    return w.shape[3] == x.shape[3] and 4 <= w.shape[0] <= MAX_CHANNELS


class Conv1x1S8Mve(Kernel):
    """Convolutions whose windows follow one another in the input: 1x1 above all."""

    ops = frozenset({"CONV_2D"})
    features = MVE

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
        table = Table("packed", "int32_t", pack_gemm(weights, scale))
        return Lowered("conv_1x1_s8_mve", (Call("conv_1x1_s8_mve", (In(), table, Out()), shape),))

    def accesses(self, context: Context) -> Accesses:
        return pairs(context, in_runs(context).depth)

    def cost(self, context: Context) -> Cost:
        return Cost(0.18 * context.output().elements * in_runs(context).depth)


class ConvS8Mve(Kernel):
    """Convolutions of any window that is not dilated along a row."""

    ops = frozenset({"CONV_2D"})
    features = MVE

    def applies(self, context: Context) -> bool:
        return _dense(context) and in_runs(context).dilation_w == 1

    def tile(self, g: Geometry) -> int:
        """Output columns that go through one strip; 0 when windows are read where they lie."""
        if g.kernel_h == 1 and g.pad_top == 0 and not g.padded_w and readable(g.depth):
            return 0
        column = g.kernel_h * g.in_c
        columns = max(STRIP_BYTES // column - g.kernel_w, 0) // g.stride_w + 1
        return g.out_w if columns >= g.out_w else max(columns - columns % 2, 2)

    def strip(self, g: Geometry) -> int:
        """Bytes of scratch."""
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
        arguments = (In(), Table("packed", "int32_t", pack_gemm(weights, scale)), Out(), strip)
        return Lowered("conv_s8_mve", (Call("conv_s8_mve", arguments, shape),), self.strip(g))

    def accesses(self, context: Context) -> Accesses:
        tile = self.tile(in_runs(context))
        # An image one column wide is taken for a row, and its rows for columns.
        within = None if tile else block_of(context.output().shape[3])
        if context.output().shape[2] == 1:
            return windows(context, lines=tile or 2, within=within)
        return windows(context, pixels=tile or 2, within=within)

    def cost(self, context: Context) -> Cost:
        g = in_runs(context)
        return Cost(0.2 * context.output().elements * g.depth, self.strip(g))


KERNELS: tuple[Kernel, ...] = (Conv1x1S8Mve(), ConvS8Mve())
