"""`tinyhil compress` and --compress as they are called: files, tables, JSON, refusals."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from harness.cli.app import app
from harness.compiler.goals import Overrides
from harness.errors import BudgetError, CardError, Category, OutputError, TinyhilError
from harness.frontends.tflite.reader import load
from harness.hardware.target import Target
from harness.report.compression import WITHOUT_DATA
from harness.validate.card import RandomVectors, load_card, parse_compress
from harness.validate.compressed import goals_of
from harness.validate.options import Options, apply_options
from harness.validate.workbench import Workbench
from tests.cli.host.test_cli import tinyhil
from tests.support.paths import FIXTURES


def invoke(*arguments: object) -> Any:
    """A command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


CARD = FIXTURES / "digits.hil.yaml"
MODEL = FIXTURES / "digits.tflite"


@pytest.fixture(scope="module")
def high(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits card's model, compressed on the card's vectors."""
    made = tmp_path_factory.mktemp("compress") / "high.tflite"
    done = tinyhil("compress", CARD, "--compress", "high", "-o", made)
    assert done.returncode == 0, done.stderr
    assert "against the original over" in done.stdout and "accuracy" in done.stdout and WITHOUT_DATA not in done.stdout
    return made


def few(path: Path) -> list[int]:
    """Different values of the weights of each layer with 256 of them."""
    graph = load(path)
    found = [graph.tensors[n.inputs[1]] for n in graph.nodes if len(n.inputs) > 1 and n.op != "DEPTHWISE_CONV_2D"]
    return [len(np.unique(t.data)) for t in found if t.data is not None and t.elements >= 256]


def test_the_file_says_what_it_is_and_passes(high):
    assert few(high) and max(few(high)) <= 16 < max(few(MODEL))
    done = tinyhil("validate", high, "-b", "host", "--vectors", "2", "--no-opinions")
    assert done.returncode == 0 and "compressed (high, found on" in done.stdout


def test_validate_says_the_same_and_compares_with_the_original(high):
    done = tinyhil("validate", CARD, "-b", "host", "--compress", "high", "--no-opinions", "--json")
    (run,) = json.loads(done.stdout)["runs"]
    compression = run["compression"]
    assert run["verdict"]["passed"] and run["verdict"]["outputs"][0]["max_lsb"] == 0
    assert run["model"]["sha256"] != compression["original"]["sha256"] == load(MODEL).sha256
    error = compression["error"]
    assert error["unseen"] and 0 < error["vectors"] < run["vectors"]["count"] and 5 < error["sqnr"][0] < 60
    assert len(error["accuracy"]) == 2 and error["max_abs"][0] > 0
    assert compression["weights"]["after"] < 0.9 * compression["weights"]["before"]
    graph = load(high)
    assert {layer["values"] for layer in compression["layers"]} == set(few(high)) and graph.notes


def sha256_of(options: Options) -> str:
    """Of what the card's model is compressed to."""
    card = apply_options(load_card(CARD), options)
    made = Workbench().compressed(card, Target("cortex-m4"), goals_of(card, Overrides()))
    assert made is not None and made.data is not None and made.data.name == "digits_vectors.npz"
    return made.graph.sha256


def test_other_vectors_and_other_runs_do_not_exchange_the_weights():
    wanted = parse_compress("int4", Path.cwd())
    shas = {sha256_of(Options(compress=wanted, vectors=v)) for v in (None, RandomVectors(random=3))}
    assert len(shas | {sha256_of(Options(compress=wanted))}) == 1


def test_generate_and_analyze_take_it(tmp_path):
    made = invoke("generate", CARD, "--compress", "high", "-o", tmp_path / "c")
    assert "found on" in made.output
    manifest = json.loads((tmp_path / "c" / "digits.json").read_text())
    assert manifest["goals"]["compress"]
    made = invoke("analyze", MODEL, "--compress", f"medium,data={FIXTURES / 'digits_vectors.npz'}", "--no-build")
    assert "Compression: medium" in made.output and WITHOUT_DATA not in made.output


def test_a_card_says_it(tmp_path):
    (tmp_path / "digits.tflite").write_bytes(MODEL.read_bytes())
    (tmp_path / "v.npz").write_bytes((FIXTURES / "digits_vectors.npz").read_bytes())
    card = tmp_path / "small.hil.yaml"
    card.write_text("model: digits.tflite\ncompress: {level: int4, data: v.npz}\nvectors: {random: 3}\n")
    done = tinyhil("validate", card, "-b", "host", "--no-opinions", "--json")
    (run,) = json.loads(done.stdout)["runs"]
    assert run["compression"]["level"] == "int4" and run["compression"]["data"]["name"] == "v.npz"
    assert run["compression"]["error"]["unseen"] and run["compression"]["error"]["vectors"] == 3
    card.write_text("model: digits.tflite\ncompress: tiny\n")
    with pytest.raises(CardError, match="compress.level: no level of compression; one of: lossless"):
        load_card(card)


def test_a_budget_compresses_no_more_than_it_needs(tmp_path):
    made = tmp_path / "m.tflite"
    done = invoke("compress", CARD, "--compress", "high", "--max-flash", "10M", "-o", made, "--json")
    assert json.loads(done.stdout)["layers"] == [] and made.read_bytes() == MODEL.read_bytes()
    done = invoke("compress", CARD, "--compress", "high", "--max-flash", "1k", "-o", made, "--force")
    assert isinstance(done.exception, BudgetError) and made.read_bytes() == MODEL.read_bytes()


def test_tflms_operator_and_lossless(high, tmp_path):
    made = tmp_path / "decode.tflite"
    done = invoke("compress", high, "--compress", "lossless", "--tflm-decode", "-o", made, "--json")
    document = json.loads(done.stdout)
    assert document["kind"] == "compression" and document["error"] is None
    assert document["output"]["bytes"] == made.stat().st_size and few(made) == few(high)
    plain = tmp_path / "plain.tflite"
    invoke("compress", MODEL, "--compress", "lossless", "-o", plain)
    assert plain.read_bytes() == MODEL.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("compress", MODEL, "--compress", "tiny", "-o", "m.tflite"), "one of: lossless, low, medium, high, int4"),
        (("compress", MODEL, "-o", "m.bin"), "no name of a .tflite"),
        (("compress", MODEL, "-o", "m.tflite", "-b", "nucleo-h743"), "give --max-flash"),
        (("compress", MODEL, "-o", "m.tflite", "--data", "absent.npz"), "absent.npz"),
        (("compress", "absent.tflite", "-o", "m.tflite"), "absent.tflite"),
        (("compress", MODEL, "-o", f"{MODEL}/m.tflite"), "name a folder"),
        (("compress", MODEL, "--compress", "lossless", "--tflm-decode", "-o", "m.tflite"), "128 values or fewer"),
        (("validate", MODEL, "-b", "host", "--compress", "high,date=x.npz"), "data=FILE.npz"),
        (("validate", MODEL, "-b", "host", "--compress", "high,data=x.txt"), ".npz or .wav"),
        (("analyze", MODEL, "--compress", "HIGH"), "no level of compression"),
        (("generate", MODEL, "--compress", "high", "--npu", "ethos-u55-128", "-o", "c"), "--compress or --npu"),
    ],
)
def test_refusals(arguments, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = invoke(*arguments).exception
    assert isinstance(error, TinyhilError) and (error.category is Category.INPUT or isinstance(error, OutputError))
    assert told in f"{error.message}; {error.hint}" and not os.listdir(tmp_path)


def test_a_file_that_is_there_stays(high):
    before = high.read_bytes()
    done = tinyhil("compress", CARD, "-o", high)
    assert done.returncode == 2 and "--force" in done.stderr and high.read_bytes() == before
