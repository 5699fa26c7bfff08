"""Layers of int16 activations and int8 weights (16x8), instructions on every core, beside CMSIS-NN's.

The record of those is no part of the project (tests/bench/recurrent.py says where it is looked for).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from rich.console import Console

from harness.ir.graph import Attrs, Graph
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.window import ConvAttrs, Pads, same_pads
from harness.quantization.types import DType, Quantization
from tests.bench.recurrent import models_on_record, print_beside
from tests.support.draft import Draft

_PER_CHANNEL = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
_SHORT = {"CONV_2D": "conv", "DEPTHWISE_CONV_2D": "depthwise", "FULLY_CONNECTED": "FC"}


@dataclass(frozen=True)
class Layer:
    """A layer; `theirs` has instructions of TFLM with CMSIS-NN by core."""

    op: str
    x: tuple[int, ...]
    w: tuple[int, ...]
    y: tuple[int, ...]
    stride: tuple[int, int] = (1, 1)
    same: bool = False
    theirs: Mapping[str, int] = field(default_factory=dict, hash=False)

    @property
    def title(self) -> str:
        """For a table."""
        x, y = ("x".join(map(str, shape[1:])) for shape in (self.x, self.y))
        kernel = "" if len(self.w) == 2 else f", {self.w[1]}x{self.w[2]}"
        return f"{_SHORT[self.op]} {x}{kernel} -> {y}"

    @property
    def macs(self) -> int:
        """Products of a layer without padding."""
        return int(np.prod(self.y)) * int(np.prod(self.w)) // self.w[_PER_CHANNEL[self.op]]

    def graph(self) -> Graph:
        """The layer with random weights, none larger than networks have, and a bias of 64 bits."""
        rng, axis = np.random.default_rng(0), _PER_CHANNEL[self.op]
        draft, channels = Draft(rng), self.w[axis]
        x = draft.input(self.x, Quantization((2.0**-11,), (0,)), DType.INT16)
        scales = tuple(float(np.float32(s)) for s in rng.uniform(0.5, 2, channels) / 256)
        data = np.clip(np.round(rng.normal(0, 35, self.w)), -127, 127).astype(np.int8)
        w = draft.constant(data, Quantization(scales, (0,) * channels, axis))
        products = Quantization(tuple(s * 2.0**-11 for s in scales), (0,) * channels, 0)
        b = draft.constant(rng.integers(-(2**18), 2**18, channels), products)
        taps = int(np.prod(self.w)) // channels
        y = draft.tensor(self.y, Quantization((float(np.float32(2.0**-11 * taps**0.5 / 4)),), (0,)), DType.INT16)
        node = draft.node(self.op, (x, w, b), (y,), self._attrs())
        return draft.finish(self.op.lower(), (node,))

    def _attrs(self) -> Attrs:
        if self.op == "FULLY_CONNECTED":
            return FullyConnectedAttrs(DType.INT16.range)
        kernel, size = (self.w[1], self.w[2]), (self.x[1], self.x[2])
        pads = same_pads(size, kernel, self.stride, (1, 1)) if self.same else Pads()
        return ConvAttrs(self.stride, (1, 1), pads, (0, DType.INT16.range[1]))


ALONE = (
    Layer("CONV_2D", (1, 49, 10, 1), (64, 10, 4, 1), (1, 25, 5, 64), (2, 2), same=True),
    Layer("DEPTHWISE_CONV_2D", (1, 25, 5, 64), (1, 3, 3, 64), (1, 25, 5, 64), same=True),
    Layer("CONV_2D", (1, 25, 5, 64), (64, 1, 1, 64), (1, 25, 5, 64)),
    Layer("FULLY_CONNECTED", (1, 64), (12, 64), (1, 12)),
)
MORE = (
    Layer("CONV_2D", (1, 16, 16, 16), (32, 3, 3, 16), (1, 16, 16, 32), same=True),
    Layer("FULLY_CONNECTED", (1, 256), (128, 256), (1, 128)),
)
"""Beyond the record."""


def run(console: Console) -> None:
    """Print a table of layers by core."""
    print_beside(console, "16x8 layers, instructions", [*(recorded() or ALONE), *MORE])


def recorded() -> list[Layer]:
    """The layers of the record, each shape once."""
    found: dict[Layer, Layer] = {}
    for model in models_on_record():
        for number, layer in enumerate(model["layers"]):
            if layer["op"] in _PER_CHANNEL and layer["dtype"] == "int16":
                made = _of(layer)
                runs = [run for run in model["runs"] if run["kernels"] == "cmsis_nn"]
                theirs = {run["core"]: run["layer_instructions"][number] for run in runs}
                found.setdefault(made, replace(made, theirs=theirs))
    return list(found.values())


def _of(layer: Mapping[str, Any]) -> Layer:
    x, w = (tuple(shape) for shape in layer["in"][:2])
    stride = tuple(layer.get("stride", (1, 1)))
    return Layer(layer["op"], x, w, tuple(layer["out"][0]), stride, layer.get("padding") == "SAME")
