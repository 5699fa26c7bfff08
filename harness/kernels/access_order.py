"""In which order a kernel reads its inputs and writes its output.

A layer may write its output over an input that nobody needs afterwards, as far as it has read what it overwrites. How
far that is follows from the order that the kernel declares here (Kernel.access_order), in steps: within a step
everything is read before anything is written. Tests replay the order byte by byte, and run every kernel with its
buffers that close.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from harness.ir.operators.mean import MeanAttrs
from harness.ir.window import ConvAttrs, Window2D
from harness.kernels.context import Context

Steps: TypeAlias = npt.NDArray[np.int32]

NEVER = -1
"""Step of a byte that is not read."""


@dataclass(frozen=True, eq=False)
class AccessOrder:
    """When a node's bytes are touched.

    Attributes:
        reads: per position of an input that may be overwritten: for each of its bytes the last step that reads it.
        writes: for each byte of the output the first step that writes it.
        pitch: bytes; for a kernel that takes a channel at a time, the distance between two values of one channel:
            multiples of it may be safe distances where others near them are not.
    """

    reads: Mapping[int, Steps]
    writes: Steps
    pitch: int = 0

    @cached_property
    def last(self) -> int:
        """The last step that writes a byte for the first time."""
        return int(self.writes.max())


def elementwise(context: Context, positions: Sequence[int] = (0,), *, group: int = 1) -> AccessOrder:
    """Forward through memory, `group` elements a step: reads them in every input of the output's size, writes them."""
    y = context.output()
    step = np.arange(y.elements, dtype=np.int32) // group
    reads = {
        i: np.repeat(step, context.input(i).dtype.size)
        for i in positions
        if context.input(i).elements == y.elements and context.input(i).data is None
    }
    return AccessOrder(reads, np.repeat(step, y.dtype.size))


def quads(channels: int, groups: int = 1) -> list[int]:
    """Step of each output channel where four are computed at a time, and what is left of each group one by one."""
    each = channels // groups
    steps, step = [], 0
    for channel in range(channels):
        steps.append(step)
        place = channel % each
        step += place == each - 1 or place % 4 == 3 or place >= each // 4 * 4
    return steps


def rows(context: Context, depth_in: int, depth_out: int, within: Sequence[int] | None = None) -> AccessOrder:
    """Row after row of `depth_in` input and `depth_out` output elements of one byte each.

    within: step of each output element of a row; every step reads the row. None: the row is read before all of them.
    """
    count = context.output().elements // depth_out
    steps = np.zeros(depth_out, np.int64) if within is None else np.asarray(within)
    first = np.arange(count) * (int(steps.max()) + 1)
    reads = np.repeat(first + steps.max(), depth_in)
    return AccessOrder({0: reads.astype(np.int32)}, (first[:, None] + steps).astype(np.int32).reshape(-1))


def windows(
    context: Context, *, pixels: int = 1, lines: int = 1, within: Sequence[int] | None = None, own: bool = False
) -> AccessOrder:
    """A convolution or pooling, forward over its output in groups of `pixels` of a row, or of `lines` whole rows.

    Args:
        context: of CONV_2D, DEPTHWISE_CONV_2D, AVERAGE_POOL_2D or MAX_POOL_2D.
        pixels: output pixels of a row that are computed together.
        lines: output rows that are computed together, instead.
        within: step of each output channel within a group; every step reads the windows again. None: the windows are
            read once, before anything of the group is written.
        own: a step reads only the channels that it writes.
    """
    _, height, width, _ = context.output().shape
    whole = pixels >= width or lines > 1
    groups = np.arange(height)[:, None] // lines * (1 if whole else -(-width // pixels))
    groups = np.broadcast_to(groups + (0 if whole else np.arange(width) // pixels), (height, width))
    return grouped_windows(context.window, groups, within=within, own=own)


def grouped_windows(
    window: Window2D, groups: npt.NDArray[np.int64], *, within: Sequence[int] | None = None, own: bool = False
) -> AccessOrder:
    """The same of any windows, in the order of `groups`: [output height, output width], that of each window."""
    channels = window.out_c
    steps = np.zeros(channels, np.int64) if within is None else np.asarray(within)
    count = int(steps.max()) + 1
    last = _last_groups(window, groups)[..., None]
    reading = steps.reshape(window.in_c, -1).max(axis=1) if own else np.full(window.in_c, count - 1)
    image = np.arange(window.batches)[:, None, None, None] * (int(groups.max()) + 1) * count
    read = np.where(last < 0, NEVER, image + last * count + reading)
    written = image + groups[..., None] * count + steps
    return AccessOrder({0: read.astype(np.int32).reshape(-1)}, written.astype(np.int32).reshape(-1))


def pixel_pairs(context: Context, depth: int, passes: npt.NDArray[np.int64]) -> AccessOrder:
    """A convolution, or a fully connected layer of rows of `depth`, forward over its output two pixels at a time.

    A pair may join the ends of rows, and of images. Both windows are read before the pair is written.

    Args:
        context: of CONV_2D or FULLY_CONNECTED.
        depth: channels of the input.
        passes: for each output channel the pass over the whole output that writes it.
    """
    attrs, x, y = context.node.attrs, context.input(), context.output()
    batch, height, width = y.shape[:3] if isinstance(attrs, ConvAttrs) else (1, 1, y.elements // len(passes))
    pair = np.arange(batch * height * width).reshape(batch, height, width) // 2
    last = [_last_groups(context.window, image) if isinstance(attrs, ConvAttrs) else image for image in pair]
    before = int(passes.max()) * (int(pair.max()) + 1)
    read = np.stack([np.where(image < 0, NEVER, before + image) for image in last])
    written = pair[..., None] + passes * (int(pair.max()) + 1)
    reads = np.repeat(read.astype(np.int32).reshape(-1), depth)
    assert reads.size == x.elements
    return AccessOrder({0: reads}, written.astype(np.int32).reshape(-1))


def strips(context: Context, height: int, width: int, together: int) -> AccessOrder:
    """A convolution in strips of `height` rows and `width` columns of its output, beside and then below each other.

    `together` of them are computed together, also of two images: the windows of all are read before they are written.
    """
    batch, out_h, out_w, channels = context.output().shape
    across = -(-out_w // width)
    unit = np.arange(out_h)[:, None] // height * across + np.arange(out_w) // width
    image = np.arange(batch)[:, None, None] * (-(-out_h // height) * across)
    last = _last_groups(context.window, unit)
    read = np.where(last < 0, NEVER, (image + last) // together)
    reads = np.repeat(read.astype(np.int32).reshape(-1), context.input().shape[3])
    written = np.repeat(((image + unit) // together).astype(np.int32).reshape(-1), channels)
    return AccessOrder({0: reads}, written)


def reduced(context: Context) -> AccessOrder:
    """A MEAN: an output element a step, in order, from all that it is the mean of."""
    attrs, x, y = context.node.attrs, context.input(), context.output()
    assert isinstance(attrs, MeanAttrs)
    steps = np.arange(y.elements, dtype=np.int32)
    kept = [1 if axis in attrs.axes else size for axis, size in enumerate(x.shape)]
    return AccessOrder({0: np.broadcast_to(steps.reshape(kept), x.shape).reshape(-1)}, steps)


def planes(context: Context) -> AccessOrder:
    """A depthwise operator that copies one input channel of an image away and then writes its output channels."""
    x, y = context.input(), context.output()
    channels = x.shape[3]
    image = np.arange(x.shape[0])[:, None, None] * channels
    read = image + np.broadcast_to(np.arange(channels), (1, x.shape[1] * x.shape[2], channels))
    own = np.arange(y.shape[3]) // (y.shape[3] // channels)
    written = image + np.broadcast_to(own, (1, y.shape[1] * y.shape[2], y.shape[3]))
    return AccessOrder({0: read.astype(np.int32).reshape(-1)}, written.astype(np.int32).reshape(-1), channels)


def _last_groups(window: Window2D, groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """[input height, input width]: the last group whose windows reach the pixel, NEVER where none does.

    groups: [output height, output width], the group of each window; none falls along a row or along a column.
    """
    rows, columns = window.rows.last_windows(), window.columns.last_windows()
    reached = (rows >= 0)[:, None] & (columns >= 0)
    return np.where(reached, groups[np.ix_(rows, columns)], NEVER)
