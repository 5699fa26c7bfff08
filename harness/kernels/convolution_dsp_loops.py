"""How often the loops of the DSP convolutions run: geometry in, counts out. Names are those of the code.

`pass` to `slow`: conv_dsp.c; `window`: its windows that reach into the padding; `nine` to `tails`: im2col_*_dsp.S;
`gemm`, `block`, `group`: the inner kernels of two pixels, and `single` what computes one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.ir.window import Window2D

TAPS = 4
"""Taps a group."""

CHANNELS = 4
"""Channels a block."""


def blocks(channels: int) -> int:
    """Blocks for so many channels."""
    return -(-channels // CHANNELS)


@dataclass(frozen=True)
class Im2col:
    """How the windows of a convolution of one group become columns of taps."""

    window: Window2D

    @property
    def inner(self) -> range:
        """Output columns whose windows lie inside the image's width, and whose taps are neighbours in memory."""
        columns = self.window.columns
        return range(0) if columns.canonical().dilation > 1 else columns.whole

    @property
    def gathered(self) -> int:
        """Pixels whose windows must be copied before they are widened: they reach into the padding, or have holes."""
        window = self.window
        return window.pixels - window.batches * len(window.rows.whole) * len(self.inner)

    @property
    def gathered_slots(self) -> int:
        """Places that such windows need: pixels take turns at two, and the second may never be used."""
        rows, columns = self.window.rows, self.window.columns
        inner = np.zeros((self.window.batches, rows.out, columns.out), bool)
        inner[:, rows.whole.start : rows.whole.stop, self.inner.start : self.inner.stop] = True
        gathered = np.flatnonzero(~inner.reshape(-1))
        return 0 if not gathered.size else 1 + int((gathered % 2).max())

    @property
    def rows(self) -> int:
        """Rows of a window."""
        return self.window.rows.kernel

    @property
    def run(self) -> int:
        """Bytes of a window's row."""
        return self.window.columns.kernel * self.window.in_c

    @property
    def step(self) -> int:
        """Bytes from the windows of one pixel to those of the next."""
        return self.window.columns.stride * self.window.in_c

    @property
    def taps(self) -> int:
        """Bytes of a window."""
        return self.rows * self.run

    @property
    def groups(self) -> int:
        """Groups of taps in a column."""
        return -(-self.taps // TAPS)

    @property
    def inner_im2col(self) -> str:
        """What widens windows inside the image: conv_dsp_inner in conv_dsp.h."""
        if self.run == 9 and self.rows <= 4:
            return "im2col_9"
        overlap = self.run % 16 == 0 and self.step % 16 == 0 and self.step < self.run
        return "im2col_overlap" if overlap else "im2col_pair"

    def fast_pairs(self) -> int:
        """Pairs that conv_chunk_dsp takes in its inner loop, of pixels/2 (rounded down) in all."""
        fast, held = 0, 0
        rows = self.window.rows
        for row in [*range(rows.out)] * self.window.batches:
            inner = self.inner if row in rows.whole else range(0)
            before = inner.start if inner else 0
            held = (held + before) % 2
            free = len(inner) - held
            if inner and free >= 2:
                fast += free // 2
            rest = self.window.columns.out - before
            held = (held + rest) % 2
        return fast


def _widened(im2col: Im2col, fast: int, others: int) -> dict[str, float]:
    """Loops of the functions that widen two windows: `fast` pairs inside the image, and `others`."""
    rows, step = im2col.rows, im2col.step
    words, tail = divmod(im2col.run, 4)
    calls = {"im2col_9": 0, "im2col_overlap": 0, "im2col_pair": others}
    calls[im2col.inner_im2col] += fast
    nine, overlap, pair = calls["im2col_9"], calls["im2col_overlap"], calls["im2col_pair"]
    return {
        "nine": nine,
        "nine_row": nine * rows,
        "overlap": overlap,
        "overlap_row": overlap * rows,
        "overlap_own": overlap * rows * 2 * step // 16,
        "overlap_shared": overlap * rows * (im2col.run - step) // 16,
        "pair": pair,
        "pair_row": 0 if tail else pair * rows,
        "tails_row": pair * rows if tail else 0,
        "pair_word": pair * rows * words,
        "tails_byte": pair * rows * tail,
    }


def convolution(im2col: Im2col, chunk: int, staged_words: int, unrolled: int) -> dict[str, float]:
    """Runs of each loop of conv_dsp.

    Args:
        im2col: of the layer.
        chunk: output channels a pass.
        staged_words: words of weights copied, in all.
        unrolled: groups that the inner kernel of one pixel takes at once.
    """
    window = im2col.window
    starts = range(0, window.out_c, chunk)
    passes, pairs, fast = len(starts), window.pixels // 2, im2col.fast_pairs()
    count = sum(blocks(min(chunk, window.out_c - first)) for first in starts)
    gathered = passes * im2col.gathered
    holes = window.columns.dilation > 1
    in_words = window.in_c % 4 == 0
    single = window.pixels % 2
    return {
        "pass": passes,
        "row": passes * window.batches * window.rows.out,
        "fast": passes * fast,
        "slow": passes * (window.pixels - 2 * fast),
        "window": gathered,
        "window_run": gathered * im2col.rows * (window.columns.kernel if holes else 1),
        "window_word": gathered * im2col.taps // 4 if in_words else 0,
        "window_byte": 0 if in_words else gathered * im2col.taps,
        "gemm": passes * pairs,
        "block": pairs * count,
        "group": pairs * count * im2col.groups,
        "copy": staged_words,
        **_widened(im2col, passes * fast, passes * (pairs - fast)),
        **column(im2col, passes * single, count * single, unrolled),
    }


def column(im2col: Im2col, calls: int, count: int, unrolled: int) -> dict[str, float]:
    """Runs of the loops for one pixel, `calls` times, of `count` blocks in all."""
    return {
        "single": calls,
        "single_row": calls * im2col.rows,
        "single_word": calls * im2col.rows * (im2col.run // 4),
        "single_byte": calls * im2col.rows * (im2col.run % 4),
        "single_block": count,
        "single_group": count * (im2col.groups // unrolled),
        "single_rest": count * (im2col.groups % unrolled),
    }


def fully_connected(im2col: Im2col, unrolled: int) -> dict[str, float]:
    """Runs of each loop of fully_connected_dsp."""
    pixels, out_c = im2col.window.pixels, im2col.window.out_c
    return {"row": pixels, **column(im2col, pixels, pixels * blocks(out_c), unrolled)}
