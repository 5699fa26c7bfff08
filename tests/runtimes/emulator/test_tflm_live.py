"""TFLM live on the Cortex-M55: outputs, instructions by operator and in all, arena and stack, faults of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from harness import frontends
from harness.boards import resolve
from harness.cli.app import app
from harness.errors import OptionError
from harness.frontends.tflite.writer import write
from harness.ir.graph import ABSENT, Graph
from harness.ir.operators.transpose_conv import TransposeConvAttrs
from harness.ir.window import ConvAttrs, Pads, PoolAttrs
from harness.report.document import run_document
from harness.runtimes import RUNTIMES, TFLM, ProgramRun
from harness.runtimes.tflm.execution import RunnerRefusedError
from harness.units import Unit
from harness.validate.card import RandomVectors, card_for_model, load_card
from harness.validate.checks import Status
from harness.validate.options import SECOND_OPINIONS, Options, runtimes_of
from harness.validate.workbench import Workbench
from tests.support.graphs import FULL, Builder
from tests.support.models import find_model, real_model
from tests.support.paths import FIXTURES
from tests.support.tflm_live import tflm_runner

BOARD = "mps3-an547"
ZERO_INPUT = {"kws": 1_719_088, "ad": 119_387, "ic": 4_615_015, "vww": 6_197_770, "sww": 396_913}
"""Instructions of Invoke() of the MLPerf Tiny models on zeros, measured apart with another plugin."""

OTHERS = (
    "st_gmp_wl_24_int8", "tflm_hello_world_int8", "tflm_keyword_scrambled_8bit", "tflm_micro_speech_quantized",
    "tflm_simple_add_model", "tinymaix_mnist_resnet_q", "tinymaix_mnist_valid_q",
)  # fmt: skip


@pytest.fixture(autouse=True)
def needs_runner():
    tflm_runner()


@pytest.fixture(scope="module")
def bench() -> Workbench:
    return Workbench()


def run(model: Path) -> tuple[ProgramRun, Graph]:
    graph = frontends.load(model)
    zeros = [np.zeros(graph.tensors[t].shape, graph.tensors[t].dtype.numpy) for t in graph.inputs]
    return RUNTIMES.get(TFLM).run(graph, resolve(BOARD).runs_on, [zeros]), graph


def options(**more) -> Options:
    return Options(**{"opinions": (), "link": "fast", **more})


@pytest.mark.parametrize("name", ZERO_INPUT)
def test_instructions_of_mlperf_tiny(name):
    found, graph = run(real_model(f"mlperftiny_{name}_int8"))
    assert found.unit is Unit.INSTRUCTIONS
    assert found.total == pytest.approx(ZERO_INPUT[name], rel=0.005)
    assert sum(found.operators) == pytest.approx(found.total, rel=0.001)
    assert len(found.operators) == len(graph.source_ops) and min(found.operators) > 0


@pytest.mark.parametrize("name", [f"mlperftiny_{name}_int8" for name in ZERO_INPUT] + list(OTHERS))
def test_outputs_are_those_of_the_host_build(name, bench):
    card = card_for_model(real_model(name)).model_copy(update={"vectors": RandomVectors(random=4)})
    outcome = bench.validate(card, BOARD, options(runtime=TFLM))
    assert outcome.passed, outcome.explain()
    assert [check.status for check in outcome.verdict.checks if check.name == "outputs"] == [Status.PASS]
    assert outcome.measurement.stack_high % 8 == 0 < outcome.measurement.stack_high
    assert outcome.measurement.arena_high > sum(outcome.graph.tensors[t].bytes for t in outcome.graph.inputs)


@pytest.mark.parametrize("name", ["digits", "residual"])
def test_a_run_of_ours_has_tflm_beside_it_by_layer(name, bench):
    outcome = bench.validate(load_card(FIXTURES / f"{name}.hil.yaml"), BOARD, options())
    assert outcome.passed, outcome.explain()
    (live,) = [baseline for baseline in outcome.baselines if baseline.live]
    assert sum(value for _, value in live.layers) == live.total
    assert {o.oracle: [d.differing for d in o.outputs] for o in outcome.opinions} == {"tflm live": [0]}
    document = run_document(outcome)
    (shown,) = [baseline for baseline in document["baselines"] if baseline["live"]]
    assert shown["per_layer"] and shown["ratio"]["flash"] is None and shown["ratio"]["total"] < 1
    assert "mlia-ethos-u" in shown["build"]
    by_layer = sum(layer["tflm"]["cmsis-nn"] for layer in document["layers"])
    assert by_layer + sum(removed["value"] for removed in shown["removed"]) == live.total
    assert not [note for note in outcome.notes if "TFLM" in note]


def test_the_same_run_comes_from_the_cache_and_counts_the_same(tmp_path):
    graph = frontends.load(FIXTURES / "digits.tflite")
    zeros = [np.zeros(graph.tensors[t].shape, graph.tensors[t].dtype.numpy) for t in graph.inputs]
    told: list[str] = []

    def again(cache: Path, inputs: list) -> ProgramRun:
        told.clear()
        progress = lambda *what: told.append(what[0])  # noqa: E731
        return RUNTIMES.get(TFLM).run(graph, resolve(BOARD).runs_on, inputs, cache_dir=cache, progress=progress)

    first = again(tmp_path / "one", [zeros, zeros])
    assert told == ["TFLM", "TFLM"]
    kept = again(tmp_path / "one", [zeros, zeros])
    assert not told and kept.operators == first.operators and kept.total == first.total
    assert np.array_equal(kept.outputs, first.outputs)
    assert again(tmp_path / "two", [zeros]).operators == first.operators and told


def test_states_live_from_one_vector_to_the_next(bench):
    """An SVDF: TFLM's own kernel keeps its state, so the sequence must be the oracle's."""
    card = card_for_model(real_model("tflm_keyword_scrambled_8bit")).model_copy(
        update={"vectors": RandomVectors(random=12)}
    )
    outcome = bench.validate(card, BOARD, options(runtime=TFLM))
    assert outcome.graph.states and outcome.passed, outcome.explain()


def test_where_tflm_is_wrong_the_report_says_so_and_our_verdict_stays(bench):
    card = card_for_model(real_model("tflm_trained_lstm_int8")).model_copy(
        update={"vectors": RandomVectors(random=8)}
    )
    ours = bench.validate(card, BOARD, options(runtime="both", opinions=SECOND_OPINIONS))
    assert ours.passed and ours.runtime.name == "tinyhil"
    (note,) = [note for note in ours.notes if "live TFLM" in note]
    assert "tinyhil equals it: the fault is TFLM's" in note and "forgets its hidden state" in note
    theirs = bench.validate(card, BOARD, options(runtime=TFLM))
    assert not theirs.passed
    assert "try: the fault is tflm's" in theirs.explain()


def test_a_kernel_of_1xn_with_a_stride(bench, tmp_path):
    """arm_convolve_1_x_n_s8 computes nothing of this one: ours does, and the note says whose fault it is."""
    b = Builder()
    x = b.input(1, 1, 67, 7)
    data = np.random.default_rng(1).integers(-127, 128, (60, 1, 9, 7)).astype(np.int8)
    y = b.tensor(1, 1, 15, 60, scale=1.0)
    weights = b.tensor(60, 1, 9, 7, scale=0.01, data=data)
    b.node("CONV_2D", (x, weights, ABSENT), y, ConvAttrs((1, 4), (1, 1), Pads(), FULL))
    model = tmp_path / "flat.tflite"
    model.write_bytes(write(b.graph(y)))
    card = card_for_model(model).model_copy(update={"vectors": RandomVectors(random=4)})
    outcome = bench.validate(card, BOARD, options())
    assert outcome.passed, outcome.explain()
    (note,) = [note for note in outcome.notes if "live TFLM" in note]
    assert "the fault is TFLM's" in note and "arm_convolve_1_x_n_s8" in note


def averaged_batches() -> Graph:
    b = Builder()
    y = b.tensor(2, 2, 2, 3, scale=0.1)
    b.node("AVERAGE_POOL_2D", (b.input(2, 4, 4, 3),), y, PoolAttrs((2, 2), (2, 2), Pads(), FULL))
    return b.graph(y)


def limited_transposed() -> Graph:
    b = Builder()
    data = np.random.default_rng(1).integers(-127, 128, (2, 2, 2, 3)).astype(np.int8)
    weights, y = b.tensor(2, 2, 2, 3, scale=0.01, data=data), b.tensor(1, 8, 8, 2, scale=0.1)
    attrs = TransposeConvAttrs((2, 2), (0, 0), (0, 127), True)
    b.node("TRANSPOSE_CONV", (b.input(1, 4, 4, 3), weights, ABSENT), y, attrs)
    return b.graph(y)


@pytest.mark.parametrize(
    ("make", "said"), [(averaged_batches, "of several batches alone"), (limited_transposed, "its fused activation")]
)
def test_kernels_that_ignore_batches_or_limits(make, said, bench, tmp_path):
    model = tmp_path / "model.tflite"
    model.write_bytes(write(make()))
    card = card_for_model(model).model_copy(update={"vectors": RandomVectors(random=2)})
    outcome = bench.validate(card, BOARD, options())
    assert outcome.passed, outcome.explain()
    (note,) = [note for note in outcome.notes if "live TFLM" in note]
    assert "the fault is TFLM's" in note and said in note


def test_a_model_that_it_does_not_take_is_a_note_and_an_error_that_quotes_it(bench):
    card = load_card(FIXTURES / "stream.hil.yaml")
    outcome = bench.validate(card, BOARD, options())
    assert outcome.passed and not [baseline for baseline in outcome.baselines if baseline.live]
    (note,) = [note for note in outcome.notes if "TFLM" in note]
    assert note.startswith("no live TFLM: ") and "VAR_HANDLE requires resource variables" in note
    with pytest.raises(RunnerRefusedError, match="VAR_HANDLE requires resource variables") as caught:
        bench.validate(card, BOARD, options(runtime=TFLM))
    assert "VAR_HANDLE" in caught.value.details


def test_other_boards_have_only_records(bench):
    card = load_card(FIXTURES / "digits.hil.yaml")
    assert runtimes_of(card, options(runtime="both"), "mps2-an386") == ("tinyhil",)
    assert runtimes_of(card, options(runtime="both"), BOARD) == ("tinyhil", TFLM)
    with pytest.raises(OptionError, match="runtime tflm runs on mps3-an547 only"):
        bench.validate(card, "mps2-an386", options(runtime=TFLM))


def test_inputs_of_ones_own_run_with_it_too(bench):
    graph = bench.graph(FIXTURES / "digits.tflite")
    rows = [[np.full(graph.tensors[t].shape, value, np.int8) for t in graph.inputs] for value in (-5, 90)]
    ours, theirs = (
        bench.run(FIXTURES / "digits.tflite", BOARD, rows, options(runtime=name)) for name in ("tinyhil", TFLM)
    )
    assert np.array_equal(ours, theirs)


def command(*words: str) -> list[dict]:
    """The runs of a command's results."""
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["runs"]


def test_the_command_shows_both(tmp_path):
    common = [str(FIXTURES / "digits.hil.yaml"), "--board", BOARD, "--runtime", "both", "--json"]
    runs = command("validate", *common, "--no-opinions", "--report", str(tmp_path / "report"))
    assert [run["runtime"] for run in runs] == ["tinyhil", TFLM]
    assert [run["verdict"]["passed"] for run in runs] == [True, True]
    ours, theirs = (run["time"] for run in runs)
    assert ours["total"] < theirs["total"] == theirs["layers_sum"]
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "runtime tflm" in page and "of the program with all its operators + model file" in page
    assert page.count("<h4>Arena over time</h4>") == 1, "of tinyhil; TFLM tells only how much it used"
    runs = command("profile", *common)
    assert [run["time"]["total"] for run in runs] == [ours["total"], theirs["total"]]


@pytest.mark.skipif(find_model("mlperftiny_ad_int8") is None, reason="no real models")
def test_pytest_has_items_of_both(pytester):
    model = find_model("mlperftiny_ad_int8")
    card = f"model: {model}\nvectors: {{random: 2}}\nruntime: both\nbudgets: {{default: {{instructions: 60k}}}}\n"
    pytester.path.joinpath("ad.hil.yaml").write_text(card)
    result = pytester.runpytest_subprocess("-v", "--board", BOARD, "-p", "no:cacheprovider")
    result.assert_outcomes(passed=5, skipped=1)  # no program shows its arena byte by byte
    items = [line.split("::")[1].split()[0] for line in result.outlines if "::" in line and "[" in line]
    assert items == [
        *(f"{check}[{BOARD}]" for check in ("outputs", "layers", "memory", "instructions")),
        *(f"{check}[{BOARD}-tflm]" for check in ("outputs", "memory")),
    ]
