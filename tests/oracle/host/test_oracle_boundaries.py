"""Sums beside rounding boundaries: there the specification's constants must be TFLM's to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from harness.ir.graph import Graph, NoAttrs
from harness.ir.operators.binary import BinaryAttrs
from harness.oracle import open_oracle
from harness.quantization.types import Array, DType, Quantization
from tests.support.boundaries import CLAMP, LAYERS, boundary_layer
from tests.support.draft import Draft, pick
from tests.support.scale import scaled


def outputs(name: str, graph: Graph, vector: list[Array]) -> Array:
    with open_oracle(name, graph) as session:
        return session.invoke(vector).outputs[0]


@pytest.mark.parametrize("op", LAYERS)
@pytest.mark.parametrize("per_channel", [False, True], ids=["per-tensor", "per-channel"])
def test_sums_round_as_in_tflm(op: str, per_channel: bool) -> None:
    for number in range(scaled(20, 200)):
        graph = boundary_layer(np.random.default_rng([21, number]), op, per_channel)
        vector = [np.zeros(graph.tensors[graph.inputs[0]].shape, np.int8)]
        ours, theirs = outputs("spec", graph, vector), outputs("tflm", graph, vector)
        assert len(np.unique(theirs)) > 200
        np.testing.assert_array_equal(ours, theirs, f"example {number}")


@pytest.mark.parametrize("op", ["ADD", "MUL"])
def test_all_pairs_of_operands_are_as_in_tflm(op: str) -> None:
    every = np.arange(-128, 128).astype(np.int8)
    pairs = [a.reshape(1, -1) for a in np.meshgrid(every, every)]
    for number in range(scaled(10, 200)):
        rng = np.random.default_rng([22, number])
        draft = Draft(rng)
        a, b = (draft.input(pairs[0].shape) for _ in range(2))
        a_scale, b_scale = draft.quant(a).scale, draft.quant(b).scale
        # Of about the range of the results, so that most of them are inside.
        y_scale = a_scale * b_scale * 128 if op == "MUL" else a_scale + b_scale
        y = draft.tensor(pairs[0].shape, Quantization((float(np.float32(y_scale)),), (pick(rng, -20, 0, 33),)))
        draft.node(op, (a, b), (y,), BinaryAttrs(CLAMP))
        graph = draft.finish(op.lower(), (y,))
        np.testing.assert_array_equal(outputs("spec", graph, pairs), outputs("tflm", graph, pairs), f"example {number}")


@pytest.mark.parametrize("to", [DType.INT8, DType.INT16])
def test_all_values_of_int16_requantize_as_in_tflm(to: DType) -> None:
    every = np.arange(-(1 << 15), 1 << 15).astype(np.int16).reshape(1, -1)
    for number in range(scaled(10, 200)):
        rng = np.random.default_rng([23, number])
        draft = Draft(rng)
        x = draft.input(every.shape, None, DType.INT16)
        low, high = to.range
        y_scale = float(np.float32(draft.quant(x).scale * (1 << 16) / (high - low) * rng.uniform(0.9, 1.5)))
        y = draft.tensor(every.shape, Quantization((y_scale,), (0,)), to)
        draft.node("QUANTIZE", (x,), (y,), NoAttrs())
        graph = draft.finish("quantize", (y,))
        np.testing.assert_array_equal(outputs("spec", graph, [every]), outputs("tflm", graph, [every]))
