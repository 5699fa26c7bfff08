"""The float model of a card: its accuracy beside that of the int8 model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from harness.errors import CardError, OracleError, TinyhilError, VectorsError
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.operators.tflite import OperatorDraft
from harness.oracle import open_file
from harness.report import rows
from harness.report.document import run_document
from harness.validate.card import RandomVectors, load_card
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support.paths import FIXTURES
from tests.support.plugin_run import copy_fixture


def recorded() -> tuple[np.ndarray, np.ndarray]:
    """(images as real numbers from 0 to 1, labels) of the fixture, which has them as int8."""
    data = np.load(FIXTURES / "digits_vectors.npz")
    return (data["input_0"].reshape(len(data["labels"]), -1).astype(np.float32) + 128) / 255, data["labels"]


def means() -> tuple[np.ndarray, np.ndarray]:
    """(weights, biases) of the float model: nearest mean of a class, over the recorded digits."""
    images, labels = recorded()
    centres = np.stack([images[labels == k].mean(axis=0) for k in range(10)])
    return 2 * centres, -(centres**2).sum(axis=1)


def float_model(shape: tuple[int, ...] = (1, 64), classes: int = 10) -> bytes:
    weights, biases = means()
    drafts = [TensorDraft("x", shape, "float32"), TensorDraft("y", (1, classes), "float32")]
    main = SubgraphDraft("main", (0,), (1,), drafts)
    w = main.constant("w", np.resize(weights, (classes, int(np.prod(shape)))).astype(np.float32))
    b = main.constant("b", np.resize(biases, classes).astype(np.float32))
    main.operators.append(OperatorDraft("FULLY_CONNECTED", (0, w, b), (1,), "FullyConnected"))
    return serialize([main])


def card_with(folder: Path, line: str, vectors: str = "digits_vectors.npz") -> Path:
    path = copy_fixture("digits", folder)
    path.write_text(f"model: digits.tflite\nvectors: {vectors}\nchecks: {{layers: off}}\n{line}\n")
    return path


def test_its_accuracy_stands_beside_the_boards(tmp_path):
    (tmp_path / "float.tflite").write_bytes(float_model())
    digest = hashlib.sha256(float_model()).hexdigest()
    path = card_with(tmp_path, f"float_model: {{file: float.tflite, sha256: {digest.upper()}}}")
    outcome = Workbench().validate(load_card(path), "host", Options(opinions=()))
    (images, labels), (weights, biases) = recorded(), means()
    right = np.mean(np.argmax(images @ weights.T + biases, axis=1) == labels)
    assert outcome.float_model is not None and outcome.float_model.accuracy == pytest.approx(right)
    document = json.loads(json.dumps(run_document(outcome)))
    assert document["float_model"]["sha256"] == digest
    assert document["float_model"]["oracle"].startswith("litert ")
    (note,) = rows.metrics(document).notes
    board = document["verdict"]["accuracy"]["board"]
    assert f"board {board:.2%}, tflm {board:.2%}, float model {right:.2%}" in note
    assert f"{100 * (board - right):+.2f} points" in note


def test_real_numbers_are_taken_as_they_were_recorded(tmp_path):
    """Inputs that quantization would clip: only the float model tells them apart."""
    (images, _), (weights, biases) = recorded(), means()
    wide = images[:20] * 40 - 20
    labels = np.argmax(wide @ weights.T + biases, axis=1)
    (tmp_path / "float.tflite").write_bytes(float_model())
    path = card_with(tmp_path, "float_model: float.tflite", "wide.npz")
    np.savez(tmp_path / "wide.npz", input_0=wide.reshape(-1, 8, 8, 1), labels=labels)
    outcome = Workbench().validate(load_card(path), "host", Options(opinions=()))
    assert outcome.float_model.accuracy == 1.0
    assert len(set(labels.tolist())) > 1


def test_it_is_computed_once_for_all_boards_and_not_without_labels(tmp_path, monkeypatch):
    (tmp_path / "float.tflite").write_bytes(float_model())
    card = load_card(card_with(tmp_path, "float_model: float.tflite", "{file: digits_vectors.npz, count: 4}"))
    bench, opened = Workbench(), []

    def counted(*arguments, **rest):
        opened.append(arguments)
        return open_file(*arguments, **rest)

    monkeypatch.setattr("harness.oracle.open_file", counted)
    for _ in range(2):
        bench.validate(card, "host", Options(opinions=()))
    assert sum(name == "litert" for name, *_ in opened) == 1
    shown = bench.validate(card, "host", Options(opinions=(), vectors=RandomVectors(random=2)))
    assert shown.float_model is None
    with pytest.raises(VectorsError, match="float_model needs labels"):
        bench.validate(load_card(card_with(tmp_path, "float_model: float.tflite", "{random: 2}")), "host")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "none.tflite: float_model: No such file"),
        (b"nonsense" * 8, "float_model: .* not a .tflite file"),
        (float_model((1, 63)), r"its inputs are float32 \[1, 63\]; the model's are \[1, 8, 8, 1\]"),
        (float_model(classes=9), "has 9 outputs, the model 10"),
        ((FIXTURES / "digits.tflite").read_bytes(), "its inputs are int8"),
    ],
)
def test_a_file_that_is_not_the_float_model_is_refused(tmp_path, content, said):
    if content is not None:
        (tmp_path / "none.tflite").write_bytes(content)
    path = card_with(tmp_path, "float_model: none.tflite", "{file: digits_vectors.npz, count: 2}")
    with pytest.raises(CardError, match=said) as caught:
        Workbench().validate(load_card(path), "host", Options(opinions=()))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"float_model: {{file: digits.tflite, sha256: {'a' * 64}}}", "line 4: float_model.sha256: .*another file"),
        ("float_model: {file: digits.tflite, sha: 1}", "float_model.sha: unknown key"),
        ("float_model: {file: digits.tflite, sha256: abc}", "float_model.sha256: no SHA-256"),
        ("float_model: 7", "float_model: input should be NAME.tflite or"),
        ("float_model: ''", "no path of a file"),
        ("float-model: m.tflite", "unknown key"),
    ],
)
def test_mistakes_in_the_card_are_named(tmp_path, line, said):
    with pytest.raises(CardError, match=said):
        load_card(card_with(tmp_path, line))


@pytest.mark.parametrize("error", [OracleError("LiteRT refuses the model: x", hint="h")])
def test_where_litert_cannot_compute_it_the_run_goes_on(tmp_path, monkeypatch, error: TinyhilError):
    (tmp_path / "float.tflite").write_bytes(float_model())
    card = load_card(card_with(tmp_path, "float_model: float.tflite", "{file: digits_vectors.npz, count: 2}"))

    def only_litert(name, *arguments, **rest):
        if name == "litert":
            raise error
        return open_file(name, *arguments, **rest)

    monkeypatch.setattr("harness.oracle.open_file", only_litert)
    outcome = Workbench().validate(card, "host", Options(opinions=()))
    assert outcome.passed and outcome.float_model.accuracy is None
    assert "float model not computed: LiteRT refuses" in rows.accuracy(run_document(outcome))


@pytest.mark.parametrize(("most", "status"), [(0.0, "pass"), (0.5, "pass")])
def test_a_drop_within_its_bound_passes(tmp_path, most, status):
    (tmp_path / "float.tflite").write_bytes(float_model())
    path = card_with(tmp_path, "float_model: float.tflite")
    path.write_text(path.read_text().replace("layers: off", f"layers: off, accuracy: {{drop_max: {most}}}"))
    outcome = Workbench().validate(load_card(path), "host", Options(opinions=()))
    (result,) = [check for check in outcome.verdict.checks if check.name == "accuracy_drop"]
    assert result.status.value == status and outcome.float_model is not None
    assert result.figures["drop"] == pytest.approx(outcome.float_model.accuracy - outcome.verdict.accuracy[0])


def test_a_drop_beyond_its_bound_fails_and_says_what_to_try(tmp_path):
    """A float model that is always right, whatever it takes to be so: the labels are what it gives."""
    (tmp_path / "float.tflite").write_bytes(float_model())
    images, _ = recorded()
    weights, biases = means()
    own = np.argmax(images @ weights.T + biases, axis=1)
    data = np.load(FIXTURES / "digits_vectors.npz")
    path = card_with(tmp_path, "float_model: float.tflite", "own.npz")
    np.savez(tmp_path / "own.npz", input_0=data["input_0"], labels=own)
    path.write_text(path.read_text().replace("layers: off", "layers: off, accuracy: {drop_max: 0.01}"))
    outcome = Workbench().validate(load_card(path), "host", Options(opinions=()))
    (result,) = [check for check in outcome.verdict.checks if check.name == "accuracy_drop"]
    assert result.status.value == "fail" and "tinyhil quantize --layers" in result.advice


def test_a_drop_without_a_float_model_is_refused_with_its_line(tmp_path):
    path = card_with(tmp_path, "")
    path.write_text(path.read_text().replace("layers: off", "layers: off, accuracy: {drop_max: 0.01}"))
    with pytest.raises(CardError, match="line 3: checks.accuracy.drop_max"):
        load_card(path)


@pytest.mark.parametrize("bounds", ["{}", "{drop: 1}", "{drop_max: -1}", "{drop_max: 2}", "0.5"])
def test_bounds_of_accuracy_that_bound_nothing_are_refused(tmp_path, bounds):
    path = card_with(tmp_path, "float_model: float.tflite")
    path.write_text(path.read_text().replace("layers: off", f"layers: off, accuracy: {bounds}"))
    with pytest.raises(CardError, match="accuracy"):
        load_card(path)
