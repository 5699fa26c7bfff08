"""Packages of very small models, for tests of what comes after the compiler."""

from __future__ import annotations

import numpy as np

from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import Package, emit
from harness.ir.graph import Graph
from harness.ir.interpreter import run
from harness.quantization.types import Array
from harness.validate.measurement import Measurement
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


def tiny_vectors(count: int, seed: int = 0) -> list[list[Array]]:
    """Random inputs of the tiny graph."""
    rng = np.random.default_rng(seed)
    return [[rng.integers(-128, 128, (1, 4, 4, 2)).astype(np.int8)] for _ in range(count)]


TINY_VECTOR = [np.arange(32, dtype=np.int8).reshape(1, 4, 4, 2)]
"""One input of the tiny graph, no byte of which is another's."""


def check_tiny(measured: Measurement, package: Package, vectors: list[list[Array]]) -> None:
    """Outputs and every layer's outputs of the tiny graph are the specification's."""
    assert measured.layer_outputs is not None
    for vector, outputs, layers in zip(vectors, measured.outputs, measured.layer_outputs, strict=True):
        expected = run(tiny_graph(), vector)
        np.testing.assert_array_equal(outputs[0], expected.outputs[0])
        for layer, made in zip(package.plan.layers, layers, strict=True):
            for tensor, array in zip(layer.outputs, made, strict=True):
                np.testing.assert_array_equal(array, expected.tensors[package.plan.graph.tensors[tensor].source])
