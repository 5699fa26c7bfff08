"""Random networks of one operator, compiled by Vela, compute what the specifications compute, byte for byte.

The specifications equal TFLM (tests/ir). Where what Vela emits says something else than the model, the graph is left
out, with the reason; that it is Vela who differs can be read in the stream, and docs/ethos-u.md has how.
"""

from __future__ import annotations

from collections.abc import Callable
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


def _grouped(graph: Graph) -> bool:
    node = graph.nodes[0]
    return node.op == "CONV_2D" and graph.tensors[node.inputs[0]].shape[-1] != graph.tensors[node.inputs[1]].shape[-1]


def _extremes(graph: Graph) -> bool:
    attrs = graph.nodes[0].attrs
    return graph.nodes[0].op in ("REDUCE_MAX", "REDUCE_MIN") and (len(attrs.axes) > 1 or not attrs.keep_dims)


def _sums_over_several_axes(graph: Graph) -> bool:
    return graph.nodes[0].op == "SUM" and len(graph.nodes[0].attrs.axes) > 1


def _mirrored_channels(graph: Graph) -> bool:
    node = graph.nodes[0]
    return node.op == "MIRROR_PAD" and any(node.attrs.paddings[-1])


VELA_DIFFERS: dict[str, Callable[[Graph], bool]] = {
    "SAME padding of a grouped convolution goes below and to the right": _grouped,
    "extremes over several axes reduce fewer, and those that drop their axes mistake the shape": _extremes,
    "SUM over several axes sums fewer": _sums_over_several_axes,
    "MIRROR_PAD of the last axis leaves out what it should mirror": _mirrored_channels,
    "RSQRT of int16 is a table with straight lines between": lambda g: (
        any(n.op == "RSQRT" for n in g.nodes) and g.tensors[g.inputs[0]].dtype is DType.INT16
    ),
    "LEAKY_RELU of int16 takes a maximum of two products": lambda g: (
        g.nodes[0].op == "LEAKY_RELU" and g.tensors[g.inputs[0]].dtype is DType.INT16
    ),
}


@pytest.mark.parametrize("number", range(len(WANTED)), ids=[f"{name}-{types.x.value}" for name, types in WANTED])
def test_outputs_are_those_of_the_specification(number: int) -> None:
    name, types = WANTED[number]
    ran = [_agrees(graph, index) for index, graph in enumerate(_graphs(name, types))]
    if not any(ran):
        pytest.skip(f"Vela leaves these {len(ran)} to the CPU")


def _graphs(name: str, types: Types) -> list[Graph]:
    graphs = typed_graphs([(name, types)], seed=crc32(name.encode()), each=scaled(3, 25))
    return [g for g in graphs if not _overflows(g) and not any(differs(g) for differs in VELA_DIFFERS.values())]


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
