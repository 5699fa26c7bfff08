"""How often the loops of the DSP convolutions run: what their cost is made of.

A cost is a sum over loops of iterations times what one iteration takes, so it holds for layers of any size. Names are
those of the code: conv_dsp.c, im2col_*_dsp.S and gemm_*.S.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from harness.graph import Pads
from harness.kernels.convolution_dsp_efforts import EFFORTS
from harness.kernels.effort import NOTHING, Effort

TAPS = 4
"""Taps a group."""

CHANNELS = 4
"""Channels a block."""


def blocks(channels: int) -> int:
    """Blocks for so many channels."""
    return -(-channels // CHANNELS)


@dataclass(frozen=True)
class Window:
    """Geometry of a convolution; a fully connected layer is one row of pixels.

    Attributes:
        batches, in_h, in_w, in_c, out_h, out_w, out_c: images.
        kernel, stride, dilation: (height, width).
        pads: before and after rows and columns.
    """

    batches: int
    in_h: int
    in_w: int
    in_c: int
    out_h: int
    out_w: int
    out_c: int
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    pads: Pads = Pads()

    @property
    def inner(self) -> range:
        """Output columns whose windows lie inside the image's width, and whose taps are neighbours in memory."""
        taps, stride, left = self.kernel[1], self.stride[1], self.pads.left
        if self.dilation[1] > 1 and taps > 1:
            return range(0)
        first = -(-left // stride)
        end = min((self.in_w - taps + left) // stride + 1, self.out_w)
        return range(first, max(end, first))

    @property
    def inner_rows(self) -> list[bool]:
        """For each output row whether its windows lie inside the image's height."""
        reach = (self.kernel[0] - 1) * self.dilation[0]
        starts = [y * self.stride[0] - self.pads.top for y in range(self.out_h)]
        return [start >= 0 and start + reach < self.in_h for start in starts]

    @property
    def gathered(self) -> int:
        """Pixels whose windows must be copied before they are widened: they reach into the padding, or have holes."""
        return self.batches * (self.out_h * self.out_w - sum(self.inner_rows) * len(self.inner))

    @property
    def gathered_slots(self) -> int:
        """Places that such windows need: pixels take turns at two, and the second may never be used."""
        inner = np.zeros((self.batches, self.out_h, self.out_w), bool)
        inner[:, self.inner_rows, self.inner.start : self.inner.stop] = True
        gathered = np.flatnonzero(~inner.reshape(-1))
        return 0 if not gathered.size else 1 + int((gathered % 2).max())

    @property
    def pixels(self) -> int:
        """Output pixels."""
        return self.batches * self.out_h * self.out_w

    @property
    def run(self) -> int:
        """Bytes of a window's row."""
        return self.kernel[1] * self.in_c

    @property
    def taps(self) -> int:
        """Bytes of a window."""
        return self.kernel[0] * self.run

    @property
    def groups(self) -> int:
        """Groups of taps in a column."""
        return -(-self.taps // TAPS)

    @property
    def inner_im2col(self) -> str:
        """What widens windows inside the image: conv_dsp_inner in conv_dsp.h."""
        step = self.stride[1] * self.in_c
        if self.run == 9 and self.kernel[0] <= 4:
            return "im2col_9"
        return "im2col_overlap" if self.run % 16 == 0 and step % 16 == 0 and step < self.run else "im2col_pair"

    def fast_pairs(self) -> int:
        """Pairs that conv_dsp_chunk takes in its inner loop, of pixels/2 (rounded down) in all."""
        fast, held = 0, 0
        for inside in self.inner_rows * self.batches:
            inner = self.inner if inside else range(0)
            before = inner.start if inner else 0
            held = (held + before) % 2
            free = len(inner) - held
            if inner and free >= 2:
                fast += free // 2
            rest = self.out_w - before
            held = (held + rest) % 2
        return fast


def _im2col(loops: Counter[str], name: str, window: Window, calls: int) -> None:
    rows, words, tail = window.kernel[0] * calls, window.run // 4, window.run % 4
    if name == "im2col_pair" and tail:
        name = "im2col_tails"
        loops[f"{name} bytes"] += rows * tail
    loops[name] += calls
    loops[f"{name} rows"] += rows
    if name == "im2col_overlap":
        step = window.stride[1] * window.in_c
        loops["im2col_overlap own"] += rows * 2 * step // 16
        loops["im2col_overlap shared"] += rows * (window.run - step) // 16
    elif name != "im2col_9":
        loops[f"{name} words"] += rows * words


def convolution(window: Window, gemm: str, chunk: int, staged_words: int) -> Counter[str]:
    """Iterations of each loop of conv_dsp.

    Args:
        window: the layer.
        gemm: form and core of the inner kernels, such as "line_dsp".
        chunk: output channels a pass.
        staged_words: words of weights copied, in all.
    """
    passes = -(-window.out_c // chunk)
    pairs, fast = window.pixels // 2, window.fast_pairs()
    count = sum(blocks(min(chunk, window.out_c - first)) for first in range(0, window.out_c, chunk))
    loops: Counter[str] = Counter({"layer": 1, "pass": passes, "row": passes * window.batches * window.out_h})
    loops["pair"] = passes * fast
    loops["pixel"] = passes * (window.pixels - 2 * fast)
    loops["window"] = passes * window.gathered
    loops["window row"] = loops["window"] * window.kernel[0] * (window.kernel[1] if window.dilation[1] > 1 else 1)
    loops["window word" if window.in_c % 4 == 0 else "window byte"] = (
        loops["window"] * window.taps // (4 if window.in_c % 4 == 0 else 1)
    )
    _im2col(loops, window.inner_im2col, window, passes * fast)
    _im2col(loops, "im2col_pair", window, passes * (pairs - fast))
    loops[f"gemm_4x2_{gemm}"] = passes * pairs
    loops[f"gemm_4x2_{gemm} block"] = pairs * count
    loops[f"gemm_4x2_{gemm} group"] = pairs * count * window.groups
    if window.pixels % 2:
        loops += column(window, gemm, passes, count)
    if staged_words:
        loops["copy"] = passes
        loops["copy word"] = staged_words
    return loops


def column(window: Window, gemm: str, calls: int, count: int) -> Counter[str]:
    """Iterations for one pixel, `calls` times, of `count` blocks in all."""
    loops: Counter[str] = Counter({"im2col_single": calls, f"gemm_4x1_{gemm}": calls, f"gemm_4x1_{gemm} block": count})
    loops["im2col_single word"] = calls * window.kernel[0] * (window.run // 4)
    loops["im2col_single byte"] = calls * window.kernel[0] * (window.run % 4)
    unrolled = 4 if gemm.endswith("dual") else 8
    loops[f"gemm_4x1_{gemm} group"] = count * (window.groups // unrolled * unrolled)
    loops[f"gemm_4x1_{gemm} rest"] = count * (window.groups % unrolled)
    return loops


def fully_connected(window: Window, gemm: str) -> Counter[str]:
    """Iterations of each loop of fully_connected_dsp."""
    loops = column(window, gemm, window.pixels, window.pixels * blocks(window.out_c))
    loops["rows"] = 1
    return loops


def effort_of(loops: Counter[str]) -> Effort:
    """What the loops take together."""
    return sum((EFFORTS.get(name, NOTHING) * times for name, times in loops.items()), NOTHING)
