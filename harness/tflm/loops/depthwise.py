"""DEPTHWISE_CONV_2D: which function of CMSIS-NN takes it, and its loops."""

from __future__ import annotations

import numpy as np

from harness.tflm.layer import TflmLayer
from harness.tflm.loops.base import VECTOR, Counts, Loops, MovedWindow, added, ceiling, fill, scaled, window
from harness.tflm.loops.convolution import by_reference
from harness.tflm.loops.products import ROWS_AT_ONCE, product

_INT8 = ("int8", "int8", "int8")
_INT16 = 2
"""Bytes."""

_CHANNELS_AT_ONCE = 124
"""CH_IN_BLOCK_MVE."""


def depthwise(layer: TflmLayer, mve: bool) -> Loops | None:
    """The loops of a depthwise convolution."""
    if not is_depthwise(layer):
        return None
    _, height, width, outputs = layer.input(1)
    batches, _, _, channels = layer.input(0)
    over = window(layer, (height, width))
    if layer.types != _INT8:
        return by_reference(layer, over, 1)
    plain = batches == 1 and layer.dilation == (1, 1)
    if mve and channels == 1 and outputs > 1:
        return Loops("one channel", _as_convolution(layer, over))
    if outputs == channels and plain:
        small = over.rows.before <= 1 and over.columns.before <= 1
        if not mve and (height, width) == (3, 3) and small:
            return Loops("3x3", _three_by_three(layer, over))
        return Loops("each", (_blocks if mve else _columns)(layer, over))
    if outputs // channels % 4 == 0 and plain:
        wide = mve and width >= 4
        return Loops("4 each, wide" if wide else "4 each", _four_each(layer, over, wide))
    values = batches * outputs
    return Loops(
        "general",
        {
            "layer": 1,
            "line": batches * layer.output[1],
            "pixel": batches * over.pixels,
            "channel": batches * over.pixels * channels,
            "output": values * over.pixels,
            "row": values * over.valid_rows,
            "product": values * over.valid,
            "channel row": batches * over.pixels * channels * height,
        },
    )


def is_depthwise(layer: TflmLayer) -> bool:
    """Whether shapes of input, weights and output are those of a depthwise convolution."""
    weights = layer.input(1)
    fits = len(weights) == 4 and len(layer.dilation) == 2 and layer.has_window(weights[1:3])
    return fits and weights[3] == layer.output[3] and weights[3] % layer.input(0)[3] == 0


def _as_convolution(layer: TflmLayer, over: MovedWindow) -> Counts:
    """With Helium: weights are transposed, and it is a convolution of one channel."""
    batches, outputs = layer.input(0)[0], layer.output[3]
    counts = {
        "layer": 1,
        "transposed": over.kernel * outputs,
        "outputs": outputs,
        "pixel": batches * over.pixels,
        "window row": batches * over.pixels * layer.input(1)[1],
        "place": batches * over.pixels * over.kernel,
        "inside": batches * over.valid,
    }
    full = scaled(product(ROWS_AT_ONCE, outputs, over.kernel, True), batches * (over.pixels // ROWS_AT_ONCE))
    rest = scaled(product(over.pixels % ROWS_AT_ONCE, outputs, over.kernel, True), batches)
    return counts | added((full, rest))


def _three_by_three(layer: TflmLayer, over: MovedWindow) -> Counts:
    fours, rest = divmod(layer.output[3], 4)
    return {
        "layer": 1,
        "line": layer.output[1],
        "pixel": over.pixels,
        "pixel 4": over.pixels * fours,
        "pixel 1": over.pixels * rest,
        "row 4": over.valid_rows * fours,
        "row 1": over.valid_rows * rest,
        "place 4": over.valid * fours,
        "place 1": over.valid * rest,
    }


def _blocks(layer: TflmLayer, over: MovedWindow) -> Counts:
    """With Helium: blocks of channels, four pixels at once; another function where one of the four is padded."""
    channels, kernel = layer.output[3], over.kernel
    blocks = [_CHANNELS_AT_ONCE] * (channels // _CHANNELS_AT_ONCE)
    blocks += [channels % _CHANNELS_AT_ONCE] if channels % _CHANNELS_AT_ONCE else []
    fours, vectors = sum(ceiling(n, 4) for n in blocks), sum(ceiling(n, VECTOR) for n in blocks)
    full, rest = divmod(over.pixels, ROWS_AT_ONCE)
    padded = int(over.padded[: full * ROWS_AT_ONCE].reshape(-1, ROWS_AT_ONCE).any(axis=1).sum())
    outside = over.pixels * kernel - over.valid
    count = len(blocks)
    return {
        "layer": 1,
        "part": count,
        "line": count * layer.output[1],
        "pixel": count * over.pixels,
        "window row": count * over.pixels * layer.input(1)[1],
        "inside": count * over.valid,
        "outside": count * outside,
        "inside vector": over.valid * vectors,
        "outside vector": outside * vectors,
        "block": count * full,
        "plain 4": (full - padded) * fours,
        "plain 4 place": (full - padded) * fours * kernel,
        "padded 4": padded * fours,
        "padded 4 place": padded * fours * kernel,
        "last": count * rest,
        "last 4": rest * fours,
        "last 4 place": rest * fours * kernel,
    }


def _columns(layer: TflmLayer, over: MovedWindow) -> Counts:
    """With DSP: a column becomes int16, four channels are multiplied, two places at once."""
    channels, width = layer.output[3], layer.input(1)[2]
    fours, rest = divmod(channels, 4)
    counts: Counts = {
        "layer": 1,
        "line": layer.output[1],
        "pixel": over.pixels,
        "row": over.valid_rows,
        "inside": over.valid,
        "inside 4": over.valid * fours,
        "inside 1": over.valid * rest,
        "pixel 4": over.pixels * fours,
        "pixel 4 pair": over.pixels * fours * (over.kernel // 2),
        "pixel 4 odd": over.pixels * fours * (over.kernel % 2),
        "pixel 1": over.pixels * rest,
        "pixel 1 place": over.pixels * rest * over.kernel,
        "pixel 1 entered": over.pixels * (rest > 0),
    }
    return counts | _zeros(layer, over, _INT16 * channels, _INT16 * width * channels)


def _zeros(layer: TflmLayer, over: MovedWindow, place: int, row: int) -> Counts:
    """Calls that fill with zeros: rows above and below at once, and places beside one by one; sizes in bytes."""
    columns, height = layer.output[2], layer.input(1)[1]
    above = np.clip(over.rows.before - np.arange(layer.output[1]) * layer.stride[0], 0, height)
    below = height - above - over.rows.inside
    sizes = [int(rows) * row for rows in (*above, *below) if rows > 0]
    parts = [scaled(fill(size), columns) for size in sizes]
    beside = int(over.rows.inside.sum()) * int((layer.input(1)[2] - over.columns.inside).sum())
    found = added([*parts, scaled(fill(place), beside)])
    return {f"zero {name}": count for name, count in found.items()}


def _four_each(layer: TflmLayer, over: MovedWindow, wide: bool) -> Counts:
    """Four outputs of a channel at once."""
    fours = layer.output[3] // 4
    counts: Counts = {
        "layer": 1,
        "line": layer.output[1],
        "pixel": over.pixels,
        "channel": over.pixels * layer.input(0)[3],
        "4": over.pixels * fours,
        "4 row": over.valid_rows * fours,
        "4 place": over.valid * fours,
    }
    if wide:  # the compiler takes four columns at once, where so many of the window lie inside
        inside, rows = over.columns.inside, int(over.rows.inside.sum()) * fours
        counts |= {
            "4 columns": rows * int((inside // 4).sum()),
            "4 columns entered": rows * int((inside >= 4).sum()),
            "4 columns left": rows * int((inside[inside >= 4] % 4).sum()),
            "4 few columns": rows * int(inside[inside < 4].sum()),
        }
    return counts
