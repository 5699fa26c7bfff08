"""Weights of int4, two a byte, are int8 weights to everything behind the reader; TFLM takes them the same way."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import ModelFileError, UnsupportedModelError
from harness.frontends.tflite import reader
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.interpreter import run
from harness.ir.operators.tflite import OperatorDraft
from harness.oracle import open_oracle
from harness.quantization.types import Array, Quantization
from tests.support.compiled import check_on_board
from tests.support.generated import random_inputs

Q, OUT = Quantization((0.5,), (3,)), Quantization((1.0,), (-2,))
SHAPES = {
    "CONV_2D": ((1, 3, 3, 3), (5, 3, 1, 3), (1, 3, 3, 5)),
    "DEPTHWISE_CONV_2D": ((1, 3, 3, 5), (1, 3, 1, 5), (1, 3, 3, 5)),
    "FULLY_CONNECTED": ((2, 7), (5, 7), (2, 5)),
}
OPTIONS = {"CONV_2D": "Conv2D", "DEPTHWISE_CONV_2D": "DepthwiseConv2D", "FULLY_CONNECTED": "FullyConnected"}


def packed(values: Array) -> Array:
    flat = np.append(values.reshape(-1), np.zeros(values.size % 2, np.int8)).astype(np.uint8) & 15
    return (flat[::2] | (flat[1::2] << 4)).astype(np.uint8)


def model(op: str, values: Array, kind: str = "int4", *, cut: int = 0) -> bytes:
    x, w, y = SHAPES[op]
    main = SubgraphDraft("main", (0,), (1,))
    main.add(TensorDraft("x", x, "int8", Q))
    main.add(TensorDraft("y", y, "int8", OUT))
    axis = 3 if op == "DEPTHWISE_CONV_2D" else 0
    quant = Quantization((0.1, 0.2, 0.3, 0.4, 0.5), (0,) * 5, axis)
    if op == "FULLY_CONNECTED":
        quant = Quantization((0.2,), (0,))  # TFLM takes no scales per channel there
    data = packed(values) if kind == "int4" else values
    main.add(TensorDraft("w", w, kind, quant, data[: len(data) - cut] if cut else data))
    fields = {} if op == "FULLY_CONNECTED" else {"StrideH": 1, "StrideW": 1}
    fields |= {"DepthMultiplier": 1} if op == "DEPTHWISE_CONV_2D" else {}
    main.operators.append(OperatorDraft(op, (0, 2), (1,), OPTIONS[op], fields))
    return serialize([main])


@pytest.mark.parametrize("op", SHAPES)
def test_int4_weights_are_computed_as_tflm_does(op: str) -> None:
    values = np.random.default_rng(3).integers(-8, 8, SHAPES[op][1]).astype(np.int8)
    graph = reader.load(model(op, values))
    np.testing.assert_array_equal(graph.tensors[graph.nodes[0].inputs[1]].data, values)
    with open_oracle("tflm", graph, isolated=True) as oracle:
        for vector in random_inputs(graph, np.random.default_rng(7), 5):
            np.testing.assert_array_equal(run(graph, vector).outputs[0], oracle.invoke(vector).outputs[0])
    assert check_on_board([graph], "host") > 0


def test_packed_weights_of_another_length_are_a_damaged_file() -> None:
    values = np.zeros(SHAPES["FULLY_CONNECTED"][1], np.int8)
    with pytest.raises(ModelFileError, match="17 bytes of data for shape .* of int4"):
        reader.load(model("FULLY_CONNECTED", values, cut=1))


def test_int4_elsewhere_is_refused_by_name() -> None:
    main = SubgraphDraft("main", (0,), (1,))
    main.add(TensorDraft("x", (1, 4), "int4", Q))
    main.add(TensorDraft("y", (1, 4), "int8", OUT))
    main.operators.append(OperatorDraft("RELU", (0,), (1,)))
    with pytest.raises(UnsupportedModelError, match="int4"):
        reader.load(serialize([main]))
