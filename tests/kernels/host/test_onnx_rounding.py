"""Kernels that round as ONNX Runtime does: equal to the specification, under sanitizers; others do not apply."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.compiler.choice import applicable
from harness.errors import GraphError
from harness.hardware.target import Target
from harness.ir.verifier import verify
from harness.kernels.context import Context
from harness.kernels.requant_linear import apply, linear_onnx
from harness.quantization.onnx_rounding import onnx_scaled
from harness.quantization.types import Rounding
from tests.support.compiled import VECTORS, check_on_board
from tests.support.generated import random_graph
from tests.support.onnx_rounded import OPS, rounded_graphs
from tests.support.scale import scaled

PORTABLE = ("ConvS8Portable", "DepthwiseConvS8Plane", "BinaryS8OnnxPortable")


@pytest.mark.parametrize("batch", range(scaled(1, 20)))
def test_random_graphs_equal_the_specification(batch: int) -> None:
    graphs = rounded_graphs(batch, 28)
    prefer = PORTABLE if batch % 2 else ()
    assert check_on_board(graphs, "host", sanitize=True, prefer=prefer) == len(graphs) * VECTORS


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"])
def test_only_kernels_that_round_so_apply(core: str) -> None:
    target = Target(core)
    for graph in rounded_graphs(1000, 2 * len(OPS)):
        for node in graph.nodes:
            kernels = applicable(Context(graph, node, target))
            assert kernels and all(node.rounding in kernel.roundings for kernel in kernels)


def test_other_operators_are_refused_the_rounding() -> None:
    graph = random_graph(np.random.default_rng(0), op="MAX_POOL_2D")
    nodes = tuple(replace(node, rounding=Rounding.ONNX) for node in graph.nodes)
    with pytest.raises(GraphError, match="is rounded as onnx, which it has not"):
        verify(replace(graph, nodes=nodes))


@pytest.mark.parametrize("seed", range(scaled(4, 60)))
def test_lines_through_the_rounding_are_right_for_every_sum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    factors = rng.uniform(0.001, 0.05, 6).astype(np.float32)
    low, high = -rng.integers(1, 20000, 6), rng.integers(1, 20000, 6)
    zero, clamp = int(rng.integers(-128, 128)), (-128, 127)
    line = linear_onnx(factors, zero, clamp, low, high)
    assert line.exact.any()
    for c in np.flatnonzero(line.exact):
        sums = np.arange(low[c], high[c] + 1)
        alone = replace(line, multiplier=line.multiplier[c], offset=line.offset[c])
        np.testing.assert_array_equal(apply(sums, alone), np.clip(onnx_scaled(sums, factors[c]) + zero, *clamp))
