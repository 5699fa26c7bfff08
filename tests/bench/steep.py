"""Layers in which a channel's sums are multiplied by 0.6: instructions, beside those of layers without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from rich.console import Console

from harness.ir.graph import Graph
from tests.bench.common import table
from tests.bench.recurrent import measured
from tests.support.draft import Rng
from tests.support.layers import conv_layer, fully_connected_layer
from tests.support.steep import steepened

REAL = 0.6
BOARDS = {"M4": "mps2-an386", "M7": "mps2-an500", "M55": "mps3-an547"}


@dataclass(frozen=True)
class SteepLayer:
    """A layer; `real` is what its first channel's sums are multiplied by, None: what was drawn."""

    title: str
    drawn: Callable[[Rng], Graph]
    real: float | None

    @property
    def theirs(self) -> Mapping[str, int]:
        """Nothing is on record."""
        return {}

    def graph(self) -> Graph:
        """The layer, always the same."""
        made = self.drawn(np.random.default_rng(0))
        return made if self.real is None else steepened(made, [self.real])


LAYERS: dict[str, Callable[[Rng], Graph]] = {
    "depthwise 25x5x64, 3x3": lambda r: conv_layer(r, (1, 25, 5, 64), 64, (3, 3), depthwise=True, relu=True),
    "depthwise 24x24x16, 3x3, stride 2": lambda r: conv_layer(
        r, (1, 24, 24, 16), 16, (3, 3), (2, 2), depthwise=True, relu=True
    ),
    "depthwise 12x12x32, 5x5": lambda r: conv_layer(r, (1, 12, 12, 32), 32, (5, 5), depthwise=True, relu=True),
    "depthwise 16x16x8, 3x3, to 32": lambda r: conv_layer(r, (1, 16, 16, 8), 32, (3, 3), depthwise=True, relu=True),
    "convolution 25x5x64, 1x1, to 64": lambda r: conv_layer(r, (1, 25, 5, 64), 64, relu=True),
    "convolution 16x16x16, 3x3, to 16": lambda r: conv_layer(r, (1, 16, 16, 16), 16, (3, 3), relu=True),
    "FULLY_CONNECTED 640 to 128": lambda r: fully_connected_layer(r, 1, 640, 128, relu=True),
}


def instructions(board: str, names: list[str]) -> dict[str, tuple[int, int]]:
    """Of named layers: with a steep channel, and without."""
    shapes = [SteepLayer(name, LAYERS[name], real) for name in names for real in (REAL, None)]
    ticks = measured(board, shapes)
    return {name: (ticks[2 * number], ticks[2 * number + 1]) for number, name in enumerate(names)}


def run(console: Console) -> None:
    """Prints one table."""
    columns = [name for core in BOARDS for name in (core, f"{core} without")]
    made = table(f"layers with a channel at {REAL}, and without: instructions", "layer", *columns)
    found = [instructions(board, list(LAYERS)) for board in BOARDS.values()]
    for name in LAYERS:
        made.add_row(name, *(f"{figure:,}" for one in found for figure in one[name]))
    console.print(made)
