"""What the examples are trained with: gradients against differences, front end and decoder against the graphs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fixtures.scripts import front_end, gain_control, lstm
from fixtures.scripts.ctc import ctc_gradient, decode
from fixtures.scripts.exact import cos
from fixtures.scripts.examples import speech_recognition, streaming_keyword
from fixtures.scripts.net import Net
from harness.frontends import load
from harness.ir.graph import Graph
from harness.ir.interpreter import run
from harness.quantization.signal import gain
from tests.support.paths import EXAMPLES

STEP = 1e-5


def differences(loss, array: np.ndarray) -> np.ndarray:
    """Gradient of loss() by the elements of an array, which it reads."""
    found = np.zeros_like(array)
    for i in np.ndindex(*array.shape):
        was = array[i]
        array[i] = was + STEP
        above = loss()
        array[i] = was - STEP
        found[i] = (above - loss()) / (2 * STEP)
        array[i] = was
    return found


def test_cosines_without_the_math_library():
    x = np.linspace(-9999, 9999, 20_001)
    assert np.abs(cos(x) - np.cos(x)).max() < 1e-11


def test_ctc_gradient_against_the_sum_over_all_paths():
    logits = np.random.default_rng(0).normal(size=(4, 5, 3))
    labels = np.array([[1, 2, 0], [2, 2, 0], [1, 0, 0], [2, 1, 2]])

    def loss() -> float:
        total = 0.0
        for row, wanted in zip(logits, labels, strict=True):
            y = np.exp(row) / np.exp(row).sum(axis=1, keepdims=True)
            paths = itertools.product(range(3), repeat=len(y))
            fitting = [p for p in paths if decode(np.array(p)) == [k for k in wanted if k]]
            total -= np.log(sum(np.prod([y[t, k] for t, k in enumerate(path)]) for path in fitting))
        return total / len(logits)

    assert np.abs(ctc_gradient(logits, labels) - differences(loss, logits)).max() < 1e-7


def test_lstm_gradient_through_time(monkeypatch):
    for grid in ("activation", "gradient", "weight"):  # which would hide small steps
        monkeypatch.setattr(lstm, grid, lambda x: x)
    net, random = lstm.Lstm(3, 4, 2, seed=1), np.random.default_rng(0)
    x, target = random.normal(size=(2, 5, 3)), random.uniform(size=(2, 5, 2))

    def loss() -> float:
        return float(((net.forward(x)["output"] - target) ** 2).sum() / 2)

    made = net.forward(x)
    y = made["output"]
    found = net.backward(made, (y - target) * y * (1 - y))
    for name, values in net.params.items():
        assert np.abs(found[name] - differences(loss, values)).max() < 1e-7, name


def test_a_network_takes_and_gives_other_units():
    net = Net((6, 1, 3), seed=1)
    net.dense("last", net.conv("first", "input", 4, (3, 1), same=False), 5)
    x = np.random.default_rng(2).uniform(0.5, 1.5, (7, 6, 1, 3))
    wanted = net.forward((x - 1.0) * 4.0)["last"]
    net.take(1.0, 4.0)
    net.give(0.25, 8.0)
    assert np.abs(net.forward(x)["last"] - (wanted / 8.0 + 0.25)).max() < 1e-3


def values_of(graph: Graph, name: str, inputs: list[np.ndarray]) -> np.ndarray:
    """A tensor in every inference of a sequence."""
    index = next(i for i, t in enumerate(graph.tensors) if t.name == name)
    states, found = None, []
    for x in inputs:
        done = run(graph, [x], states)
        states = done.states
        found.append(done.tensors[index])
    return np.stack(found)


def test_features_to_train_on_are_those_that_the_operators_make():
    graph = load(EXAMPLES / "streaming_keyword.tflite")
    sound = streaming_keyword.clip()[: 60 * front_end.STEP]
    steps = list(sound.reshape(-1, 1, front_end.STEP))
    roots = front_end.bands(sound[None])
    assert (values_of(graph, "roots", steps) == roots[0]).all()
    channels = gain_control.controlled(roots)
    assert (values_of(graph, "channels", steps) == channels[0]).all()
    assert (values_of(graph, "logarithms", steps) == front_end.logarithms(channels)[0]).all()
    assert channels.max() > 1000


def test_gains_follow_their_function():
    noise = np.unique(np.round(2.0 ** np.linspace(0, 31.9, 400)).astype(np.int64))
    wanted = np.minimum(2.0**21 * (noise / 128 + 80.0) ** -0.95, 32767)
    found = gain(noise, gain_control.gain_table().astype(np.int64))
    assert np.abs(found - wanted).max() <= 0.01 * 32767
    assert found[:50].min() > 30_000 and found[-50:].max() < 100


@pytest.mark.parametrize("seed", range(3))
def test_the_graph_decodes_as_the_script_does(seed):
    """On a network that was not trained, which says repeats and blanks of all kinds."""
    random = np.random.default_rng(seed)
    net = speech_recognition.network(40)
    x = random.uniform(0, 2, (20, 40, 1, front_end.BANDS))
    values = net.forward(x)
    graph = speech_recognition.decoding(net, values)
    best = next(i for i, t in enumerate(graph.tensors) if t.name == "best")
    seen = 0
    for row in np.random.default_rng(seed).integers(-128, 128, (10, 1, 40, 1, front_end.BANDS)).astype(np.int8):
        done = run(graph, [row])
        labels = done.outputs[0].ravel()
        wanted = decode(done.tensors[best].ravel().astype(np.int64))
        assert [k for k in labels if k] == wanted
        seen += len(wanted)
    assert seen > 20
