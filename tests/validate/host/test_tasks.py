"""How well a model does its task: areas under ROC curves, errors against targets, label error rates, their checks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import CardError, VectorsError
from harness.ir.graph import Graph, Tensor
from harness.quantization.types import DType, Quantization
from harness.validate.card import RandomVectors, load_card
from harness.validate.checks import check_names
from harness.validate.checks.result import Status
from harness.validate.checks.task import check_task
from harness.validate.options import Options, apply_options
from harness.validate.tasks import auc, edit_distance, label_error_rate, rmse, scores_of
from harness.validate.truth import check_truth
from harness.validate.vectors import load
from harness.validate.workbench import Workbench
from tests.support.paths import EXAMPLES


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auc_is_the_share_of_pairs_in_order(rows):
    labels, scores = np.array([int(b) for _, b in rows]), np.array([float(a) for a, _ in rows])
    pairs = [(a > b) + (a == b) / 2 for a in scores[labels == 1] for b in scores[labels == 0]]
    if pairs:
        assert auc(scores, labels) == pytest.approx(np.mean(pairs))


def test_auc_of_perfect_and_of_useless_scores():
    labels = np.array([0, 0, 1, 1])
    assert auc(np.array([0.1, 0.2, 0.3, 0.4]), labels) == 1.0
    assert auc(np.array([0.4, 0.3, 0.2, 0.1]), labels) == 0.0
    assert auc(np.zeros(4), labels) == 0.5


def test_the_score_is_the_value_the_second_of_two_or_what_an_autoencoder_cannot_repeat():
    inputs = np.array([[[1.0, 2.0, 3.0]], [[0.0, 0.0, 0.0]]])
    assert scores_of(np.array([[0.25], [0.5]]), inputs).tolist() == [0.25, 0.5]
    assert scores_of(np.array([[0.9, 0.1], [0.2, 0.8]]), inputs).tolist() == [0.1, 0.8]
    assert scores_of(np.array([[1.0, 2.0, 6.0], [0.0, 0.0, 0.0]]), inputs).tolist() == [3.0, 0.0]


def test_rmse_by_hand():
    assert rmse(np.array([[[1.0, 2.0]], [[3.0, 4.0]]]), np.array([[1.0, 4.0], [3.0, 4.0]])) == pytest.approx(1.0)


def distance(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    if not a or not b:
        return len(a) + len(b)
    return min(distance(a[1:], b) + 1, distance(a, b[1:]) + 1, distance(a[1:], b[1:]) + (a[0] != b[0]))


LABELS = st.lists(st.integers(1, 3), max_size=5)


@settings(deadline=None)  # a busy machine is no fault
@given(LABELS, LABELS)
def test_edit_distance_against_its_definition(a, b):
    assert edit_distance(a, b) == distance(tuple(a), tuple(b))


def test_label_error_rate_leaves_out_what_is_no_label_and_sums_over_vectors():
    outputs = np.array([[0, 3, 0, 0, 2, 0], [0, 0, 1, 1, 0, 0]]).reshape(2, 1, 6, 1)
    assert label_error_rate(outputs, np.array([[3, 2, 0], [1, 1, 0]])) == 0.0
    assert label_error_rate(outputs, np.array([[3, 2, 1], [2, 1, 0]])) == 2 / 5


def shapes(output: tuple[int, ...]) -> Graph:
    unit = Quantization((1.0,), (0,))
    tensors = (Tensor("x", (1, 4), DType.INT8, unit), Tensor("y", output, DType.INT8, unit))
    return Graph("g", tensors, (), (0,), (1,))


def judged(folder: Path, checks: str, output: tuple[int, ...] = (1, 1), **arrays: np.ndarray) -> None:
    np.savez(folder / "v.npz", input_0=np.zeros((2, 1, 4), np.int8), **arrays)
    (folder / "m.tflite").write_bytes(b"")
    (folder / "m.hil.yaml").write_text(f"model: m.tflite\nvectors: v.npz\nchecks: {{{checks}}}\n")
    card = load_card(folder / "m.hil.yaml")
    check_truth(card, load(card.vectors, shapes(output), folder), shapes(output))


@pytest.mark.parametrize(
    ("checks", "output", "arrays", "said"),
    [
        ("auc: {min: 0.5}", (1, 1), {}, "checks.auc needs labels, v.npz has none"),
        ("auc: {min: 0.5}", (1, 1), {"labels": [1, 1]}, "needs labels 0 and 1, both"),
        ("auc: {min: 0.5}", (1, 3), {"labels": [0, 1]}, "needs one score a vector, output 'y' has 3 values"),
        ("rmse: {max: 1}", (1, 1), {"labels": [0, 1]}, "checks.rmse needs targets, v.npz has none"),
        ("rmse: {max: 1}", (1, 3), {"targets": [[0.5], [1]]}, "targets of 1 values, output 'y' has 3"),
        ("rmse: {max: 1}", (1, 1), {"targets": [[0.5], [np.nan]]}, "targets are float64"),
        ("rmse: {max: 1}", (1, 1), {"targets": [[0.5]]}, "hold 1 and 2 vectors"),
        ("rmse: {max: 1}", (1, 1), {"targets": [[0.5], [1j]]}, "targets are complex128"),
        ("rmse: {max: 1}", (1, 1), {"targets": [["a"], ["b"]]}, "targets are <U1"),
        ("label_error_rate: {max: 1}", (1, 9), {"targets": [[0], [0]]}, "no labels, or without one"),
        ("label_error_rate: {max: 1}", (1, 9), {"targets": [[1.5], [2]]}, "no labels, or without one"),
        ("label_error_rate: {max: 1}", (1, 9), {"targets": [[-1], [2]]}, "no labels, or without one"),
    ],
)
def test_what_a_check_needs_is_asked_for_by_name(tmp_path, checks, output, arrays, said):
    with pytest.raises(VectorsError, match=said):
        judged(tmp_path, checks, output, **{name: np.array(values) for name, values in arrays.items()})


def test_truth_that_fits_is_taken(tmp_path):
    judged(tmp_path, "auc: {min: 0.5}", (1, 4), labels=np.array([0, 1]))
    judged(tmp_path, "rmse: {max: 0.5}", (1, 3), targets=np.zeros((2, 3)))
    judged(tmp_path, "label_error_rate: {max: 0.5}", (1, 9), targets=np.array([[1, 0], [0, 0]]))


@pytest.mark.parametrize("checks", ["auc: {min: 1.5}", "auc: {max: 0.5}", "rmse: {max: -1}", "rmse: 0.5"])
def test_limits_that_no_figure_can_have_are_refused(tmp_path, checks):
    with pytest.raises(CardError, match=r"checks\."):
        judged(tmp_path, checks)


def test_a_figure_passes_at_its_limit_and_fails_beyond():
    from harness.validate.card import AtLeast, AtMost

    for limit, good, bad in ((AtLeast(min=0.5), (0.5, 0.9), 0.49), (AtMost(max=0.5), (0.5, 0.1), 0.51)):
        assert all(check_task("n", "the figure", value, limit, 3).status is Status.PASS for value in good)
        assert check_task("n", "the figure", bad, limit, 3).status is Status.FAIL


def test_a_detector_of_anomalies_fails_a_limit_it_does_not_reach(tmp_path):
    text = (EXAMPLES / "anomaly_detection.hil.yaml").read_text(encoding="utf-8").replace("min: 0.93", "min: 0.999")
    card = tmp_path / "high.hil.yaml"
    card.write_text(text.replace("anomaly_detection", str(EXAMPLES / "anomaly_detection")))
    outcome = Workbench().validate(load_card(card), "host", Options(opinions=()))
    (failed,) = [check for check in outcome.verdict.checks if check.status is Status.FAIL]
    assert failed.name == "auc"
    assert 0.9 < failed.figures["auc"] < 0.999
    assert "the board is not the cause" in failed.advice
    assert outcome.verdict.accuracy is None  # an autoencoder's largest value is no class
    random = apply_options(outcome.card, Options(vectors=RandomVectors(random=3)))
    assert "auc" in check_names(outcome.card, "host") and "auc" not in check_names(random, "host")
