"""float32 layers with weights, instructions on every core, beside TFLM's, of which CMSIS-NN has none.

The record of those is no part of the project (tests/bench/recurrent.py says where it is looked for).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rich.console import Console

from harness.ir.graph import Attrs, Graph
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.window import ConvAttrs, Pads, same_pads
from harness.quantization.types import DType
from tests.bench.recurrent import models_on_record, print_beside
from tests.bench.wide import Layer
from tests.support.draft import Draft

_CHANNELS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
EACH = 6
"""Layers of an operator of the record, from the smallest to the largest."""


@dataclass(frozen=True)
class FloatLayer(Layer):
    """A float32 layer; `theirs` has instructions of TFLM by core."""

    def graph(self) -> Graph:
        """The layer with random weights, and RELU."""
        rng = np.random.default_rng(0)
        draft = Draft(rng)
        x = draft.input(self.x, None, DType.FLOAT32)
        w = draft.constant(rng.normal(0, 0.1, self.w).astype(np.float32), None)
        b = draft.constant(rng.normal(0, 0.1, self.w[_CHANNELS[self.op]]).astype(np.float32), None)
        y = draft.tensor(self.y, None, DType.FLOAT32)
        node = draft.node(self.op, (x, w, b), (y,), self._attrs())
        return draft.finish(self.op.lower(), (node,))

    def _attrs(self) -> Attrs:
        clamp = (0, DType.FLOAT32.range[1])
        if self.op == "FULLY_CONNECTED":
            return FullyConnectedAttrs(clamp)
        kernel, size = (self.w[1], self.w[2]), (self.x[1], self.x[2])
        pads = same_pads(size, kernel, self.stride, (1, 1)) if self.same else Pads()
        return ConvAttrs(self.stride, (1, 1), pads, clamp)


ALONE = (
    FloatLayer("CONV_2D", (1, 16, 16, 16), (32, 3, 3, 16), (1, 16, 16, 32), same=True),
    FloatLayer("CONV_2D", (1, 25, 5, 64), (64, 1, 1, 64), (1, 25, 5, 64)),
    FloatLayer("DEPTHWISE_CONV_2D", (1, 25, 5, 64), (1, 3, 3, 64), (1, 25, 5, 64), same=True),
    FloatLayer("FULLY_CONNECTED", (1, 640), (128, 640), (1, 128)),
)


def run(console: Console) -> None:
    """Print a table of layers by core."""
    print_beside(console, "float32 layers, instructions", recorded() or ALONE)


def recorded() -> list[FloatLayer]:
    """Some layers of the record, of every operator and size."""
    chosen, found = [], all_recorded()
    for op in _CHANNELS:
        layers = sorted((layer for layer in found if layer.op == op), key=lambda layer: layer.macs)
        places = np.unique(np.linspace(0, len(layers) - 1, min(EACH, len(layers))).astype(int))
        chosen += [layers[place] for place in places]
    return chosen


def all_recorded() -> list[FloatLayer]:
    """The layers of the record, each shape once."""
    found: dict[FloatLayer, FloatLayer] = {}
    for model in models_on_record():
        for number, layer in enumerate(model["layers"]):
            if layer["op"] in _CHANNELS and layer["dtype"] == "float32" and _is_plain(layer):
                made = _of(layer)
                runs = [run for run in model["runs"] if run["kernels"] == "cmsis_nn"]
                theirs = {run["core"]: run["layer_instructions"][number] for run in runs}
                found.setdefault(made, replace(made, theirs=theirs))
    return list(found.values())


def _is_plain(layer: Mapping[str, Any]) -> bool:
    return layer.get("dilation", [1, 1]) == [1, 1] and layer["in"][1][0] * layer["in"][1][-1] > 0


def _of(layer: Mapping[str, Any]) -> FloatLayer:
    x, w = (tuple(shape) for shape in layer["in"][:2])
    stride = tuple(layer.get("stride", (1, 1)))
    return FloatLayer(layer["op"], x, w, tuple(layer["out"][0]), stride, layer.get("padding") == "SAME")
