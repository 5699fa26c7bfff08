"""Layers over every value of their type: a multiplier that is wrong in its last bits shows in one of thousands."""

from __future__ import annotations

import numpy as np
import pytest

from harness.ir.graph import Graph
from harness.ir.operators import OPERATORS
from harness.oracle import open_oracle
from harness.quantization.types import DType
from harness.validate.conformance.ulp import first_beyond
from tests.support.builders import BUILDERS
from tests.support.draft import Draft
from tests.support.generated import random_inputs
from tests.support.scale import scaled

SHAPES = {DType.INT8: (1, 4, 16, 16), DType.INT16: (1, 8, 64, 32)}
LARGEST = 1_000_000
"""Elements of a graph."""

OF_OTHERS = {"FILL", "DEPTH_TO_SPACE", "SPACE_TO_DEPTH", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"} | {
    *("BATCH_MATMUL", "CUMSUM", "ADD_N", "TRANSPOSE_CONV"),
}
"""Operators whose builders make their own inputs, or large outputs."""

CASES = [
    (name, dtype)
    for name in BUILDERS
    for dtype in SHAPES
    if any(types.x is dtype and types.y in (DType.INT8, DType.INT16) for types in OPERATORS[name].types)
]


def wide_graph(name: str, dtype: DType, rng: np.random.Generator) -> Graph | None:
    """A graph over a wide input; None of a builder that makes its own, and of one with a tensor for every row."""
    draft = Draft(rng)
    x = draft.input(SHAPES[dtype], dtype=dtype)
    BUILDERS[name](draft, x)
    read = any(x in node.inputs for node in draft.nodes)
    if not read or sum(tensor.elements for tensor in draft.tensors) > LARGEST:
        return None
    return draft.finish(name.lower(), draft.nodes[-1].outputs[:1])


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_every_value_becomes_what_it_becomes_in_tflm(name: str, dtype: DType) -> None:
    for seed in range(scaled(1, 20)):
        rng = np.random.default_rng([12, seed])
        graph = wide_graph(name, dtype, rng)
        if graph is None:
            assert name in OF_OTHERS
            continue
        vector = random_inputs(graph, rng, 1)[0]
        low, high = dtype.range
        every = np.resize(np.arange(low, high + 1), vector[0].size)
        vector[0] = rng.permutation(every).astype(dtype.numpy).reshape(vector[0].shape)
        with open_oracle("tflm", graph) as tflm:
            beyond = first_beyond(graph, [tflm.invoke(vector, tensors=True).tensors])
        assert beyond is None, f"graph {seed}: {beyond}"
