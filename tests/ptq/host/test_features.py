"""Features of unlike spread: what int8 loses of them is kept, in numbers that a classifier needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from harness.compression.stacks import forward
from harness.frontends.sklearn import mlp_model
from harness.frontends.tflite.reader import load
from harness.ir.graph import Graph
from harness.ptq.calibration import CalibrationData, DataPart, calibration_of
from harness.ptq.evaluation import accuracy_of, evaluate
from harness.ptq.features import standardised, unlike_features
from harness.ptq.layers import layer_errors
from harness.ptq.scheme import scheme_of
from harness.ptq.search import search
from harness.quantization.types import DType
from harness.validate import vectors

Given = tuple[Graph, CalibrationData, DataPart]


@pytest.fixture(scope="module", params=[(load_breast_cancer, 30, DType.FLOAT32), (load_wine, 12, DType.INT16)])
def given(request: pytest.FixtureRequest) -> tuple[Given, DType]:
    """A perceptron into which a StandardScaler is folded, data to find ranges on, and others to test."""
    load_data, columns, dtype = request.param
    data = load_data()
    order = np.random.default_rng(0).permutation(len(data.data))
    x, labels = data.data[order, :columns].astype(np.float32), data.target[order].astype(np.int64)
    half = len(x) // 2
    scaler = StandardScaler().fit(x[:half])
    mlp = MLPClassifier((12,), solver="lbfgs", max_iter=2000, alpha=1.0, random_state=0)
    graph = load(mlp_model(mlp.fit(scaler.transform(x[:half]), labels[:half]), scaler), name="features")
    shape = graph.tensors[graph.inputs[0]].shape
    rows = vectors.from_arrays([[row.reshape(shape)] for row in x[:half]], graph, "features")
    fitted = calibration_of(replace(rows, labels=labels[:half]), graph)
    return (graph, fitted, DataPart((x[half:].reshape(-1, *shape),), labels[half:])), dtype


def test_auto_keeps_the_accuracy(given: tuple[Given, DType]) -> None:
    (graph, data, test), dtype = given
    found = search(graph, data, [scheme_of(name) for name in ("min-max", "mse+bias+adaptive")])
    assert found.best.scheme.standardise
    assert found.model.graph.tensors[found.model.graph.inputs[0]].dtype is dtype
    wanted = forward(graph, test.inputs)
    floats = accuracy_of(wanted[graph.outputs[0]], test)
    made = evaluate(found.model, forward(found.model.source, test.inputs), test)
    assert floats is not None and floats > 0.9
    assert made.accuracy is not None and made.accuracy >= floats - 0.015
    assert made.worst_sqnr > 15


def test_the_layer_that_loses_them_is_told(given: tuple[Given, DType]) -> None:
    (graph, data, _), _ = given
    found = search(graph, data, [scheme_of("min-max")])
    assert not found.best.scheme.standardise, "one scheme that was asked for is the only one"
    assert layer_errors(found.model, found.floats, data.held)[0].hint.startswith("features: ")


def test_the_function_is_the_same(given: tuple[Given, DType]) -> None:
    (graph, data, test), _ = given
    alike, kinds = standardised(graph, unlike_features(graph, data.fitted.inputs))
    assert len(kinds) == 3
    before, after = (forward(each, test.inputs)[each.outputs[0]] for each in (graph, alike))
    np.testing.assert_allclose(before, after, rtol=1e-2, atol=1e-3)


def test_features_alike_are_left_alone(given: tuple[Given, DType]) -> None:
    (graph, data, _), _ = given
    x = data.fitted.inputs[0]
    assert not unlike_features(graph, [np.random.default_rng(0).uniform(-1, 1, x.shape).astype(np.float32)])
