"""Metrics: each against its formula worked by hand or by plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.ir.graph import Graph, NoAttrs, Node, Tensor
from harness.ir.operators.softmax import SoftmaxAttrs
from harness.quantization.types import DType, Quantization
from harness.report import rows
from harness.validate.classification import accuracy, classify, confusion, dequantize, is_classifier
from harness.validate.metrics import METRICS, OutputPair, measure_agreement
from tests.support.installed import install

REALS = st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=1, max_size=30)


def test_worked_by_hand():
    found = measure_agreement(OutputPair(np.array([[1.0, 3.0]]), np.array([[2.0, 1.0]]), classes=False))
    assert found["acc"] is None
    assert found["rmse"] == pytest.approx(math.sqrt(5 / 2))
    assert found["mae"] == pytest.approx(1.5)
    assert found["l2r"] == pytest.approx(math.sqrt(5) / math.sqrt(10))
    assert found["mean"] == pytest.approx(0.5)
    assert found["std"] == pytest.approx(1.5)
    assert found["nse"] == pytest.approx(1 - 5 / 2)
    assert found["cos"] == pytest.approx(5 / (math.sqrt(10) * math.sqrt(5)))


@given(REALS)
def test_against_plain_python(pairs):
    r, v = [a for a, _ in pairs], [b for _, b in pairs]
    found = measure_agreement(OutputPair(np.array([r]), np.array([v]), classes=False))
    e = [a - b for a, b in pairs]
    n = len(e)
    assert found["rmse"] == pytest.approx(math.sqrt(sum(x * x for x in e) / n), abs=1e-9)
    assert found["mae"] == pytest.approx(sum(map(abs, e)) / n, abs=1e-9)
    assert found["mean"] == pytest.approx(sum(e) / n, abs=1e-9)
    assert found["std"] == pytest.approx(math.sqrt(sum((x - sum(e) / n) ** 2 for x in e) / n), abs=1e-6)


def test_equal_values_are_perfect_and_constants_do_not_divide_by_zero():
    same = measure_agreement(OutputPair(np.zeros((2, 3)), np.zeros((2, 3)), classes=True))
    assert (same["acc"], same["rmse"], same["l2r"], same["nse"], same["cos"]) == (1.0, 0.0, 0.0, 1.0, 1.0)
    off = measure_agreement(OutputPair(np.zeros((1, 3)), np.ones((1, 3)), classes=False))
    assert off["l2r"] == math.inf
    assert off["nse"] == -math.inf
    assert off["cos"] == 0.0


def test_classes_and_confusion():
    scores = np.array([[[0.1, 0.9]], [[0.8, 0.2]], [[0.5, 0.5]]])
    assert classify(scores).tolist() == [1, 0, 0]
    assert classify(np.array([[0.4], [0.6], [0.5]])).tolist() == [0, 1, 0]
    right = np.array([1, 1, 0])
    assert accuracy(classify(scores), right) == pytest.approx(2 / 3)
    assert confusion(classify(scores), right, 2) == [[1, 0], [1, 1]]


def test_dequantize():
    tensor = Tensor("y", (2,), DType.INT8, Quantization((0.5,), (-3,)))
    assert dequantize([np.array([-3, 1], np.int8)], tensor).tolist() == [[0.0, 2.0]]
    real = Tensor("y", (1,), DType.FLOAT32, None)
    assert dequantize([np.array([1.25], np.float32)], real).tolist() == [[1.25]]


def test_a_classifier_ends_in_softmax_or_logistic_maybe_requantized():
    tensors = tuple(Tensor(str(i), (1, 4), DType.INT8, Quantization((1.0,), (0,))) for i in range(3))
    softmax = Node("SOFTMAX", (0,), (1,), SoftmaxAttrs(1.0))
    requantize = Node("QUANTIZE", (1,), (2,), NoAttrs())
    assert is_classifier(Graph("g", tensors, (softmax, requantize), (0,), (2,)), 2)
    relu = Node("RELU", (0,), (1,), NoAttrs())
    assert not is_classifier(Graph("g", tensors, (relu, requantize), (0,), (2,)), 2)


def test_every_metric_of_the_table_is_told_in_its_order():
    assert METRICS.names() == ("acc", "rmse", "mae", "l2r", "mean", "std", "nse", "cos")
    assert tuple(measure_agreement(OutputPair(np.ones((1, 2)), np.ones((1, 2)), classes=True))) == METRICS.names()


def test_a_metric_of_another_package_is_measured_and_shown(tmp_path, monkeypatch):
    code = "import numpy as np\n\n\ndef worst(pair):\n    return float(np.abs(pair.e).max())\n"
    install(tmp_path, "extreme", METRICS.group, "worst = extreme_code:worst", code)
    monkeypatch.syspath_prepend(tmp_path)
    found = measure_agreement(OutputPair(np.array([[1.0, 3.0]]), np.array([[2.0, 1.0]]), classes=False))
    assert found["worst"] == 2.0
    shown = rows.metrics({"verdict": {"outputs": [{"tensor": "y", "metrics": found}]}})
    assert shown.columns == ("output", *METRICS.names()) and METRICS.names()[-1] == "worst"
    assert shown.rows[0][-1] == "2"
