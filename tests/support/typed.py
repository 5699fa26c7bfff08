"""Random graphs of every operator of every combination of element types that it is computed with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from harness.ir.graph import Graph
from harness.ir.operators import OPERATORS
from harness.ir.operators.operator import Types
from harness.quantization.types import DType
from tests.support.builders import BUILDERS
from tests.support.generated import random_graph

Combination: TypeAlias = tuple[str, Types]

DRAWS = 6000
"""Most graphs that are drawn for one of a combination."""


def _numbers(name: str, types: Types) -> bool:
    """Numbers of shapes, which are computed when a model is read: TFLM computes the operator of other types alone."""
    wide = {
        "SHAPE": types.y is DType.INT64,
        "BROADCAST_ARGS": types.x is DType.INT64,
        "GATHER": types.x in (DType.INT32, DType.INT64),
        "GATHER_ND": types.x in (DType.INT32, DType.INT64),
        "EXPAND_DIMS": types.x not in (DType.INT8, DType.INT16, DType.FLOAT32),
    }
    return wide.get(name, False)


_ALL = tuple((name, types) for name in BUILDERS if name in OPERATORS for types in OPERATORS[name].types)
TAKEN_WHEN_READ = tuple(found for found in _ALL if _numbers(*found))
"""Combinations that no builder draws."""


def combinations() -> tuple[Combination, ...]:
    """All others, by operator."""
    return tuple(found for found in _ALL if found not in TAKEN_WHEN_READ)


def typed_graphs(wanted: Sequence[Combination], *, seed: int, each: int) -> list[Graph]:
    """`each` graphs of every combination that is wanted."""
    return [
        _drawn(name, types, np.random.default_rng([seed, number, turn]))
        for number, (name, types) in enumerate(wanted)
        for turn in range(each)
    ]


def combination_graphs(part: int, *, seed: int, each: int) -> list[Graph]:
    """`each` graphs of one combination, by its number; those of another seed are others."""
    name, types = combinations()[part]
    return [_drawn(name, types, np.random.default_rng([seed, part, turn])) for turn in range(each)]


def _drawn(name: str, types: Types, rng: np.random.Generator) -> Graph:
    operator = OPERATORS[name]
    for _ in range(DRAWS):
        graph = random_graph(rng, name)
        if any(node.op == name and operator.types_of(graph, node) == types for node in graph.nodes):
            return graph
    raise AssertionError(f"the builder of {name} draws no {types}")
