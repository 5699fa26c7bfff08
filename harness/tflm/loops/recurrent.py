"""Recurrent layers: SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM."""

from __future__ import annotations

from math import prod

from harness.tflm.layer import TflmLayer
from harness.tflm.loops.base import VECTOR, Counts, Loops, ceiling

_WIDE_STEPS = 8
"""Elements of int16 in a register of Helium."""


def svdf(layer: TflmLayer, mve: bool) -> Loops | None:
    """SVDF: features of the newest input, then filters over time."""
    if layer.types[0] != "int8" or len(layer.input(0)) != 2 or len(layer.input(1)) != 2 or len(layer.input(2)) != 2:
        return None
    batches, depth = layer.input(0)
    features, memory = layer.input(2)
    rows = batches * features
    counts: Counts = {"layer": 1, "batch": batches, "feature": rows, "output": layer.elements, "state": rows * memory}
    if mve:
        counts |= {
            "feature step": rows * ceiling(depth, VECTOR),
            "feature last": rows * (depth % VECTOR > 0),
            "state step": rows * ceiling(memory, _WIDE_STEPS),
        }
    else:
        counts |= {
            "feature 4": rows * (depth // 4),
            "feature 1": rows * (depth % 4),
            "state 2": rows * (memory // 2),
        }
    return Loops(f"int8, states of {layer.state}", counts)


def lstm(layer: TflmLayer, mve: bool) -> Loops | None:
    """UNIDIRECTIONAL_SEQUENCE_LSTM: four gates of input and hidden state for each step."""
    if len(layer.input(0)) != 3 or len(layer.input(2)) != 2:
        return None
    first, second, depth = layer.input(0)
    steps, batches = (first, second) if layer.time_major else (second, first)
    hidden = layer.input(2)[0]
    rows = steps * batches
    later = rows - batches
    if layer.types[0] != "int8":
        products = rows * hidden * (depth + hidden)
        return Loops(layer.types[0], {"layer": 1, "step": rows, "cell": rows * hidden, "product": products})
    counts: Counts = {"layer": 1, "step": rows, "cell": rows * hidden, "later cell": later * hidden}
    if mve:
        counts |= {
            "input step": rows * hidden * ceiling(depth, VECTOR),
            "hidden step": later * hidden * ceiling(hidden, VECTOR),
            "state step": rows * ceiling(hidden, _WIDE_STEPS),
            "4 cells": rows * (hidden // 4),
            "cells left": rows * (hidden % 4),
        }
    else:
        counts |= {
            "input 4": rows * hidden * (depth // 4),
            "input 1": rows * hidden * (depth % 4),
            "hidden 4": later * hidden * (hidden // 4),
            "hidden 1": later * hidden * (hidden % 4),
            "2 cells": rows * (hidden // 2),
        }
    return Loops("int8", counts)


def forgets(layer: TflmLayer) -> bool:
    """Whether CMSIS-NN forgets the hidden state from one inference to the next: it does in int8."""
    return layer.types[0] == "int8" and prod(layer.output) > 0
