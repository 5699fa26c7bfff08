"""The models the project ships: they load, they are what their scripts make, and they are good at their task."""

from __future__ import annotations

import os

import numpy as np
import pytest

from fixtures.scripts.exact import exp, sigmoid, softmax
from fixtures.scripts.models import FIXTURES as MAKERS
from harness.frontends import load
from harness.oracle import open_oracle
from harness.validate.card import load_card
from harness.validate.vectors import load as load_vectors
from tests.support.paths import FIXTURES

# Training takes seconds; the largest only in the long suite.
REMADE = [name for name in MAKERS if name not in ("residual", "digits") or os.environ.get("TINYHIL_LONG") == "1"]


@pytest.mark.parametrize("name", MAKERS)
def test_fixtures_load_with_card_and_vectors(name):
    card = load_card(FIXTURES / f"{name}.hil.yaml")
    graph = load(card.model)
    vectors = load_vectors(card.vectors, graph, card.base)
    assert len(vectors) >= 100
    assert (vectors.labels is None) == (name == "stream")
    assert len(card.model.read_bytes()) < 50_000


def test_fixtures_cover_most_operators():
    kinds = {node.op for name in MAKERS for node in load(FIXTURES / f"{name}.tflite").nodes}
    assert kinds >= {
        *("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MAX_POOL_2D", "AVERAGE_POOL_2D", "MEAN", "ADD", "MUL"),
        *("PAD", "CONCATENATION", "LOGISTIC", "SOFTMAX", "RESHAPE", "STRIDED_SLICE", "QUANTIZE"),
        *("READ_VARIABLE", "ASSIGN_VARIABLE"),
    }
    assert load(FIXTURES / "stream.tflite").states


@pytest.mark.parametrize("name", ["digits", "residual"])
def test_classifiers_are_right_on_images_they_never_saw(name):
    graph = load(FIXTURES / f"{name}.tflite")
    card = load_card(FIXTURES / f"{name}.hil.yaml")
    vectors = load_vectors(card.vectors, graph, card.base)
    with open_oracle("tflm", graph) as oracle:
        right = [
            oracle.invoke(x).outputs[0].argmax() == label
            for x, label in zip(vectors.inputs, vectors.labels, strict=True)
        ]
    assert np.mean(right) >= 0.96


def test_the_stream_sees_the_threes_and_nothing_else():
    """Vectors are the first 25 held-out digits, one row a step: the answer after a digit's last row is the one."""
    from fixtures.scripts.models import digits_data

    (_, _), (_, labels) = digits_data()
    graph = load(FIXTURES / "stream.tflite")
    card = load_card(FIXTURES / "stream.hil.yaml")
    with open_oracle("tflm", graph) as oracle:
        vectors = load_vectors(card.vectors, graph, card.base)
        chances = [int(oracle.invoke(x).outputs[0].item()) for x in vectors.inputs]
    found = np.array(chances[7::8]) > 128
    assert (found == (labels[:25] == 3)).all() and found.any()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", REMADE)
def test_scripts_make_the_same_bytes_again(name):
    fixture = MAKERS[name]()
    assert fixture.model == (FIXTURES / f"{name}.tflite").read_bytes()
    with np.load(FIXTURES / f"{name}_vectors.npz") as shipped:
        assert set(shipped.files) == set(fixture.vectors)
        assert all(np.array_equal(shipped[key], values) for key, values in fixture.vectors.items())


def test_training_arithmetic_is_right():
    x = np.linspace(-30, 30, 4001)
    assert np.allclose(exp(x), np.exp(x), rtol=1e-12)
    assert np.allclose(sigmoid(x), 1 / (1 + np.exp(-x)), rtol=1e-12)
    rows = x[:4000].reshape(-1, 10) / 5
    e = np.exp(rows - rows.max(axis=1, keepdims=True))
    assert np.allclose(softmax(rows), e / e.sum(axis=1, keepdims=True), atol=1e-8)
