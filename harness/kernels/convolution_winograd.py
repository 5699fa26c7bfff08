"""CONV_2D of 3x3 and stride 1 by Winograd's F(4x4, 3x3), on cores with the DSP extension (winograd.py)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from harness.ir.operators import names_of, names_with
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.traits import Trait
from harness.ir.window import ConvAttrs, Window2D
from harness.kernels.access_order import AccessOrder, strips
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.kernels.context import Context
from harness.kernels.convolution_dsp import layer_matrix
from harness.kernels.convolution_dsp_loops import CHANNELS, blocks
from harness.kernels.gemm import Matrix
from harness.kernels.quantized_layer import quantized_layer
from harness.kernels.scaling_dsp import DSP, clamp_loops, clamped
from harness.kernels.window_fields import window_fields
from harness.kernels.winograd import END_WORDS, POSITIONS, TILE, exact, pack_channels, pack_weights
from harness.kernels.work import Reuse, Work

_SIZES = ("batches", "in_h", "in_w", "in_c", "out_h", "out_w", "out_c", "pad_top", "pad_left")
_PAIR = 2 * TILE
"""Columns of two tiles."""

ROOMS = tuple(1024 * kib for kib in (20, 32, 64, 160))
"""Bytes of scratch of the kernels, from that which most layers need to that beyond which little is gained."""

_ABOUT = 1.05
"""How much more a tiling may transform than another one if it takes less scratch."""


@dataclass(frozen=True)
class Tiling:
    """How a layer's outputs are divided: sizes as conv_winograd_s8.h has them.

    Attributes:
        window: of the layer.
        pairs: of tiles, in a strip.
        strips: whose inputs are transformed at once.
        chunk: output channels whose weights are transformed at once.
    """

    window: Window2D
    pairs: int
    strips: int
    chunk: int

    @property
    def quads(self) -> int:
        """Input channels in fours."""
        return blocks(self.window.in_c)

    @property
    def across(self) -> int:
        """Strips beside each other."""
        return -(-self.window.columns.out // (_PAIR * self.pairs))

    @property
    def units(self) -> int:
        """Strips of all images."""
        return self.window.batches * -(-self.window.rows.out // TILE) * self.across

    @property
    def width(self) -> int:
        """Pixels of a strip's row."""
        return _PAIR * self.pairs + 2

    @property
    def weights(self) -> int:
        """Bytes of a chunk's transformed weights."""
        return blocks(self.chunk) * POSITIONS * 32 * self.quads

    @property
    def tiles(self) -> int:
        """Bytes of transformed inputs."""
        return 4 * self.strips * self.pairs * POSITIONS * (4 * self.quads + END_WORDS)

    @property
    def scratch(self) -> int:
        """Bytes of scratch."""
        return self.weights + self.tiles + 6 * self.width * 4 * self.quads + 48 * self.width

    @property
    def times(self) -> int:
        """How often each weight is transformed."""
        return -(-self.units // self.strips) if self.chunk < self.window.out_c else 1

    def steps(self) -> float:
        """About how many instructions all transforms take, on a Cortex-M4."""
        columns, rows = 54 * self.width + 30, 12 * (71 * self.pairs + 14)
        inputs = self.units * (self.quads * (3 * self.width + columns + rows) + 300)
        weights = self.times * CHANNELS * blocks(self.window.out_c) * (446 * self.quads + 20)
        return inputs + weights + 10 * POSITIONS * self.strips * self.pairs

    def reuse(self) -> tuple[Reuse, ...]:
        """What is read again of the scratch: strips by every four channels, weights by every group of strips."""
        groups, fours = -(-self.units // self.strips), blocks(self.window.out_c)
        of_four = POSITIONS * 32 * self.quads
        chunks = fours // blocks(self.chunk)
        return (
            Reuse("scratch", self.tiles, groups * fours, of_four),
            Reuse("scratch", self.weights, groups * max(chunks, 1), self.tiles),
        )

    def loops(self) -> dict[str, float]:
        """Runs of each loop."""
        window, count = self.window, blocks(self.window.out_c)
        pairs = -(-window.columns.out // _PAIR)
        rows = window.batches * -(-window.rows.out // TILE)
        whole = window.batches * (window.rows.out // TILE) * (window.columns.out // _PAIR) * (window.out_c // CHANNELS)
        done = rows * pairs * count
        words = self.units * 6 * self.width * self.quads
        inside = window.in_c % CHANNELS == 0
        return {
            "strip": self.units,
            "row_word": words if inside else 0,
            "row_pixel": 0 if inside else self.units * 6 * self.width,
            "columns": self.units * self.quads,
            "column": self.units * self.quads * self.width,
            "tile_pair": self.units * self.quads * self.pairs * 12,
            "mark": self.strips * self.pairs * POSITIONS,
            "channel": self.times * CHANNELS * count,
            "weights": self.times * CHANNELS * count * self.quads,
            "block": done,
            "step": done * POSITIONS * 2 * self.quads,
            "turn": done * POSITIONS * (self.quads / (1 + (self.quads % 2 == 0))),
            "edge": done - whole,
            "edge_output": window.pixels * window.out_c - whole * _PAIR * TILE * CHANNELS,
        }


def fastest(window: Window2D, room: int) -> Tiling | None:
    """The tiling within so many bytes of scratch that transforms least; None where there is none."""
    within = [(steps, tiling) for steps, tiling in _tilings(window) if tiling.scratch <= room]
    most = _ABOUT * min((steps for steps, _ in within), default=0.0)
    return min((tiling for steps, tiling in within if steps <= most), key=lambda t: t.scratch, default=None)


@lru_cache(maxsize=256)
def _tilings(window: Window2D) -> tuple[tuple[float, Tiling], ...]:
    """About how many instructions the transforms of a tiling take; all tilings that are considered."""
    wide = -(-window.columns.out // _PAIR)
    found = []
    for pairs in _doubled(1, wide):
        units = Tiling(window, pairs, 1, 1).units
        for together in _doubled(1, units):
            for chunk in _doubled(CHANNELS, window.out_c):
                tiling = Tiling(window, pairs, together, chunk)
                if tiling.scratch <= ROOMS[-1]:
                    found.append((tiling.steps(), tiling))
    return tuple(found)


def _doubled(first: int, last: int) -> list[int]:
    """`first`, twice as much and so on, and `last`."""
    return [n for n in (first << i for i in range(16)) if n < last] + [last]


class ConvWinograd(Kernel):
    """F(4x4, 3x3), as fast as `room` lets it: what is transformed at once need not be transformed again.

    Attributes:
        function, line_function: in C; the second where requant_linear.py is exact for every channel.
        room: most bytes of scratch.
        more: the room of the next kernel, which this one stands aside for where it would do the same; None of the last.
    """

    ops = names_of(ConvAttrs) - names_with(Trait.CHANNELS_APART)
    features = DSP
    trades_ram = True
    function: ClassVar[str]
    line_function: ClassVar[str]
    room: ClassVar[int] = ROOMS[-1]
    more: ClassVar[int | None] = None

    def applies(self, context: Context) -> bool:
        window = _window(context)
        tiling = None if window is None else fastest(window, self.room)
        if window is None or tiling is None or (self.more and fastest(window, self.more) == tiling):
            return False
        if not exact(quantized_layer(context).weights).all():
            return False
        layer = layer_matrix(context)
        return layer.requant is not None

    def lower(self, context: Context) -> Lowered:
        layer, tiling = layer_matrix(context), self._tiling(context)
        weights = ConstantTable("weights", "int32_t", pack_weights(layer.weights, tiling.window.in_c))
        line = _line(layer)
        function = self.line_function if line else self.function
        channels = ConstantTable("channels", "int32_t", pack_channels(layer, line))
        shape = {
            **window_fields(tiling.window, *_SIZES),
            "pad": int(np.uint32(0x01010101 * (context.input().q.zero_point & 255)).view(np.int32)),
            "quads": tiling.quads,
            "pairs": tiling.pairs,
            "across": tiling.across,
            "strips": tiling.strips,
            "chunk": tiling.chunk,
        }
        call = Call(function, (In(), weights, channels, Out(), Scratch(ctype="int32_t")), shape)
        return Lowered(function, clamped(context, (call,), layer.layer.clamp), tiling.scratch)

    def access_order(self, context: Context) -> AccessOrder:
        tiling = self._tiling(context)
        return strips(context, TILE, _PAIR * tiling.pairs, tiling.strips)

    def work(self, context: Context) -> Work:
        tiling = self._tiling(context)
        clamp = quantized_layer(context).clamp
        window = tiling.window
        taps = window.taps * CHANNELS * tiling.quads * CHANNELS * blocks(window.out_c)
        reuse = (Reuse("weights", taps, tiling.times), *tiling.reuse())
        layer, loops = layer_matrix(context), tiling.loops()
        loops["line_block"] = loops["block"] * _line(layer)
        loops["block"] -= loops["line_block"]
        return Work({**loops, **clamp_loops(context, clamp)}, reuse, tiling.scratch)

    def _tiling(self, context: Context) -> Tiling:
        window = _window(context)
        tiling = None if window is None else fastest(window, self.room)
        assert tiling is not None, "applies has refused the layer"
        return tiling


def _line(layer: Matrix) -> bool:
    """Whether requantization by a line is exact for every channel; a narrow clamp comes after it."""
    return bool(layer.line.exact.all())


def _window(context: Context) -> Window2D | None:
    """The layer's windows, where they are 3x3 of stride 1 and of all input channels."""
    if isinstance(context.node.attrs, FullyConnectedAttrs) or context.input(0).shape[3] != context.input(1).shape[3]:
        return None
    window = context.window
    axes = (window.rows, window.columns)
    return window if all((axis.kernel, axis.stride, axis.dilation) == (3, 1, 1) for axis in axes) else None


class ConvWinogradDsp(ConvWinograd):
    """On the Cortex-M4 and M33."""

    superseded_by = frozenset({"dual-issue", "mve"})
    function = "conv_winograd_s8_dsp"
    line_function = "conv_winograd_s8_line_dsp"


class ConvWinogradMediumDsp(ConvWinogradDsp):
    """On the Cortex-M4 and M33, in 64 KiB."""

    room, more = ROOMS[2:4]
    costs_as = "ConvWinogradDsp"


class ConvWinogradSmallDsp(ConvWinogradDsp):
    """On the Cortex-M4 and M33, in 32 KiB."""

    room, more = ROOMS[1:3]
    costs_as = "ConvWinogradDsp"


class ConvWinogradLeastDsp(ConvWinogradDsp):
    """On the Cortex-M4 and M33, in 20 KiB."""

    room, more = ROOMS[0:2]
    costs_as = "ConvWinogradDsp"


class ConvWinogradDualIssue(ConvWinograd):
    """On the Cortex-M7."""

    features = DSP | frozenset({"dual-issue"})
    function = "conv_winograd_s8_dual_issue"
    line_function = "conv_winograd_s8_line_dual_issue"


class ConvWinogradMediumDualIssue(ConvWinogradDualIssue):
    """On the Cortex-M7, in 64 KiB."""

    room, more = ROOMS[2:4]
    costs_as = "ConvWinogradDualIssue"


class ConvWinogradSmallDualIssue(ConvWinogradDualIssue):
    """On the Cortex-M7, in 32 KiB."""

    room, more = ROOMS[1:3]
    costs_as = "ConvWinogradDualIssue"


class ConvWinogradLeastDualIssue(ConvWinogradDualIssue):
    """On the Cortex-M7, in 20 KiB."""

    room, more = ROOMS[0:2]
    costs_as = "ConvWinogradDualIssue"


KERNELS: tuple[Kernel, ...] = (
    ConvWinogradDsp(),
    ConvWinogradMediumDsp(),
    ConvWinogradSmallDsp(),
    ConvWinogradLeastDsp(),
    ConvWinogradDualIssue(),
    ConvWinogradMediumDualIssue(),
    ConvWinogradSmallDualIssue(),
    ConvWinogradLeastDualIssue(),
)
