"""Packages of very small models, for tests of what comes after the compiler."""

from __future__ import annotations

from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import Package, emit
from harness.ir.graph import Graph
from tests.support.graphs import Builder


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
