"""CONV_2D: which function of CMSIS-NN takes it, and its loops."""

from __future__ import annotations

from math import prod

from harness.tflm.layer import TflmLayer
from harness.tflm.loops.base import VECTOR, Counts, Loops, MovedWindow, added, ceiling, scaled, window
from harness.tflm.loops.products import ROWS_AT_ONCE, product

_INT8 = ("int8", "int8", "int8")


def convolution(layer: TflmLayer, mve: bool) -> Loops | None:
    """The loops of a convolution."""
    if not is_convolution(layer):
        return None
    _, height, width, depth = layer.input(1)
    over = window(layer, (height, width))
    if layer.types != _INT8:
        return by_reference(layer, over, depth)
    batches, _, _, channels = layer.input(0)
    outputs = layer.output[3]
    groups = channels // depth
    unpadded = over.rows.before == over.columns.before == 0
    if height == width == 1 and unpadded and layer.dilation == (1, 1) and groups == 1:
        if layer.stride == (1, 1):
            return Loops("1x1", {"layer": 1} | product(batches * over.pixels, outputs, channels, mve))
        per_row = product(layer.output[2], outputs, channels, mve)
        return Loops("1x1 strided", {"layer": 1, "batch": batches} | scaled(per_row, batches * layer.output[1]))
    if mve and is_one_row(layer):
        return _one_row(layer, over)
    return Loops("general", (_gathered if mve else _widened)(layer, over, batches * groups))


def is_convolution(layer: TflmLayer) -> bool:
    """Whether shapes of input, weights and output are those of a convolution."""
    weights = layer.input(1)
    fits = len(weights) == 4 and len(layer.dilation) == 2 and layer.has_window(weights[1:3])
    return fits and weights[0] == layer.output[3] and layer.input(0)[3] % weights[3] == 0


def is_one_row(layer: TflmLayer) -> bool:
    """Whether it is a convolution along one row, which a function of its own takes with Helium."""
    _, height, _, depth = layer.input(1)
    alike = layer.input(0)[1] == height == 1 and layer.input(0)[3] == depth
    return alike and layer.dilation[1] == 1 and layer.stride[1] * depth % 4 == 0


def is_wrong(layer: TflmLayer, mve: bool) -> bool:
    """Whether CMSIS-NN computes such a layer wrongly: one row, with a stride, on Helium (arm_convolve_1_x_n_s8)."""
    if not mve or layer.types != _INT8 or not is_convolution(layer):
        return False
    return is_one_row(layer) and layer.input(1)[2] > 1 and layer.stride[1] > 1


def _one_row(layer: TflmLayer, over: MovedWindow) -> Loops | None:
    """arm_convolve_1_x_n_s8: what is padded on the left, what is not, and what is on the right."""
    _, _, width, depth = layer.input(1)
    stride, before, out = layer.stride[1], over.columns.before, layer.output[2]
    total = max(0, (out - 1) * stride + width - layer.input(0)[2])
    odd = total % 2
    right = max(1, (before + odd + stride - 1) // stride) if before + odd else 0
    left = max(1, (before + stride - 1) // stride) if before else 0
    middle = max(0, out - right - left)
    if before * 2 + odd != total or right + middle + left != out:
        return Loops("1xn wrong", {"layer": 1, "output": layer.elements})
    batches, inner = layer.input(0)[0], width * depth
    parts = [product(rows, layer.output[3], inner, True) for rows in (left, middle, right)]
    counts = scaled(added(parts), batches)
    return Loops("1xn", {"layer": 1, "left": batches * left * inner, "right": batches * right * inner} | counts)


def _places(layer: TflmLayer, over: MovedWindow, times: int) -> Counts:
    """What both ways of gathering columns have in common."""
    return {
        "layer": 1,
        "part": times,
        "line": times * layer.output[1],
        "pixel": times * over.pixels,
        "window row": times * over.pixels * layer.input(1)[1],
        "place": times * over.pixels * over.kernel,
        "inside": times * over.valid,
        "outside": times * (over.pixels * over.kernel - over.valid),
    }


def _gathered(layer: TflmLayer, over: MovedWindow, times: int) -> Counts:
    """With Helium: columns are copied, four are multiplied at once."""
    _, height, width, depth = layer.input(1)
    outputs = layer.output[3] // (layer.input(0)[3] // depth)
    vectors, inner = ceiling(depth, VECTOR), height * width * depth
    outside = over.pixels * over.kernel - over.valid
    copies = {"inside vector": times * over.valid * vectors, "outside vector": times * outside * vectors}
    full = scaled(product(ROWS_AT_ONCE, outputs, inner, True), times * (over.pixels // ROWS_AT_ONCE))
    rest = scaled(product(over.pixels % ROWS_AT_ONCE, outputs, inner, True), times)
    return _places(layer, over, times) | copies | added((full, rest))


def _widened(layer: TflmLayer, over: MovedWindow, times: int) -> Counts:
    """With DSP: columns become int16, two are multiplied with two channels at once."""
    _, height, width, depth = layer.input(1)
    outputs = layer.output[3] // (layer.input(0)[3] // depth)
    fours, rest = divmod(height * width * depth, 4)
    outside = times * (over.pixels * over.kernel - over.valid)
    counts = _places(layer, over, times)
    inside = times * over.valid
    counts |= {
        "inside 64": inside * (depth // 64),
        "inside 16": inside * (depth % 64 // 16),
        "inside 4": inside * (depth % 16 // 4),
        "inside 1": inside * (depth % 4),
        "outside 16": outside * (depth // 16),
        "outside 1": outside * (depth % 16),
        "pixel 4": times * over.pixels * fours,
        "pixel 1": times * over.pixels * rest,
    }
    pixels, last = divmod(over.pixels, 2)
    for name, channels in (("2 channels", outputs // 2), ("channel", outputs % 2)):
        calls = times * pixels * channels
        counts |= {name: calls, f"{name} 4": calls * fours, f"{name} 1": calls * rest}
    counts |= {
        "2 pixels": times * pixels,
        "last pixel": times * last,
        "last channel": times * last * outputs,
        "last channel 4": times * last * outputs * fours,
        "last channel 1": times * last * outputs * rest,
    }
    return counts


def by_reference(layer: TflmLayer, over: MovedWindow, depth: int) -> Loops:
    """TFLM's reference kernel, for other element types: every output for itself.

    Of int16 CMSIS-NN has functions; too few layers were measured to tell their loops apart.
    """
    values, kernel = layer.output[0] * layer.output[3], "/".join(layer.types)
    if layer.types[0] == "int16":
        return Loops(kernel, {"output": prod(layer.output), "product": values * over.valid * depth})
    return Loops(
        kernel,
        {
            "layer": 1,
            "line": layer.output[0] * layer.output[1],
            "pixel": layer.output[0] * over.pixels,
            "output": prod(layer.output),
            "window row": values * over.pixels * layer.input(1)[1],
            "place": values * over.pixels * over.kernel,
            "inside": values * over.valid,
            "product": values * over.valid * depth,
        },
    )
