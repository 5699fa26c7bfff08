"""What `auto` chooses by: steadier than the noise of few vectors, and the same where nothing bends behind the error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from harness.compression.stacks import forward
from harness.frontends.tflite.reader import load
from harness.ir.graph import Graph
from harness.ptq.calibration import CalibrationData, DataPart, calibration_of
from harness.ptq.evaluation import evaluate
from harness.ptq.judgement import Judgement, judge
from harness.ptq.quantizer import QuantizedModel, Quantizer
from harness.ptq.scheme import scheme_of
from harness.ptq.search import search
from harness.quantization.params import dequantize_values
from harness.validate import vectors
from tests.support.float_twin import float_twin
from tests.support.generated import random_graph
from tests.support.paths import FIXTURES

SIZE = 16


@pytest.fixture(scope="module")
def digits() -> tuple[Graph, DataPart]:
    """A float network that ends in SOFTMAX, and images."""
    integer = load(FIXTURES / "digits.tflite")
    with np.load(FIXTURES / "digits_vectors.npz") as given:
        images = dequantize_values(given["input_0"], integer.tensors[integer.inputs[0]]).astype(np.float32)
        return load(float_twin(integer), name="digits"), DataPart((images,), given["labels"])


@pytest.fixture(scope="module")
def quantized(digits: tuple[Graph, DataPart]) -> QuantizedModel:
    graph, data = digits
    return Quantizer(graph, (data.inputs[0][:64],)).quantize(scheme_of("min-max"))


def _judged(made: QuantizedModel, *parts: DataPart) -> Judgement:
    return judge(made, [(forward(made.source, part.inputs), part) for part in parts])


def _some(data: DataPart, indices: npt.NDArray[np.int64]) -> DataPart:
    return DataPart((data.inputs[0][indices],), None if data.labels is None else data.labels[indices])


def test_few_vectors_say_nearly_what_many_do(digits: tuple[Graph, DataPart], quantized: QuantizedModel) -> None:
    _, data = digits
    order = np.random.default_rng(0).permutation(len(data) // SIZE * SIZE).reshape(-1, SIZE)
    plain, steady = [], []
    for chosen in order:
        part = _some(data, chosen)
        plain.append(evaluate(quantized, forward(quantized.source, part.inputs), part).worst_sqnr)
        steady.append(_judged(quantized, part).sqnr)
    assert len(plain) >= 6
    assert np.std(steady) < 0.8 * np.std(plain)
    assert abs(np.mean(steady) - _judged(quantized, data).sqnr) < 3


def test_parts_count_as_one(digits: tuple[Graph, DataPart], quantized: QuantizedModel) -> None:
    _, data = digits
    places = np.arange(len(data))
    apart = _judged(quantized, _some(data, places[:30]), _some(data, places[30:]))
    whole = _judged(quantized, data)
    assert apart.count == whole.count == len(data)
    assert apart.sqnr == pytest.approx(whole.sqnr) and apart.accuracy == whole.accuracy
    part = evaluate(quantized, forward(quantized.source, data.inputs), data)
    assert whole.accuracy == part.accuracy and whole.rightness <= whole.float_accuracy


def test_it_is_the_plain_noise_where_nothing_bends() -> None:
    graph = load(float_twin(random_graph(np.random.default_rng(1), op="FULLY_CONNECTED")), name="small")
    x = np.random.default_rng(0).uniform(-1, 1, (20, *graph.tensors[graph.inputs[0]].shape)).astype(np.float32)
    made, data = Quantizer(graph, (x,)).quantize(scheme_of("min-max")), DataPart((x,), None)
    judged = _judged(made, data)
    assert judged.sqnr == pytest.approx(evaluate(made, forward(made.source, (x,)), data).worst_sqnr)
    assert judged.rightness == 0, "nothing is known of it without labels"


@pytest.mark.parametrize("count", [1, 2, 7, 9])
def test_few_vectors_are_judged_too(digits: tuple[Graph, DataPart], count: int) -> None:
    graph, data = digits
    given = vectors.from_arrays([[row] for row in data.inputs[0][:count]], graph, "few")
    few: CalibrationData = calibration_of(replace(given, labels=None), graph)
    schemes = [scheme_of("min-max"), scheme_of("mse+bias")]
    first, second = (search(graph, few, schemes) for _ in range(2))
    judged = [trial.judgement for trial in first.trials]
    assert all(one is not None and one.count == count for one in judged)
    assert first.best.scheme == second.best.scheme and first.model.file == second.model.file
    assert judged == [trial.judgement for trial in second.trials]


def test_one_scheme_is_not_judged(digits: tuple[Graph, DataPart]) -> None:
    graph, data = digits
    given = vectors.from_arrays([[row] for row in data.inputs[0][:12]], graph, "few")
    assert search(graph, calibration_of(given, graph), [scheme_of("mse")]).best.judgement is None
