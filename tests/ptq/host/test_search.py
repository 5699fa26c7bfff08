"""Schemes, data, and the best of them on real digits with labels; which layer hurts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.errors import OptionError, TinyhilError, VectorsError
from harness.frontends.tflite.reader import load
from harness.ir.graph import Graph
from harness.passes.rewrite import with_tensors
from harness.ptq import calibration
from harness.ptq.calibration import RANDOM_MARK, CalibrationData, calibration_from, random_calibration
from harness.ptq.layers import layer_errors
from harness.ptq.mixed import BudgetUnreachedError, PrecisionWishes, mixed
from harness.ptq.scheme import CANDIDATES, RANGES, scheme_of
from harness.ptq.search import schemes_of, search
from harness.quantization.params import dequantize_values
from tests.support.float_twin import float_twin
from tests.support.generated import random_graph
from tests.support.paths import FIXTURES


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Graph, CalibrationData]:
    """The float network of the digits, and their images as real numbers with labels."""
    integer = load(FIXTURES / "digits.tflite")
    with np.load(FIXTURES / "digits_vectors.npz") as given:
        images = dequantize_values(given["input_0"], integer.tensors[integer.inputs[0]])
        path = tmp_path_factory.mktemp("data") / "digits.npz"
        np.savez(path, input_0=images, labels=given["labels"])
    graph = _off_the_grid(load(float_twin(integer), name="digits"))
    return graph, calibration_from(path, graph)


def _off_the_grid(graph: Graph) -> Graph:
    """With weights that int8 does not hold exactly, as those that training leaves."""
    rng = np.random.default_rng(0)
    weights = {t: x for t, x in enumerate(graph.tensors) if x.data is not None and len(x.shape) > 1}
    moved = {t: x.data * rng.normal(1, 0.05, x.shape) for t, x in weights.items() if x.data is not None}
    return with_tensors(graph, {t: replace(weights[t], data=data.astype(np.float32)) for t, data in moved.items()})


def test_a_quarter_is_kept_back(digits: tuple[Graph, CalibrationData]) -> None:
    _, data = digits
    whole = len(data.fitted) + len(data.held)
    assert data.holds_back and len(data.held) == whole // 4
    fitted = {row.tobytes() for row in data.fitted.inputs[0]}
    assert not any(row.tobytes() in fitted for row in data.held.inputs[0])


def test_large_networks_see_fewer_vectors(
    digits: tuple[Graph, CalibrationData], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, data = digits
    each = sum(tensor.bytes for tensor in graph.tensors if tensor.data is None)
    monkeypatch.setattr(calibration, "MOST_BYTES", 10 * each)
    np.savez(tmp_path / "x.npz", input_0=np.concatenate([data.fitted.inputs[0], data.held.inputs[0]]))
    few = calibration_from(tmp_path / "x.npz", graph)
    assert (len(few.fitted), len(few.held)) == (10, 10)
    monkeypatch.setattr(calibration, "MOST_BYTES", 1)
    assert len(calibration_from(tmp_path / "x.npz", graph).fitted) == 4


def test_auto_is_the_best_of_all_and_as_right_as_the_floats(digits: tuple[Graph, CalibrationData]) -> None:
    graph, data = digits
    found = search(graph, data, CANDIDATES)
    assert [trial.scheme for trial in found.trials] == list(CANDIDATES)
    assert found.best.evaluation is not None and found.float_accuracy is not None
    assert found.best.evaluation.accuracy is not None
    judged = {trial.scheme: trial.judgement for trial in found.trials if trial.judgement}
    assert len(judged) == len(CANDIDATES)
    most = max(one.rightness for one in judged.values())
    as_right = {scheme: one for scheme, one in judged.items() if one.rightness >= most - one.chance}
    assert judged[found.best.scheme].sqnr == max(one.sqnr for one in as_right.values())
    assert found.float_accuracy - found.best.evaluation.accuracy <= 0.005
    assert found.best.evaluation.worst_sqnr > 30


def test_better_schemes_are_better(digits: tuple[Graph, CalibrationData]) -> None:
    graph, data = digits
    names = ("min-max", "min-max+bias+adaptive", "mse+16x8+bias+adaptive")
    by_name = {t.scheme.name: t.evaluation for t in search(graph, data, [scheme_of(n) for n in names]).trials}
    plain, adaptive, wide = (by_name[scheme_of(name).name] for name in names)
    assert plain and adaptive and wide
    assert adaptive.worst_sqnr > plain.worst_sqnr
    assert wide.worst_sqnr > plain.worst_sqnr + 6


def test_layers_tell_their_own_error_and_all_before(digits: tuple[Graph, CalibrationData]) -> None:
    graph, data = digits
    found = search(graph, data, [scheme_of("min-max")])
    assert found.best.quantized is not None
    errors = layer_errors(found.best.quantized, found.floats, data.held)
    assert [error.op for error in errors] == [node.op for node in found.best.quantized.source.nodes]
    assert all(error.alone > 15 for error in errors)
    assert errors[0].alone == pytest.approx(errors[0].accumulated, abs=1.0), "nothing is before it but the input"
    assert all(sum(error.histogram) > 0 for error in errors)


def test_a_layer_with_an_outlier_is_told_to_be_clipped(digits: tuple[Graph, CalibrationData]) -> None:
    graph, data = digits
    inputs = data.fitted.inputs[0].copy()
    inputs[0] *= 4000
    spoilt = CalibrationData(data.name, data.sha256, type(data.fitted)((inputs,), data.fitted.labels), data.held, False)
    found = search(graph, spoilt, [scheme_of("min-max")])
    assert found.best.quantized is not None
    hints = [error.hint for error in layer_errors(found.best.quantized, found.floats, data.held)]
    assert any(hint.startswith("clip") for hint in hints)


@pytest.mark.parametrize("scheme", [*CANDIDATES, *(scheme_of(name) for name in RANGES)])
def test_names_of_schemes_say_all_of_them(scheme: object) -> None:
    assert scheme_of(scheme.name) == scheme  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["", "best", "min-max+", "mse+17x8", "auto+bias", "min-max bias"])
def test_what_is_no_scheme_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match="no part"):
        schemes_of(name)


def test_noise_marks_the_file(digits: tuple[Graph, CalibrationData]) -> None:
    graph, _ = digits
    found = search(graph, random_calibration(graph), [scheme_of("min-max")])
    assert found.best.quantized is not None
    assert any(RANDOM_MARK in note for note in found.best.quantized.graph.notes)


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"input_0": np.zeros((0, 8, 8, 1), np.float32)},
        {"input_0": np.full((9, 8, 8, 1), np.nan, np.float32)},
        {"input_0": np.zeros((9, 8, 7, 1), np.float32)},
        {"input_0": np.zeros((9, 8, 8, 1), np.float32), "labels": np.full(9, 10)},
    ],
)
def test_data_that_do_not_fit_are_refused(
    arrays: dict[str, np.ndarray], digits: tuple[Graph, CalibrationData], tmp_path: Path  # type: ignore[type-arg]
) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(VectorsError) as caught:
        calibration_from(tmp_path / "x.npz", digits[0])
    assert isinstance(caught.value, TinyhilError) and "x.npz" in caught.value.message


def test_a_size_is_kept_by_the_fewest_layers_of_four_bits(digits: tuple[Graph, CalibrationData]) -> None:
    graph, data = digits
    found = search(graph, data, [scheme_of("mse+weights+bias")])
    assert found.best.quantized is not None
    whole = len(found.best.quantized.file)
    small = mixed(found, PrecisionWishes(max_size=whole - 600)).best
    assert small.quantized is not None and small.evaluation is not None
    assert len(small.quantized.file) <= whole - 600
    assert 0 < len(small.quantized.plan.narrow) < sum(len(n.inputs) > 1 for n in small.quantized.source.nodes)
    assert small.evaluation.worst_sqnr > 10


def test_an_sqnr_is_reached_by_the_fewest_layers_of_sixteen_bits(digits: tuple[Graph, CalibrationData]) -> None:
    graph, data = digits
    found = search(graph, data, [scheme_of("min-max")])
    assert found.best.evaluation is not None
    wanted = found.best.evaluation.worst_sqnr + 1.5
    wide = mixed(found, PrecisionWishes(min_sqnr=wanted)).best
    assert wide.quantized is not None and wide.evaluation is not None and wide.evaluation.worst_sqnr >= wanted
    assert wide.quantized.plan.wide and {node.op for node in wide.quantized.graph.nodes} >= {"QUANTIZE"}
    assert {wide.quantized.graph.tensors[t].dtype.value for t in wide.quantized.graph.outputs} == {"int8"}


@pytest.mark.parametrize(
    ("wishes", "said"),
    [(PrecisionWishes(max_size=100), "4 bits in all"), (PrecisionWishes(min_sqnr=190), "no mix reaches 190 dB")],
)
def test_what_no_mix_reaches_is_told(wishes: PrecisionWishes, said: str) -> None:
    graph = load(float_twin(random_graph(np.random.default_rng(1), op="FULLY_CONNECTED")), name="small")
    data = random_calibration(graph)
    with pytest.raises(BudgetUnreachedError, match=said):
        mixed(search(graph, data, [scheme_of("min-max")]), wishes)


def test_a_float_onnx_network_is_quantized(tmp_path: Path) -> None:
    from harness.frontends import load as load_any
    from tests.support.onnx_networks import network

    (tmp_path / "net.onnx").write_bytes(network(3))
    graph = load_any(tmp_path / "net.onnx", floats=True)
    found = search(graph, random_calibration(graph), [scheme_of("min-max+bias")])
    assert found.best.evaluation is not None and found.best.evaluation.worst_sqnr > 15
