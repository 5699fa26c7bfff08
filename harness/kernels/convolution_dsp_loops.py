"""How often the loops of the DSP convolutions run: geometry in, counts out. Names are those of the code.

`pass` to `slow`: conv_dsp.c; `window`: its windows that reach into the padding; `nine` to `tails`: im2col_*_dsp.S;
`gemm`, `block`, `group`: the inner kernels of two pixels, and `single` what computes one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.ir.graph import Pads

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


def _widened(window: Window, fast: int, others: int) -> dict[str, float]:
    """Loops of the functions that widen two windows: `fast` pairs inside the image, and `others`."""
    rows, words, tail = window.kernel[0], window.run // 4, window.run % 4
    calls = {"im2col_9": 0, "im2col_overlap": 0, "im2col_pair": others}
    calls[window.inner_im2col] += fast
    nine, overlap, pair = calls["im2col_9"], calls["im2col_overlap"], calls["im2col_pair"]
    step = window.stride[1] * window.in_c
    return {
        "nine": nine,
        "nine_row": nine * rows,
        "overlap": overlap,
        "overlap_row": overlap * rows,
        "overlap_own": overlap * rows * 2 * step // 16,
        "overlap_shared": overlap * rows * (window.run - step) // 16,
        "pair": pair,
        "pair_row": 0 if tail else pair * rows,
        "tails_row": pair * rows if tail else 0,
        "pair_word": pair * rows * words,
        "tails_byte": pair * rows * tail,
    }


def convolution(window: Window, chunk: int, staged_words: int, unrolled: int) -> dict[str, float]:
    """Runs of each loop of conv_dsp.

    Args:
        window: the layer.
        chunk: output channels a pass.
        staged_words: words of weights copied, in all.
        unrolled: groups that the inner kernel of one pixel takes at once.
    """
    starts = range(0, window.out_c, chunk)
    passes, pairs, fast = len(starts), window.pixels // 2, window.fast_pairs()
    count = sum(blocks(min(chunk, window.out_c - first)) for first in starts)
    gathered = passes * window.gathered
    in_words = window.in_c % 4 == 0
    single = window.pixels % 2
    return {
        "pass": passes,
        "row": passes * window.batches * window.out_h,
        "fast": passes * fast,
        "slow": passes * (window.pixels - 2 * fast),
        "window": gathered,
        "window_run": gathered * window.kernel[0] * (window.kernel[1] if window.dilation[1] > 1 else 1),
        "window_word": gathered * window.taps // 4 if in_words else 0,
        "window_byte": 0 if in_words else gathered * window.taps,
        "gemm": passes * pairs,
        "block": pairs * count,
        "group": pairs * count * window.groups,
        "copy": staged_words,
        **_widened(window, passes * fast, passes * (pairs - fast)),
        **column(window, passes * single, count * single, unrolled),
    }


def column(window: Window, calls: int, count: int, unrolled: int) -> dict[str, float]:
    """Runs of the loops for one pixel, `calls` times, of `count` blocks in all."""
    return {
        "single": calls,
        "single_row": calls * window.kernel[0],
        "single_word": calls * window.kernel[0] * (window.run // 4),
        "single_byte": calls * window.kernel[0] * (window.run % 4),
        "single_block": count,
        "single_group": count * (window.groups // unrolled),
        "single_rest": count * (window.groups % unrolled),
    }


def fully_connected(window: Window, unrolled: int) -> dict[str, float]:
    """Runs of each loop of fully_connected_dsp."""
    return {"row": window.pixels, **column(window, window.pixels, window.pixels * blocks(window.out_c), unrolled)}
