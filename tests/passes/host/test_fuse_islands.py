"""Float32 between a DEQUANTIZE of one 8-bit tensor and a QUANTIZE: one table, with the same outputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.ir.graph import Graph, NoAttrs, Node, Tensor
from harness.ir.interpreter import run
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.verifier import verify
from harness.passes import optimize
from harness.passes.fuse_islands import fuse_islands
from harness.quantization.types import DType, Quantization, Rounding

SHAPE = (2, 128)
FREE = BinaryAttrs(DType.FLOAT32.range)


def hard_swish(*, other: bool = False, rounding: Rounding = Rounding.ONNX, last: str = "MUL") -> Graph:
    """x * min(max(x / 6 + 0.5, 0), 1); `other`: times another input, which no table holds."""
    numbers = [np.array(v, np.float32) for v in (1 / 6, 0.5, 0.0, 1.0)]
    tensors = [
        Tensor("x", SHAPE, DType.INT8, Quantization((0.05,), (3,))),
        Tensor("other", SHAPE, DType.INT8, Quantization((0.05,), (3,))),
        *(Tensor(f"t{i}", SHAPE, DType.FLOAT32) for i in range(7)),
        Tensor("y", SHAPE, DType.INT8, Quantization((0.04,), (-7,))),
        *(Tensor(f"c{i}", (), DType.FLOAT32, None, number) for i, number in enumerate(numbers)),
    ]
    nodes = (
        Node("DEQUANTIZE", (0,), (2,), NoAttrs(), (0,)),
        Node("DEQUANTIZE", (1,), (3,), NoAttrs(), (1,)),
        Node("MUL", (2, 10), (4,), FREE, (2,)),
        Node("ADD", (4, 11), (5,), FREE, (3,)),
        Node("MAXIMUM", (5, 12), (6,), NoAttrs(), (4,)),
        Node("MINIMUM", (6, 13), (7,), NoAttrs(), (5,)),
        Node(last, (7, 3 if other else 2), (8,), FREE if last == "MUL" else NoAttrs(), (6,)),
        Node("QUANTIZE", (8,), (9,), NoAttrs(), (7,), rounding=rounding),
    )
    graph = Graph("g", tuple(tensors), nodes, (0, 1), (9,))
    verify(graph)
    return graph


EVERY = np.arange(-128, 128).astype(np.int8).reshape(SHAPE)


@pytest.mark.parametrize("rounding", list(Rounding))
def test_hard_swish_is_one_table_of_the_same_outputs(rounding):
    graph = hard_swish(rounding=rounding)
    made = optimize(graph)
    assert [node.op for node in made.nodes] == ["TABLE"]
    assert made.nodes[0].rounding is Rounding.TFLM and 7 in made.nodes[0].sources
    np.testing.assert_array_equal(run(made, [EVERY, EVERY]).outputs[0], run(graph, [EVERY, EVERY]).outputs[0])


def test_two_bytes_are_none():
    graph = hard_swish(other=True)
    assert fuse_islands(graph).nodes == graph.nodes


def test_what_changes_places_is_none():
    graph = hard_swish()
    tensors = (*graph.tensors[:10], *(replace(t, shape=(128,), data=None) for t in graph.tensors[10:11]))
    row = replace(tensors[10], data=np.arange(128, dtype=np.float32))
    graph = replace(graph, tensors=(*tensors[:10], row, *graph.tensors[11:]))
    assert fuse_islands(graph).nodes == graph.nodes, "a constant of several values is another function at each place"


def test_floats_that_are_not_tflms_bit_for_bit_stay_layers_where_tflm_is_the_reference():
    x, y = Quantization((0.05,), (3,)), Quantization((0.01,), (0,))
    tensors = (
        Tensor("x", SHAPE, DType.INT8, x),
        Tensor("a", SHAPE, DType.FLOAT32),
        Tensor("b", SHAPE, DType.FLOAT32),
        Tensor("y", SHAPE, DType.INT8, y),
    )
    for rounding, ops in ((Rounding.TFLM, ["DEQUANTIZE", "EXP", "QUANTIZE"]), (Rounding.ONNX, ["TABLE"])):
        nodes = (
            Node("DEQUANTIZE", (0,), (1,), NoAttrs(), (0,)),
            Node("EXP", (1,), (2,), NoAttrs(), (1,)),
            Node("QUANTIZE", (2,), (3,), NoAttrs(), (2,), rounding=rounding),
        )
        graph = Graph("g", tensors, nodes, (0,), (3,))
        made = optimize(graph)
        assert [node.op for node in made.nodes] == ops
        np.testing.assert_array_equal(run(made, [EVERY]).outputs[0], run(graph, [EVERY]).outputs[0])
