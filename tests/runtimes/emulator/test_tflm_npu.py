"""Models that Vela compiled, in Arm's programs for the Ethos-U55 and U65: outputs are TFLM's of the original model.

Arm's TFLM runs what Vela leaves to the CPU; tinyhil's simulator runs the command streams that the program hands its
driver.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from harness import frontends
from harness.boards import resolve
from harness.cli.app import app
from harness.errors import CommandStreamError, OptionError
from harness.ethosu.commands import PAYLOAD
from harness.ethosu.disassembly import commands
from harness.ethosu.payload import Words
from harness.ethosu.pmu import Counters, default_timing
from harness.frontends.tflite.vela_file import read_vela
from harness.frontends.tflite.writer import write
from harness.ir.graph import Graph
from harness.npu.inference import NpuInference
from harness.oracle.tflm import TflmInterpreter
from harness.quantization.types import Array
from harness.runtimes import RUNTIMES, TFLM, ProgramRun
from harness.runtimes.tflm.execution import RunnerRefusedError, TflmExecution, execute
from harness.runtimes.tflm.runner import find_runner
from tests.support.fallback import INTEGERS, fallback_graphs
from tests.support.generated import random_inputs
from tests.support.graphs import Builder
from tests.support.models import real_model
from tests.support.scale import scaled
from tests.support.tflm_live import tflm_runner
from tests.support.vela import ACCELERATORS, compile_model

MLPERF = ("kws", "ad", "ic", "vww", "sww")
SHARED = (
    "arm_yolo_fastest_192_face_v4", "armzoo_ds_cnn_quantized", "st_gmp_wl_24_int8", "tflm_hello_world_int8",
    "tflm_keyword_scrambled_8bit", "tflm_micro_speech_quantized", "tflm_person_detect", "tflm_simple_add_model",
    "tflm_trained_lstm_int8", "tinymaix_mbnet96_0.25_q", "tinymaix_mnist_resnet_q", "tinymaix_mnist_valid_q",
)  # fmt: skip
SOME = ("st_gmp_wl_24_int8", "tflm_keyword_scrambled_8bit", "tflm_trained_lstm_int8")
"""Floats at the border, SVDF on the CPU between streams with states of its own, and a stream with states."""
BOARD = "mps3-an547"


@pytest.fixture(autouse=True)
def needs_runner():
    tflm_runner()


def run(compiled: bytes, inputs: Sequence[Sequence[Array]], outputs: int, folder: Path) -> TflmExecution:
    """A compiled file in the runner for its NPU; `outputs` are bytes."""
    product = read_vela(compiled, "compiled").operators[0][1].accelerator.product
    runner = find_runner(product=product)
    data = [b"".join(np.ascontiguousarray(array).tobytes() for array in vector) for vector in inputs]
    return execute(runner.image(), runner.build, compiled, data, outputs, folder, npu=True)


def agrees_with_tflm(
    original: bytes, compiled: bytes, inputs: Sequence[Sequence[Array]], folder: Path
) -> TflmExecution:
    tflm = TflmInterpreter(original)
    wanted = [[np.ascontiguousarray(array) for array in tflm.invoke(vector, ())[0]] for vector in inputs]
    found = run(compiled, inputs, sum(array.nbytes for array in wanted[0]), folder)
    for ours, theirs in zip(found.outputs, wanted, strict=True):
        assert ours == b"".join(array.tobytes() for array in theirs)
    return found


def drawn(original: Path, vectors: int) -> list[list[Array]]:
    """Inputs for a model."""
    return random_inputs(frontends.load(original), np.random.default_rng(13), vectors)


@pytest.mark.parametrize("accelerator", ACCELERATORS)
@pytest.mark.parametrize("model", MLPERF)
def test_models_of_mlperf_tiny(model, accelerator, tmp_path):
    path = real_model(f"mlperftiny_{model}_int8")
    compiled = compile_model(path.read_bytes(), accelerator)
    found = agrees_with_tflm(path.read_bytes(), compiled.file, drawn(path, scaled(1, 20)), tmp_path)
    (stream,) = found.npu
    assert stream.accelerator == accelerator and found.total is None and not found.operators and found.stack is None


@pytest.mark.parametrize("model", scaled(SOME, SHARED))
def test_models_of_others(model, tmp_path):
    path = real_model(model)
    for accelerator in scaled(("ethos-u55-128",), ACCELERATORS):
        compiled = compile_model(path.read_bytes(), accelerator)
        agrees_with_tflm(path.read_bytes(), compiled.file, drawn(path, scaled(4, 20)), tmp_path)


def test_networks_with_operators_on_the_cpu_in_between(tmp_path):
    several, types = 0, set()
    for graph, compiled in fallback_graphs(seed=13, count=scaled(8, 120)):
        inputs = random_inputs(graph, np.random.default_rng(13), scaled(2, 4))
        streams = len(agrees_with_tflm(graph.model, compiled.file, inputs, tmp_path).npu)
        assert streams == len(compiled.model.operators)
        several += streams > 1
        types |= {tensor.dtype for tensor in graph.tensors}
    assert several and types == set(INTEGERS)


def compiled_graph(name: str, accelerator: str) -> tuple[Graph, Graph]:
    """A model as imported, and the same with the file that Vela makes of it."""
    graph = frontends.load(real_model(name))
    return graph, replace(graph, model=compile_model(graph.model, accelerator).file)


def runtime_run(graph: Graph, given: Sequence[Sequence[Array]], **more) -> ProgramRun:
    return RUNTIMES.get(TFLM).run(graph, resolve(BOARD).runs_on, given, **more)


def test_the_runtime_says_what_it_can_measure_and_keeps_the_run(tmp_path):
    graph, compiled = compiled_graph("mlperftiny_kws_int8", "ethos-u55-64")
    given = random_inputs(graph, np.random.default_rng(1), 2)
    told: list[str] = []

    def again() -> ProgramRun:
        told.clear()
        return runtime_run(compiled, given, cache_dir=tmp_path, progress=lambda *what: told.append(what[0]))

    first = again()
    assert told == ["TFLM", "TFLM"]
    kept = again()
    assert not told and kept.npu == first.npu and np.array_equal(kept.outputs, first.outputs)
    assert (first.unit, first.total, first.operators, first.stack) == (None, None, (), None)
    assert 20_000 < first.arena < 200_000
    (note,) = first.notes
    assert "simulator was the ethos-u55-64" in note and "no instructions" in note
    tflm = TflmInterpreter(graph.model)
    for ours, vector in zip(first.outputs, given, strict=True):
        np.testing.assert_array_equal(ours[0], tflm.invoke(vector, ())[0][0])


def test_counters_are_those_of_the_stream_in_the_simulator():
    graph, compiled = compiled_graph("mlperftiny_ad_int8", "ethos-u55-128")
    given = random_inputs(graph, np.random.default_rng(1), 2)
    (found,) = runtime_run(compiled, given).npu
    model = read_vela(compiled.model, "ad")
    accelerator = model.operators[0][1].accelerator
    counters = Counters(accelerator, default_timing(accelerator))
    NpuInference(model).run(given[0], counters.observe)
    assert found.active == counters.active > 0
    assert {(b.port, b.direction, b.kind): b.beats for b in found.beats} == counters.by_kind()


def command(*words: str) -> dict:
    """The run of a command's results."""
    result = CliRunner().invoke(app, [*words, "--board", BOARD, "--runtime", TFLM, "--vectors", "2", "--json"])
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)["runs"]
    return found


def test_the_command_takes_a_compiled_file_or_compiles_itself(tmp_path):
    original = real_model("mlperftiny_ad_int8")
    compiled = tmp_path / "ad_vela.tflite"
    compiled.write_bytes(compile_model(original.read_bytes(), "ethos-u55-256").file)
    for found in (command("validate", str(compiled)), command("validate", str(original), "--npu", "ethos-u55-256")):
        assert found["verdict"]["passed"] and found["time"]["total"] is None
        assert [check["status"] for check in found["verdict"]["checks"] if check["name"] == "outputs"] == ["pass"]
        assert any("simulator was the ethos-u55-256" in note for note in found["notes"])


def writing_beyond(words: Words) -> Words:
    """The stream with its results in a region that is not there."""
    broken = words.copy()
    for command in commands(words.tolist()):
        if command.form.name == "NPU_SET_OFM_REGION":
            broken[command.word] = broken[command.word] & 0xFFFF | 7 << PAYLOAD
    return broken


def test_a_stream_that_fails_is_one_error_that_names_word_and_command():
    graph, compiled = compiled_graph("mlperftiny_ad_int8", "ethos-u55-128")
    words = read_vela(compiled.model, "ad").operators[0][1].words
    broken = replace(compiled, model=compiled.model.replace(words.tobytes(), writing_beyond(words).tobytes()))
    assert broken.model != compiled.model
    given = random_inputs(graph, np.random.default_rng(1), 1)
    with pytest.raises(CommandStreamError, match=r"byte \d+ of the model file: word \d+, NPU_OP_.* region 7") as caught:
        runtime_run(broken, given)
    assert "Vela" in caught.value.hint


def test_a_runner_for_another_npu_is_refused_before_it_runs():
    graph, compiled = compiled_graph("mlperftiny_ad_int8", "ethos-u55-128")
    with pytest.raises(OptionError, match="for the Ethos-U65, and the model is compiled for the Ethos-U55"):
        runtime_run(compiled, random_inputs(graph, np.random.default_rng(1), 1), program=tflm_runner().path)


def test_what_arms_driver_does_not_take_is_refused(tmp_path):
    original = real_model("mlperftiny_ad_int8")
    compiled = compile_model(original.read_bytes(), "ethos-u55-128", "--cop-format", "COP2")
    with pytest.raises(CommandStreamError, match="Arm's driver takes payloads COP1, this begins with b'COP2'"):
        run(compiled.file, drawn(original, 1), 640, tmp_path)


def test_what_its_arena_has_no_room_for_is_refused_by_what_tflm_says(tmp_path):
    b = Builder()
    x = b.input(1, 800, 800, 4)
    graph = b.graph(b.node("RELU", (x,), b.like(x)))
    compiled = compile_model(write(graph), "ethos-u55-128")
    with pytest.raises(RunnerRefusedError, match="does not take the model: Failed to resize buffer"):
        run(compiled.file, random_inputs(graph, np.random.default_rng(1), 1), 800 * 800 * 4, tmp_path)
