"""Random networks of one operator, compiled by Vela, compute what the specifications compute, byte for byte.

The specifications equal TFLM (tests/ir). Where what Vela emits says something else than the model, the graph is left
out, with the reason; that it is Vela who differs can be read in the stream, and docs/ethos-u.md has how.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest

from harness.ir.graph import Graph
from harness.ir.operators.operator import Types
from harness.oracle.specification import SpecInterpreter
from harness.quantization.types import Array, DType
from tests.support.scale import scaled
from tests.support.typed import combinations, typed_graphs
from tests.support.vela import ACCELERATORS, compiled_or_refused, random_inputs
from tests.support.vela_differs import vela_differs

OPERATORS = (
    *(
        "ABS",
        "ADD",
        "ARG_MAX",
        "AVERAGE_POOL_2D",
        "BATCH_MATMUL",
        "CONCATENATION",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "ELU",
    ),
    *("EXPAND_DIMS", "FULLY_CONNECTED", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN"),
    *(
        "MINIMUM",
        "MIRROR_PAD",
        "MUL",
        "PACK",
        "PAD",
        "PRELU",
        "QUANTIZE",
        "REDUCE_MAX",
        "REDUCE_MIN",
        "RELU",
        "RELU6",
        "RESHAPE",
    ),
    *("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SLICE", "SOFTMAX", "SPLIT", "SPLIT_V", "STRIDED_SLICE"),
    *("SQUARED_DIFFERENCE", "SQUEEZE", "SUB", "SUM", "TANH", "TRANSPOSE", "TRANSPOSE_CONV", "UNPACK"),
)
TYPES = (DType.INT8, DType.INT16, DType.UINT8, DType.INT32)
WANTED = tuple(c for c in combinations() if c[0] in OPERATORS and c[1].x in TYPES)
SMALL = 1 << 14
"""Inputs of int32 are below: beyond, results overflow, and C, TFLM and the NPU need not agree."""


def _overflows(graph: Graph) -> bool:
    constants = [t.data for t in graph.tensors if t.data is not None and t.dtype is DType.INT32]
    return graph.nodes[0].op in ("ADD", "SUB", "MUL") and any(abs(c.astype(np.int64)).max() >= SMALL for c in constants)


@pytest.mark.parametrize("number", range(len(WANTED)), ids=[f"{name}-{types.x.value}" for name, types in WANTED])
def test_outputs_are_those_of_the_specification(number: int) -> None:
    name, types = WANTED[number]
    ran = [_agrees(graph, index) for index, graph in enumerate(_graphs(name, types))]
    if not any(ran):
        pytest.skip(f"Vela leaves these {len(ran)} to the CPU")


def _graphs(name: str, types: Types) -> list[Graph]:
    graphs = typed_graphs([(name, types)], seed=crc32(name.encode()), each=scaled(3, 25))
    return [g for g in graphs if not _overflows(g) and not vela_differs(g)]


def _agrees(graph: Graph, index: int) -> bool:
    rng = np.random.default_rng([13, index])
    compiled = compiled_or_refused(graph.model, ACCELERATORS[index % len(ACCELERATORS)])
    inference = compiled and compiled.inference()
    if inference is None:
        return False
    for _ in range(2):
        inputs = [_small(array) for array in random_inputs(inference.model, rng)]
        wanted, _ = SpecInterpreter(graph).invoke(inputs, ())
        for ours, theirs in zip(inference.run(inputs), wanted, strict=True):
            np.testing.assert_allclose(ours.astype(np.int64), theirs, rtol=0, atol=_steps(graph))
    return True


def _steps(graph: Graph) -> int:
    """Of a SUM the NPU rounds once, TFLM on the way, too."""
    return 1 if graph.nodes[0].op == "SUM" else 0


def _small(array: Array) -> Array:
    return array % SMALL if array.dtype == np.int32 else array
