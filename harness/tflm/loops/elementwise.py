"""Functions of each element: sums and products, activations, conversions between element types."""

from __future__ import annotations

import math
from math import prod

from harness.tflm.layer import TflmLayer
from harness.tflm.loops.base import Counts, Loops

_ROUND_UP = 7


def binary(layer: TflmLayer, mve: bool) -> Loops:
    """ADD, SUB, MUL and the like: of two alike, or one spread over the other."""
    kinds = "/".join(dict.fromkeys(layer.types))
    if layer.input(0) != layer.input(1):
        _, lines, columns, depth = ((1,) * 4 + layer.output)[-4:]
        n = layer.elements
        counts = {"layer": 1, "element": n, "pixel": n // max(depth, 1), "line": n // max(depth * columns, 1)}
        return Loops(f"{kinds} spread", counts)
    return Loops(kinds, {"layer": 1, "4 elements": layer.elements // 4, "element": layer.elements % 4})


def each(layer: TflmLayer, mve: bool) -> Loops:
    """A function of each element alone."""
    return Loops(f"{layer.types[0]} to {layer.types[2]}", {"layer": 1, "element": prod(layer.input(0))})


def quantize(layer: TflmLayer, mve: bool) -> Loops:
    """QUANTIZE: between integers, of one scale it is simpler."""
    kernel = f"{layer.types[0]} to {layer.types[2]}"
    first, last = layer.quant
    if first is not None and last is not None and first[0] == last[0]:
        kernel += ", shifted" if abs(first[1] - last[1]) == 128 else ", of one scale"
    return Loops(kernel, {"layer": 1, "element": layer.elements})


def softmax(layer: TflmLayer, mve: bool) -> Loops:
    """SOFTMAX: an exponential for each element that is near enough to the largest.

    How many these are, data decides: about as many as the share of the range that counts.
    """
    depth = layer.input(0)[-1] if layer.input(0) else 1
    elements = prod(layer.input(0))
    counts: Counts = {"layer": 1, "row": elements // max(depth, 1), "element": elements}
    if layer.types[0] == "int8" and layer.quant[0] is not None:
        counts["exponential"] = elements * near_the_largest(layer.quant[0][0])
    return Loops(f"{layer.types[0]} to {layer.types[2]}", counts)


_SPAN = 200
"""Quantized steps that logits spread over, about."""


def near_the_largest(scale: float) -> float:
    """The share of elements whose exponential is not taken for 0: less than 31 / 2**5 of the fixed-point range away."""
    return min(1.0, steps_that_count(scale) / _SPAN)


def steps_that_count(scale: float) -> int:
    """How far below the largest a quantized value may be until its exponential is 0 (CalculateInputRadius)."""
    real = scale * 2**26
    if not 1 < real < 2**62:
        return 255
    return min(255, int(31 * 2**26 / 2 ** math.frexp(real)[1]))
