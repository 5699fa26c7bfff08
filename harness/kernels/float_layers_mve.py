"""float32 layers with weights in vectors of MVE, four output channels at a time, as far as those are exact."""

from __future__ import annotations

import numpy as np

from harness.ir.window import Window2D, one_row
from harness.kernels.access_order import AccessOrder, grouped_windows
from harness.kernels.base import Kernel
from harness.kernels.context import Context
from harness.kernels.float_layers import (
    ConvF32Portable,
    DepthwiseConvF32Portable,
    FullyConnectedF32Portable,
    bias_of,
    data_of,
    wide,
)
from harness.kernels.mve_kernel import MVE
from harness.kernels.work import Work
from harness.quantization.types import Array

TOGETHER = 4
"""Pixels of a row that are computed together; those left over are computed one by one."""
_LANES = 4
"""Channels of a vector."""
_TINY = np.float32(2.0**-80)
"""Weights below it may make products that are subnormal of inputs as they are in networks."""
_MOST_ODD = 0.125
"""Share of the channels that may have such weights."""


def mostly_exact(channels: Array, bias: Array) -> bool:
    """Whether nearly all fours of channels are likely to be computed by vectors.

    Vectors are exact only where nothing is subnormal (firmware/kernels/quad_f32_mve.h); where something is, they are
    computed in vain. The cost model expects that nothing is: channels that died in a training have weights near zero.

    Args:
        channels: float32 [output channel, n], weights.
        bias: float32 [output channel].
    """
    rows = np.abs(np.concatenate([channels, bias[:, None]], axis=1))
    odd = ((rows > 0) & (rows < _TINY)) | ~np.isfinite(rows)
    return bool(odd.any(axis=1).mean() <= _MOST_ODD)


def tiles(inside: Array) -> list[tuple[int, int, int]]:
    """(first, windows, taps in the image) of the windows along a row that are computed together.

    Args:
        inside: bool [window, tap].
    """
    found, first = [], 0
    while first < len(inside):
        four = inside[first : first + TOGETHER]
        count = TOGETHER if len(four) == TOGETHER and (four == four[0]).all() else 1
        found.append((first, count, int(inside[first].sum())))
        first += count
    return found


def tile_loops(taps: int, number: int) -> dict[str, float]:
    """Turns of the loops over a run of taps for four windows, or for one."""
    if number == TOGETHER:
        return {"pair": taps // 2, "odd": taps % 2}
    return {"four": taps // 4, "rest": taps % 4}


class ConvF32Mve(ConvF32Portable):
    """float32 CONV_2D of any shape: four pixels of a row and four output channels at a time."""

    features = MVE
    function = "conv_f32_mve"

    def applies(self, context: Context) -> bool:
        w = data_of(context, 1)
        return mostly_exact(w.reshape(len(w), -1), bias_of(context, len(w)))

    def window(self, context: Context) -> Window2D:
        """Windows of a single tap, and images one pixel wide, are one row."""
        window = context.window
        if window.taps == 1 and window.rows.stride == window.columns.stride == 1 and not window.reaches_padding:
            return one_row(window.pixels, window.in_c, window.out_c)
        return window.column_as_row()

    def access_order(self, context: Context) -> AccessOrder:
        window, within = self.window(context), self.within(context)
        groups, lines = np.zeros(window.columns.out, np.int64), tiles(window.columns.inside())
        for number, (first, count, _) in enumerate(lines):
            groups[first : first + count] = number
        rows = np.arange(window.rows.out)[:, None] * len(lines)
        return wide(grouped_windows(window, rows + groups, within=within))

    def work(self, context: Context) -> Work:
        window, groups = self.window(context), self.groups(context)
        each, depth = window.out_c // groups, window.in_c // groups
        fours, rows = groups * -(-each // 4), window.rows.taps_inside() * window.batches
        joined, lines = window.columns.dilation == 1 and groups == 1, window.batches * window.rows.out
        loops: dict[str, float] = {"line": lines}
        for _, count, taps in tiles(window.columns.inside()):
            name, runs = ("many", "single")[count == 1], (int(taps > 0) if joined else taps)
            more: dict[str, float] = {f"{name}_tile": lines, f"{name}_part": lines * groups}
            more |= {f"{name}_quad": lines * fours, f"{name}_row": rows * fours * (taps > 0)}
            more |= {f"{name}_run": rows * fours * runs}
            for loop, turns in tile_loops(taps * depth if joined else depth, count).items():
                more[loop] = rows * fours * runs * turns
            for loop, turns in more.items():
                loops[loop] = loops.get(loop, 0) + turns
        return Work(loops)


class FullyConnectedF32Mve(FullyConnectedF32Portable):
    """float32 FULLY_CONNECTED: four rows, or one, and four outputs at a time."""

    features = MVE
    function = "fully_connected_f32_mve"

    def applies(self, context: Context) -> bool:
        w = data_of(context, 1)
        return mostly_exact(w.reshape(len(w), -1), bias_of(context, len(w)))

    def work(self, context: Context) -> Work:
        w, rows = data_of(context, 1), context.input().elements // data_of(context, 1).shape[1]
        fours = -(-len(w) // 4)
        loops: dict[str, float] = {}
        for name, number, count in (("many", TOGETHER, rows // TOGETHER), ("single", 1, rows % TOGETHER)):
            loops |= {f"{name}_tile": count, f"{name}_quad": count * fours}
            loops |= {loop: count * fours * turns for loop, turns in tile_loops(w.shape[1], number).items()}
        return Work(loops)


class DepthwiseConvF32Mve(DepthwiseConvF32Portable):
    """float32 DEPTHWISE_CONV_2D of one output a channel: four pixels of a row and four channels at a time."""

    features = MVE
    function = "depthwise_conv_f32_mve"

    def applies(self, context: Context) -> bool:
        w, channels = data_of(context, 1), context.input().shape[3]
        alone = w.shape[3] == channels >= _LANES
        return alone and mostly_exact(w.reshape(-1, channels).T, bias_of(context, channels))

    def packed_weights(self, context: Context) -> Array:
        w = data_of(context, 1)
        channels = w.shape[3]
        fours = np.minimum(np.arange(0, channels, _LANES), channels - _LANES)
        return w.reshape(-1, channels)[:, fours[:, None] + np.arange(_LANES)].transpose(1, 0, 2)

    def work(self, context: Context) -> Work:
        window = context.window
        lines, rows = window.batches * window.rows.out, window.batches * window.rows.taps_inside()
        fours = -(-window.in_c // _LANES)
        loops: dict[str, float] = {"line": lines}
        for _, count, taps in tiles(window.columns.inside()):
            name = ("many", "single")[count == 1]
            more = {"tile": lines, "quad": lines * fours, "row": rows * fours * (taps > 0), "tap": rows * fours * taps}
            for loop, turns in more.items():
                loops[f"{name}_{loop}"] = loops.get(f"{name}_{loop}", 0) + turns
        return Work(loops | {"rest": len(tiles(window.columns.inside())) * lines * (window.in_c % _LANES > 0)})


KERNELS: tuple[Kernel, ...] = (ConvF32Mve(), FullyConnectedF32Mve(), DepthwiseConvF32Mve())
