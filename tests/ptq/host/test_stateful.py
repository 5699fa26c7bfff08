"""Layers that keep a state: vectors are one sequence, and the integers follow the floats through it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compression.stacks import forward
from harness.frontends.tflite.reader import load
from harness.frontends.tflite.states import initial_of
from harness.frontends.tflite.writer import write
from harness.ir.graph import Graph, State
from harness.ir.interpreter import run
from harness.ir.operators.joining import ConcatAttrs
from harness.ir.operators.lstm import LstmAttrs
from harness.ir.operators.svdf import SvdfAttrs
from harness.ptq.calibration import DataPart, calibration_of
from harness.ptq.evaluation import evaluate
from harness.ptq.quantizer import Quantizer
from harness.ptq.scales import ScalesError
from harness.ptq.scheme import scheme_of
from harness.quantization.types import Clamp, DType
from harness.validate import vectors
from tests.support.draft import Draft
from tests.support.scale import scaled

KINDS = ("UNIDIRECTIONAL_SEQUENCE_LSTM", "SVDF")
_NONE: Clamp = DType.FLOAT32.range
_RELU: Clamp = (0, DType.FLOAT32.range[1])
STEPS = 40


def _state(draft: Draft, *shape: int) -> int:
    draft.states.append(State(f"s{len(draft.states)}", DType.FLOAT32, initial_of(shape, DType.FLOAT32, None)))
    return len(draft.states) - 1


def layer(draft: Draft, kind: str, clamp: Clamp = _NONE) -> tuple[int, int]:
    """(x, y) of a float layer with weights of sizes as training leaves them."""
    rng = draft.rng
    depth, units = (int(n) for n in rng.integers(2, 12, 2))

    def drawn(*shape: int) -> int:
        return draft.constant(rng.normal(0, 1 / np.sqrt(shape[-1]), shape).astype(np.float32), None)

    if kind == "SVDF":
        rank, memory = (int(n) for n in rng.integers(1, 6, 2))
        x = draft.input((1, depth), dtype=DType.FLOAT32)
        weights = (drawn(units * rank, depth), drawn(units * rank, memory), drawn(units))
        y = draft.tensor((1, units), None, DType.FLOAT32)
        states = (_state(draft, 1, units * rank * memory),)
        return x, draft.node(kind, (x, *weights), (y,), SvdfAttrs(rank, clamp), states)
    time = int(rng.integers(1, 8))
    x = draft.input((1, time, depth), dtype=DType.FLOAT32)
    weights = (*(drawn(units, depth) for _ in range(4)), *(drawn(units, units) for _ in range(4)))
    weights += tuple(drawn(units) for _ in range(4))
    y = draft.tensor((1, time, units), None, DType.FLOAT32)
    attrs = LstmAttrs(float(rng.integers(2) * 5), bool(rng.integers(2)) and time == 1)
    return x, draft.node(kind, (x, *weights), (y,), attrs, (_state(draft, 1, units), _state(draft, 1, units)))


def _network(seed: int, kind: str, clamp: Clamp = _NONE) -> Graph:
    draft = Draft(np.random.default_rng(seed))
    _, y = layer(draft, kind, clamp)
    return load(write(draft.finish("stateful", (y,))), name="stateful")


def _walk(graph: Graph, seed: int, count: int = STEPS) -> tuple[np.ndarray, ...]:  # type: ignore[type-arg]
    """A sequence in which each vector is near the one before it."""
    rng = np.random.default_rng(seed)
    shape = graph.tensors[graph.inputs[0]].shape
    return (np.cumsum(rng.normal(0, 0.4, (count, *shape)), axis=0).astype(np.float32),)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=scaled(4, 300), deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_stack_is_one_sequence(kind: str, seed: int) -> None:
    graph = _network(seed, kind)
    inputs = _walk(graph, seed, 5)
    stacks, states = forward(graph, inputs), None
    for index in range(5):
        wanted = run(graph, [inputs[0][index]], states)
        states = wanted.states
        np.testing.assert_array_equal(stacks[graph.outputs[0]][index], wanted.outputs[0])


@pytest.mark.parametrize(("scheme", "least"), [("min-max", 20.0), ("mse+weights", 15.0), ("min-max+16x8", 28.0)])
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=scaled(3, 300), deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_integers_follow_the_floats_by_tflm(kind: str, scheme: str, least: float, seed: int) -> None:
    graph = _network(seed, kind, _RELU if seed % 2 else _NONE)
    inputs = _walk(graph, seed)
    made = Quantizer(graph, inputs).quantize(scheme_of(scheme))
    found = evaluate(made, forward(made.source, inputs), DataPart(inputs, None))
    assert found.oracle.startswith("tflm")
    stays = scheme.endswith("16x8") and kind == "SVDF"  # TFLM has no such form
    assert made.floats == ({kind: 1} if stays else {})
    assert {state.dtype for state in made.graph.states} & {DType.FLOAT32} == ({DType.FLOAT32} if stays else set())
    assert found.worst_sqnr > least


def test_the_end_of_a_sequence_is_kept_back() -> None:
    graph = _network(1, "SVDF")
    (rows,) = _walk(graph, 1)
    data = calibration_of(vectors.from_arrays([[row] for row in rows], graph, "walk"), graph)
    np.testing.assert_array_equal(data.fitted.inputs[0], rows[: STEPS * 3 // 4])
    np.testing.assert_array_equal(data.held.inputs[0], rows[STEPS * 3 // 4 :])


def test_an_activation_that_tflm_leaves_out_is_refused() -> None:
    """The output shares its scale with negative numbers, beyond RELU: TFLM's int8 SVDF would give them."""
    draft = Draft(np.random.default_rng(3))
    _, y = layer(draft, "SVDF", _RELU)
    other = draft.input(draft.shape(y), dtype=DType.FLOAT32)
    joined = draft.tensor((1, 2 * draft.shape(y)[1]), None, DType.FLOAT32)
    draft.node("CONCATENATION", (y, other), (joined,), ConcatAttrs(1, _NONE))
    graph = load(write(draft.finish("joined", (joined,))), name="joined")
    (rows,) = _walk(graph, 3)
    below = -np.ones((STEPS, *graph.tensors[graph.inputs[1]].shape), np.float32)
    with pytest.raises(ScalesError, match="SVDF with an activation"):
        Quantizer(graph, (rows, below)).quantize(scheme_of("min-max"))
