"""Graphs of every operator of float32 that can be given what is no number, or infinite, or near the ends of floats."""

from __future__ import annotations

from itertools import product

import numpy as np

from harness.ir.graph import Graph
from harness.ir.operators import OPERATORS
from harness.quantization.types import DType
from tests.support.builders import BUILDERS
from tests.support.generated import random_graph

ODD = 0.2
"""Their share of a float input."""

OPERATORS_OF_FLOATS = tuple(name for name in BUILDERS if any(t.x is DType.FLOAT32 for t in OPERATORS[name].types))

_DRAWS = 500


def float_graphs(name: str, seed: int, count: int) -> list[Graph]:
    """So many of an operator that have a float input; none where all such inputs become integers."""
    drawn = (random_graph(np.random.default_rng([seed, number]), name) for number in range(_DRAWS))
    fitting = (graph for graph in drawn if _reads_floats(graph) and _takes_odd(graph))
    return [graph for graph, _ in zip(fitting, range(count), strict=False)]


def _reads_floats(graph: Graph) -> bool:
    return any(graph.tensors[t].dtype is DType.FLOAT32 for t in graph.inputs)


def _takes_odd(graph: Graph) -> bool:
    """Whether no input becomes an integer element by element: no C says which one such a float becomes."""
    tensors = graph.tensors
    return not any(
        tensors[x].dtype is DType.FLOAT32 and tensors[y].dtype not in (DType.FLOAT32, DType.BOOL)
        for node in graph.nodes
        for x, y in product(node.inputs[:1], node.outputs)
        if x in graph.inputs and tensors[x].shape == tensors[y].shape
    )
