"""`tinyhil quantize` as it is called: files, tables, JSON, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harness.frontends.tflite.reader import load
from tests.cli.host.test_cli import tinyhil
from tests.support.float_twin import float_twin
from tests.support.paths import FIXTURES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A float model, and images for it."""
    place = tmp_path_factory.mktemp("quantize")
    (place / "digits.tflite").write_bytes(float_twin(load(FIXTURES / "digits.tflite")))
    images = np.random.default_rng(0).random((24, 8, 8, 1), np.float32)
    np.savez(place / "images.npz", input_0=images)
    return place


def test_a_float_model_becomes_one_that_passes(folder, tmp_path):
    made = tmp_path / "made.tflite"
    done = tinyhil(
        "quantize", folder / "digits.tflite", "--data", folder / "images.npz", "-o", made, "--scheme", "mse+bias",
        "--layers", "-b", "nucleo-h743", "--report", tmp_path / "page.html",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text()
    assert page.count("<svg class=\"bars\"") == 2 * len(load(made).nodes) and "http" not in page.partition("<main>")[2]
    assert "mse+bias" in done.stdout and "CONV_2D" in done.stdout and "expected on nucleo-h743" in done.stdout
    validated = tinyhil("validate", made, "-b", "host", "--vectors", "2", "--no-opinions")
    assert validated.returncode == 0, validated.stderr
    assert "scheme mse+bias, ranges from 18 vectors of images.npz" in validated.stdout


def test_the_document_has_schemes_and_layers(folder, tmp_path):
    done = tinyhil(
        "quantize", folder / "digits.tflite", "--data", folder / "images.npz", "-o", tmp_path / "m.tflite",
        "--scheme", "min-max", "--json",
    )  # fmt: skip
    document = json.loads(done.stdout)
    assert (document["kind"], document["scheme"]) == ("quantization", "min-max")
    assert document["data"]["held"] == 6 and not document["data"]["random"]
    assert [trial["best"] for trial in document["trials"]] == [True]
    assert all(len(layer["histogram"]) == 40 for layer in document["layers"])


def test_noise_is_told_loudly(folder, tmp_path):
    made = tmp_path / "m.tflite"
    done = tinyhil("quantize", folder / "digits.tflite", "--data", "random", "-o", made, "--scheme", "min-max")
    assert done.returncode == 0 and "RANDOM NOISE" in done.stdout
    assert "RANDOM NOISE" in tinyhil("validate", made, "-b", "host", "--vectors", "1", "--no-opinions").stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--data": None}, "quantizing needs data"),
        ({"--data": "missing.npz"}, "no such file"),
        ({"--scheme": "best"}, "no part 'best'"),
        ({"-o": "images.npz"}, "is there already"),
        ({"-o": "nowhere/there/m.tflite"}, ""),
        ({"-b": "nothing"}, "nothing"),
        ({"model": "missing.tflite"}, "missing.tflite"),
        ({"model": "images.npz"}, "images.npz"),
        ({"--count": "25"}, "25 vectors asked for"),
    ],
)
def test_what_cannot_be_done_is_one_error_and_leaves_no_file(folder, tmp_path, change, said):
    made = str(tmp_path / "m.tflite")
    options = {"model": "digits.tflite", "--data": "images.npz", "-o": made, "--scheme": "min-max"}
    options |= change
    place = options.pop("model")
    arguments = [part for name, value in options.items() if value is not None for part in (name, value)]
    done = tinyhil("quantize", place, *arguments, cwd=folder)
    if said:
        assert done.returncode == 2 and said in done.stderr, done.stderr
        assert not (tmp_path / "m.tflite").exists()
    else:
        assert done.returncode == 0, "folders are made"


def test_a_place_that_cannot_be_written_is_named(folder, tmp_path):
    place = folder / "images.npz" / "m.tflite"
    done = tinyhil("quantize", folder / "digits.tflite", "--data", "random", "-o", place, "--scheme", "min-max")
    assert done.returncode == 4 and "m.tflite" in done.stderr and "Traceback" not in done.stderr


def test_an_int8_model_is_refused(tmp_path):
    done = tinyhil("quantize", FIXTURES / "digits.tflite", "--data", "random", "-o", tmp_path / "m.tflite")
    assert done.returncode == 2 and "nothing of float32 to quantize" in done.stderr
