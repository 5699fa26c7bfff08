"""Variable tensors of a .tflite become states of the operators that keep them; others are refused."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import TinyhilError
from harness.frontends.tflite import reader as tflite
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.operators.lstm import LstmAttrs
from harness.ir.operators.svdf import SvdfAttrs
from harness.ir.operators.tflite import OperatorDraft
from harness.oracle import open_oracle
from harness.quantization.types import Quantization
from tests.support.draft import values

HELD = Quantization((0.03,), (-7,))
WEIGHTS = Quantization((0.01,), (0,))


def svdf_file(*, variable: bool = True, data: bool = False, again: bool = False, output: bool = False) -> bytes:
    """One SVDF of two filters over three steps; `again`: a second one that keeps the same state."""
    rng = np.random.default_rng(3)
    main = SubgraphDraft("main", (0,), (1,))
    main.add(TensorDraft("x", (1, 4), "int8", Quantization((0.5,), (3,))))
    main.add(TensorDraft("y", (1, 2), "int8", Quantization((0.02,), (1,))))
    w = main.constant("w", rng.integers(-9, 9, (2, 4)).astype(np.int8), WEIGHTS)
    t = main.constant("t", rng.integers(-99, 99, (2, 3)).astype(np.int8), WEIGHTS)
    b = main.constant("b", np.array([40, -70], np.int32), Quantization((0.0003,), (0,)))
    held = np.zeros((1, 6), np.int8) if data else None
    state = main.add(TensorDraft("memory", (1, 6), "int8", HELD, held, variable))
    fields = {"Rank": 1, "FusedActivationFunction": 1}
    main.operators.append(OperatorDraft("SVDF", (0, w, t, b, state), (1,), "SVDF", fields))
    if again:
        z = main.add(TensorDraft("z", (1, 2), "int8", Quantization((0.02,), (1,))))
        main.operators.append(OperatorDraft("SVDF", (0, w, t, b, state), (z,), "SVDF", fields))
        main.outputs = (1, z)
    if output:
        main.outputs = (1, state)
    return serialize([main])


def test_a_variable_tensor_is_a_state_that_starts_at_its_zero_point() -> None:
    graph = tflite.load(svdf_file())
    (node,) = graph.nodes
    assert node.states == (0,) and node.attrs == SvdfAttrs(1, (-128, 127))
    assert graph.states[0].name == "memory" and graph.states[0].initial.tolist() == [[-7] * 6]
    assert all(tensor.name != "memory" for tensor in graph.tensors)


def test_two_operators_that_keep_one_state_change_it_in_turn() -> None:
    graph = tflite.load(svdf_file(again=True))
    assert [node.states for node in graph.nodes] == [(0,), (0,)] and len(graph.states) == 1
    rng = np.random.default_rng(0)
    with open_oracle("spec", graph) as spec, open_oracle("tflm", graph) as tflm:
        for _ in range(6):
            x = [values(rng, (1, 4), graph.tensors[graph.inputs[0]].dtype)]
            for ours, theirs in zip(spec.invoke(x).outputs, tflm.invoke(x).outputs, strict=True):
                np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (svdf_file(variable=False), "states in tensors that are no variables x1"),
        (svdf_file(data=True), "states that are constants x1"),
        (svdf_file(output=True), "variable tensors"),
    ],
)
def test_states_that_are_none_are_refused(data: bytes, what: str) -> None:
    with pytest.raises(TinyhilError, match=what):
        tflite.load(data)


def lstm_file(changed: dict[int, str], **fields: object) -> bytes:
    """An LSTM of two units; `changed` has other inputs by position: "absent", or "weights" where none should be."""
    main = SubgraphDraft("main", (0,), (1,))
    main.add(TensorDraft("x", (1, 2, 3), "int8", HELD))
    main.add(TensorDraft("y", (1, 2, 2), "int8", HELD))
    inputs = [0] + [-1] * 23
    for i in range(1, 9):
        inputs[i] = main.constant(f"w{i}", np.ones((2, 3 if i < 5 else 2), np.int8), WEIGHTS)
    for i in range(12, 16):
        inputs[i] = main.constant(f"b{i}", np.zeros(2, np.int32), Quantization((0.0003,), (0,)))
    inputs[18] = main.add(TensorDraft("hidden", (1, 2), "int8", HELD, variable=True))
    cell = Quantization((2.0**-11,), (0,))
    inputs[19] = main.add(TensorDraft("cell", (1, 2), "int16", cell, variable=True))
    for i, kind in changed.items():
        inputs[i] = -1 if kind == "absent" else inputs[6]
    options = {"FusedActivationFunction": 4, "CellClip": 2.5, "TimeMajor": False, **fields}
    name = "UNIDIRECTIONAL_SEQUENCE_LSTM"
    main.operators.append(OperatorDraft(name, tuple(inputs), (1,), "UnidirectionalSequenceLSTM", options))
    return serialize([main])


def test_an_lstm_keeps_its_hidden_and_its_cell_state() -> None:
    graph = tflite.load(lstm_file({}))
    (node,) = graph.nodes
    assert node.attrs == LstmAttrs(2.5, time_major=False) and len(node.inputs) == 13
    assert [graph.states[i].name for i in node.states] == ["hidden", "cell"]
    assert graph.states[0].initial.tolist() == [[-7, -7]] and graph.states[1].initial.tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("changed", "fields", "what"),
    [
        ({9: "weights"}, {}, "peephole weights"),
        ({16: "weights"}, {}, "a projection"),
        ({20: "weights"}, {}, "layer normalization"),
        ({1: "absent", 5: "absent", 12: "absent"}, {}, "coupled input and forget gates"),
        ({}, {"FusedActivationFunction": 1}, "fused activation RELU instead of TANH"),
        ({}, {"DiagonalRecurrentTensors": True}, "diagonal recurrent weights"),
        ({18: "absent"}, {}, "without its states"),
        ({7: "absent"}, {}, "input 7 of UNIDIRECTIONAL_SEQUENCE_LSTM is absent"),
    ],
)
def test_other_lstms_are_refused_by_name(changed: dict[int, str], fields: dict[str, object], what: str) -> None:
    with pytest.raises(TinyhilError, match=what):
        tflite.load(lstm_file(changed, **fields))
