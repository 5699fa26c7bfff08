"""uint8 models as int8 ones: LiteRT, which takes both, computes the same 128 less; TFLM takes the int8 one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.errors import OracleError, UnsupportedModelError
from harness.frontends.tflite import reader
from harness.frontends.tflite.legacy import as_int8
from harness.frontends.tflite.writer import write
from harness.ir.graph import Graph, NoAttrs, Node, Tensor
from harness.ir.interpreter import run
from harness.ir.operators import OPERATORS
from harness.ir.operators.traits import Trait
from harness.ir.window import ConvAttrs, Pads
from harness.oracle import ORACLES, open_oracle
from harness.quantization.types import DType, Quantization
from tests.support.generated import random_graph, random_inputs

OPS = (
    *("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "MAX_POOL_2D", "RELU", "RELU6"),
    *(
        "SOFTMAX",
        "LOGISTIC",
        "TANH",
        "PAD",
        "CONCATENATION",
        "MAXIMUM",
        "MINIMUM",
        "SPLIT",
        "STRIDED_SLICE",
        "TRANSPOSE",
    ),
)


def legacy(tensor: Tensor) -> Tensor:
    """A tensor of int8 as one of uint8; weights with one scale."""
    if tensor.dtype is not DType.INT8 or tensor.quant is None:
        return tensor
    quant = Quantization(tensor.q.scales[:1], (tensor.q.zero_point + 128,))
    data = None if tensor.data is None else (tensor.data.astype(np.int16) + 128).astype(np.uint8)
    return replace(tensor, dtype=DType.UINT8, quant=quant, data=data)


def legacy_graph(rng: np.random.Generator, op: str) -> Graph:
    """A graph of uint8, of one node, of which LiteRT makes what TFLM makes of int8."""
    while True:
        graph = random_graph(rng, op)
        node = graph.nodes[-1]
        of_bytes = all(graph.tensors[t].dtype is DType.INT8 for t in (node.inputs[0], *node.outputs))
        if len(graph.nodes) > 1 or not of_bytes:
            continue
        tensors = [legacy(t) for t in graph.tensors]
        if OPERATORS[node.op].has(Trait.WEIGHTS):
            if node.inputs[-1] == -1 or len(node.inputs) < 3 or graph.tensors[node.inputs[1]].shape[-1] < 1:
                continue
            x, w, b = (tensors[t] for t in node.inputs)
            product = float(np.float32(np.float32(x.q.scale) * np.float32(w.q.scale)))
            tensors[node.inputs[2]] = replace(b, quant=Quantization((product,), (0,)))
        attrs = node.attrs
        if hasattr(attrs, "clamp"):
            attrs = replace(attrs, clamp=tuple(end + 128 for end in attrs.clamp))
        if hasattr(attrs, "value"):
            attrs = replace(attrs, value=attrs.value + 128)
        made = replace(graph, tensors=tuple(tensors), nodes=(replace(node, attrs=attrs),))
        return replace(made, model=write(made))


@pytest.mark.parametrize("op", OPS)
def test_int8_models_give_what_uint8_ones_give(op: str) -> None:
    rng, compared = np.random.default_rng(OPS.index(op)), 0
    interpret = ORACLES.get("litert-ref").interpret
    assert interpret is not None
    for _ in range(12):
        old = legacy_graph(rng, op)
        graph = reader.load(old.model)
        try:
            theirs = interpret(old.model)
        except OracleError:  # LiteRT takes no groups
            continue
        new = interpret(graph.model)
        assert all(t.dtype is not DType.UINT8 for t in graph.tensors)
        for vector in random_inputs(graph, rng, 2):
            before = [(v.astype(np.int16) + 128).astype(np.uint8) for v in vector]
            wanted = theirs.invoke(before, ())[0]
            for a, b in zip(wanted, new.invoke(vector, ())[0], strict=True):
                np.testing.assert_array_equal(a.astype(np.int16) - 128, b.astype(np.int16), err_msg=op)
            with open_oracle("tflm", graph) as tflm:
                for ours, b in zip(run(graph, vector).outputs, tflm.invoke(vector).outputs, strict=True):
                    np.testing.assert_array_equal(ours, b)
            compared += 1
    assert compared >= 6


def layer(points: tuple[int, int], low: int, high: int) -> Graph:
    """A CONV_2D of uint8, its weights from `low` to `high`; zero points of x and of the weights."""
    x = Tensor("x", (1, 2, 2, 1), DType.UINT8, Quantization((0.5,), (points[0],)), source=0)
    data = np.linspace(low, high, 4).astype(np.uint8).reshape(1, 2, 2, 1)
    w = Tensor("w", (1, 2, 2, 1), DType.UINT8, Quantization((0.1,), (points[1],)), data, source=1)
    b = Tensor("b", (1,), DType.INT32, Quantization((0.05,), (0,)), np.array([7], np.int32), source=2)
    y = Tensor("y", (1, 1, 1, 1), DType.UINT8, Quantization((2.0,), (9,)), source=3)
    node = Node("CONV_2D", (0, 1, 2), (3,), ConvAttrs((1, 1), (1, 1), Pads(), (0, 255)))
    graph = Graph("conv", (x, w, b, y), (node,), (0,), (3,))
    return replace(graph, model=write(graph))


def test_weights_lose_their_zero_point_where_int8_holds_them() -> None:
    graph = reader.load(layer((3, 90), 0, 217).model)
    w = graph.tensors[graph.nodes[0].inputs[1]]
    assert (w.q.zero_point, int(w.data.min()), int(w.data.max())) == (0, -90, 127)
    assert graph.tensors[graph.inputs[0]].q.zero_point == 3 - 128


def test_weights_that_leave_int8_are_refused_by_name() -> None:
    with pytest.raises(
        UnsupportedModelError, match="CONV_2D with weights of zero point 90, less which they leave int8"
    ):
        reader.load(layer((3, 90), 0, 218).model)


@pytest.mark.parametrize("op", ["MEAN", "HARD_SWISH", "LEAKY_RELU"])
def test_what_rounds_by_the_sign_of_integers_is_refused_by_name(op: str) -> None:
    with pytest.raises(UnsupportedModelError, match=f"{op} of uint8"):
        reader.load(legacy_graph(np.random.default_rng(1), op).model)


def test_bytes_that_are_quantized_from_are_left_alone() -> None:
    """An input of uint8 that QUANTIZE makes int8 is what tinyhil computes as it is."""
    x = Tensor("x", (1, 4), DType.UINT8, Quantization((0.5,), (128,)), source=0)
    y = Tensor("y", (1, 4), DType.INT8, Quantization((0.5,), (0,)), source=1)
    data = write(Graph("q", (x, y), (Node("QUANTIZE", (0,), (1,), NoAttrs()),), (0,), (1,)))
    assert as_int8(data, "model") == data
