"""FULLY_CONNECTED: which function of CMSIS-NN takes it, and its loops."""

from __future__ import annotations

from math import prod

from harness.tflm.layer import TflmLayer
from harness.tflm.loops.base import VECTOR, Counts, Loops, ceiling
from harness.tflm.loops.products import product

_INT8 = ("int8", "int8", "int8")


def dense(layer: TflmLayer, mve: bool) -> Loops | None:
    """The loops of a fully connected layer."""
    if len(layer.input(1)) != 2 or not layer.output:
        return None
    outputs, depth = layer.input(1)
    rows = prod(layer.output) // max(outputs, 1)
    if layer.types != _INT8:
        counts = {"layer": 1, "row": rows, "output": rows * outputs, "product": rows * outputs * depth}
        return Loops("/".join(layer.types), counts)
    if len(layer.output) > 2 and depth % 4 == 0:
        return Loops("as 1x1", {"layer": 1, "outputs": outputs} | product(rows, outputs, depth, mve))
    bias = len(layer.inputs) > 2 and layer.inputs[2] is not None
    kernel = "weights with zero point" if layer.weights_zero else "plain"
    scales = {"output scale": rows * outputs * layer.per_channel}
    return Loops(kernel, (_vectors if mve else _words)(rows, outputs, depth, bias) | scales)


def _vectors(rows: int, outputs: int, depth: int, bias: bool) -> Counts:
    steps = ceiling(depth, VECTOR)
    counts: Counts = {"layer": 1, "row": rows}
    for name, times in (("4 outputs", rows * (outputs // 4)), ("output", rows * (outputs % 4))):
        counts |= {name: times, f"{name} step": times * steps, f"{name} bias": times * bias}
        counts[f"{name} entered"] = rows * (times > 0)
    return counts


def _words(rows: int, outputs: int, depth: int, bias: bool) -> Counts:
    counts: Counts = {"layer": 1, "row": rows}
    for name, times in (("2 outputs", rows * (outputs // 2)), ("output", rows * (outputs % 2))):
        counts |= {name: times, f"{name} bias": times * bias, f"{name} entered": rows * (times > 0)}
        counts |= {f"{name} 16": times * (depth // 16), f"{name} 4": times * (depth % 16 // 4)}
        counts |= {f"{name} 1": times * (depth % 4), f"{name} 16 entered": times * (depth >= 16)}
        counts |= {f"{name} 4 entered": times * (depth % 16 >= 4), f"{name} 1 entered": times * (depth % 4 > 0)}
    return counts
