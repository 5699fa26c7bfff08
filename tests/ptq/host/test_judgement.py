"""What `auto` chooses by: all vectors and more between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.compression.noise import sqnr
from harness.compression.stacks import forward
from harness.frontends.tflite.reader import load
from harness.ir.graph import Graph
from harness.ptq.calibration import CalibrationData, DataPart, calibration_of
from harness.ptq.evaluation import evaluate
from harness.ptq.judgement import MOST_BETWEEN, Judgement, between, judge, references
from harness.ptq.quantizer import Quantizer
from harness.ptq.scheme import scheme_of
from harness.ptq.search import SchemeTrial, best_of, search
from harness.quantization.params import dequantize_values
from harness.validate import vectors
from tests.support.float_twin import float_twin
from tests.support.paths import FIXTURES


@pytest.fixture(scope="module")
def digits() -> tuple[Graph, DataPart]:
    """A float network, and images with labels."""
    integer = load(FIXTURES / "digits.tflite")
    with np.load(FIXTURES / "digits_vectors.npz") as given:
        images = dequantize_values(given["input_0"], integer.tensors[integer.inputs[0]]).astype(np.float32)
        return load(float_twin(integer), name="digits"), DataPart((images,), given["labels"])


def _calibration(graph: Graph, part: DataPart, count: int) -> CalibrationData:
    given = vectors.from_arrays([[row] for row in part.inputs[0][:count]], graph, "few")
    return calibration_of(replace(given, labels=None if part.labels is None else part.labels[:count]), graph)


def test_powers_of_all_vectors_are_summed(digits: tuple[Graph, DataPart]) -> None:
    graph, images = digits
    data = _calibration(graph, images, 40)
    known = references(graph, data)
    assert [len(true.part) for true in known] == [30, 10, 160]
    made = Quantizer(graph, data.fitted.inputs).quantize(scheme_of("min-max"))
    judged = judge(made, known)
    inputs = np.concatenate([true.part.inputs[0] for true in known])
    whole = evaluate(made, forward(graph, (inputs,)), DataPart((inputs,), None))
    assert judged.sqnr == pytest.approx(whole.worst_sqnr, abs=1e-3)
    labelled = DataPart((images.inputs[0][:40],), images.labels[:40] if images.labels is not None else None)
    assert judged.accuracy == evaluate(made, forward(graph, labelled.inputs), labelled).accuracy
    assert judged.count == 40 and judged.rightness <= judged.float_accuracy


def test_no_outputs_differ_from_those_of_all_vectors_at_once(digits: tuple[Graph, DataPart]) -> None:
    graph, images = digits
    known = references(graph, _calibration(graph, images, 150))
    for true in known:
        assert sqnr(forward(graph, true.part.inputs)[graph.outputs[0]], true.outputs[0]) > 100


@pytest.mark.parametrize("count", [1, 2, 3, 50, 400])
def test_vectors_between_lie_there(count: int) -> None:
    rng = np.random.default_rng(count)
    first, second = rng.normal(size=(count, 1, 5)).astype(np.float32), rng.normal(size=(count, 2)).astype(np.float32)
    whole = rng.integers(0, 9, (count, 3)).astype(np.int32)
    made = between(DataPart((first, second, whole), None))
    assert len(made) == min(4 * count, MOST_BETWEEN) == len(made.inputs[1]) == len(made.inputs[2])
    assert made.labels is None and [stack.dtype for stack in made.inputs] == [np.float32, np.float32, np.int32]
    assert made.inputs[0].min() >= first.min() and made.inputs[0].max() <= first.max()
    rows = {row.tobytes() for row in whole}
    assert all(row.tobytes() in rows for row in made.inputs[2]), "integers stay what they are"
    again = between(DataPart((first, second, whole), None))
    assert all(np.array_equal(a, b) for a, b in zip(made.inputs, again.inputs, strict=True))


@pytest.mark.parametrize("count", [1, 2, 7, 9])
def test_few_vectors_are_judged_the_same_every_time(digits: tuple[Graph, DataPart], count: int) -> None:
    graph, images = digits
    data = _calibration(graph, images, count)
    schemes = [scheme_of("min-max"), scheme_of("mse+bias")]
    first, second = (search(graph, data, schemes) for _ in range(2))
    assert [trial.judgement for trial in first.trials] == [trial.judgement for trial in second.trials]
    assert first.best.scheme == second.best.scheme and first.model.file == second.model.file
    assert all(trial.judgement and trial.judgement.count == count for trial in first.trials)


def test_one_scheme_is_not_judged(digits: tuple[Graph, DataPart]) -> None:
    graph, images = digits
    found = search(graph, _calibration(graph, images, 12), [scheme_of("mse")])
    assert found.best.judgement is None and found.best.evaluation is not None


def test_luck_with_a_label_does_not_decide_but_wrong_classes_do() -> None:
    def trial(name: str, db: float, accuracy: float) -> SchemeTrial:
        return SchemeTrial(scheme_of(name), None, None, 0.0, judgement=Judgement(db, accuracy, 0.96, 200))

    near, lucky, wrong = trial("mse", 30, 0.95), trial("kl", 20, 0.955), trial("min-max", 40, 0.9)
    assert best_of([lucky, wrong, near]) is near
    assert best_of([wrong, lucky]) is lucky
    assert best_of([near, trial("mse+bias", 29, 0.99)]) is not near, "more right than the floats is luck"
    assert best_of([near, replace(near, scheme=scheme_of("mse+weights"))]) is near, "the first of equals"
