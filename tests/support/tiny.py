"""Packages of very small models, for tests of what comes after the compiler."""

from __future__ import annotations

from harness.compiler import compile_graph
from harness.emit import Package, emit
from harness.graph import ABSENT, ConvAttrs, Graph, Pads
from tests.support.graphs import FULL, Builder


def tiny_graph(name: str = "tiny", seed: int = 0) -> Graph:
    """Two convolutions and an ADD over a 4x4x2 image."""
    b = Builder()
    x = b.input(1, 4, 4, 2)
    y = b.conv(x, 3, size=1, seed=seed)
    z = b.conv(y, 3, size=1, seed=seed + 1)
    return b.graph(b.add(z, y), name=name)


def tiny_package(name: str = "tiny", core: str = "cortex-m7", seed: int = 0) -> Package:
    """The tiny graph, compiled."""
    return emit(compile_graph(tiny_graph(name, seed), core=core, name=name))


def huge_package(name: str = "huge", core: str = "cortex-m7", weights: int = 5_000_000) -> Package:
    """A model with more weights than an emulated board has flash."""
    import numpy as np

    b = Builder()
    rows = 1000
    x = b.input(1, 1, 1, weights // rows)
    data = np.zeros((rows, 1, 1, weights // rows), np.int8)
    w = b.tensor(*data.shape, scale=0.01, data=data)
    y = b.tensor(1, 1, 1, rows, scale=0.2)
    b.node("CONV_2D", (x, w, ABSENT), y, ConvAttrs((1, 1), (1, 1), Pads(), FULL))
    return emit(compile_graph(b.graph(y, name=name), core=core, name=name))
