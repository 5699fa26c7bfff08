"""Pooling, and what is reduced over axes."""

from __future__ import annotations

from math import prod

from harness.tflm.layer import TflmLayer
from harness.tflm.loops.base import VECTOR, Counts, Loops, ceiling, window


def pooling(layer: TflmLayer, mve: bool) -> Loops | None:
    """AVERAGE_POOL_2D and MAX_POOL_2D."""
    if not layer.has_window(layer.kernel):
        return None
    over, batches, depth = window(layer, layer.kernel), layer.output[0], layer.output[3]
    pixels, valid, rows = batches * over.pixels, batches * over.valid, batches * over.valid_rows
    if layer.types[0] != "int8":
        counts: Counts = {"layer": 1, "output": pixels * depth, "row": rows * depth, "product": valid * depth}
        return Loops(layer.types[0], counts)
    counts = {"layer": 1, "line": batches * layer.output[1], "pixel": pixels, "row": rows, "place": valid}
    if mve:
        vectors = ceiling(depth, VECTOR)
        counts |= {
            "more place": valid - pixels,
            "more place vector": (valid - pixels) * vectors,
            "pixel vector": pixels * vectors,
            "row vector": rows * vectors,
            "place vector": valid * vectors,
            "output": pixels * depth,
            "output vector": ceiling(pixels * depth, VECTOR),
        }
        return Loops("int8", counts)
    for name, times in (("pixel", pixels), ("more place", valid - pixels)):
        counts |= {f"{name} 4": times * (depth // 4), f"{name} 1": times * (depth % 4), f"{name} byte": times * depth}
    return Loops("int8", counts)


def reduction(layer: TflmLayer, mve: bool) -> Loops | None:
    """MEAN, SUM, REDUCE_MAX: over rows and columns of a picture, or by the general loop."""
    if not layer.numbers or not layer.input(0):
        return None
    rank = len(layer.input(0))
    axes = tuple(sorted({axis % rank for axis in layer.numbers[0]}))
    elements, outputs = prod(layer.input(0)), layer.elements
    kind = "rows and columns" if rank == 4 and axes == (1, 2) else f"{len(axes)} of {rank} axes"
    if kind == "rows and columns":  # of floats that keep their axes TFLM has a loop of its own
        kind += " kept" if layer.keep and layer.types[0] == "float32" else ""
    elif rank - 1 in axes:
        kind += ", the last"
    return Loops(f"{layer.types[0]} {kind}", {"layer": 1, "element": elements, "output": outputs})
