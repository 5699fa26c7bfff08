"""Random networks that Vela compiles, some of whose operators it leaves to the core."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.errors import GraphError, ModelFileError, UnsupportedModelError
from harness.frontends.tflite.reader import load
from harness.ir.graph import Graph
from harness.npu.compiling import on_npu
from tests.support.mixed import mixed_graph
from tests.support.vela import ACCELERATORS, compile_model

VELA_DIFFERS = frozenset(
    {"REDUCE_MAX", "REDUCE_MIN", "MIRROR_PAD", "SUM", "RSQRT", "LEAKY_RELU", "CONV_2D", "READ_VARIABLE"}
)
"""Operators that Vela compiles to something else now and then: docs/ethos-u.md."""


@dataclass(frozen=True, eq=False)
class NpuGraph:
    """A model, what Vela made of it, as a file and as a graph, and the number that it was drawn by."""

    number: int
    model: Graph
    file: bytes
    graph: Graph

    @property
    def exact(self) -> bool:
        """Whether the file should compute what the model says."""
        return not any(node.op in VELA_DIFFERS for node in self.model.nodes)


def npu_graphs(seed: int, count: int) -> Iterator[NpuGraph]:
    """So many of them, of all accelerators in turn; what Vela or tinyhil refuses by name is not counted."""
    found = number = 0
    while found < count:
        number += 1
        rng = np.random.default_rng([seed, number])
        model = mixed_graph(rng)
        try:
            file = compile_model(model.model, ACCELERATORS[number % len(ACCELERATORS)]).file
            graph = load(file, name="mixed")
        except (RuntimeError, AssertionError):  # what Vela's C++ raises
            continue
        except (GraphError, ModelFileError, UnsupportedModelError) as error:
            # What Vela did to operators of the core: shapes that it left as they were, operators that it moved.
            assert "damaged" not in error.message, error.message
            continue
        if on_npu(graph):
            found += 1
            yield NpuGraph(number, model, file, graph)
