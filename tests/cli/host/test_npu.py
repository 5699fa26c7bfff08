"""`tinyhil npu`: output for people and machines, exit codes, files, and bad input without tracebacks."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.main import get_command

from harness.cli.app import app
from harness.errors import Category, TinyhilError
from harness.quantization.types import DType
from tests.cli.host.test_cli import tinyhil
from tests.support.absent import tinyhil_without
from tests.support.offload import mixed_model, offloaded
from tests.support.paths import FIXTURES, REPOSITORY
from tests.support.typed import combinations, typed_graphs

RESIDUAL = FIXTURES / "residual.tflite"


@pytest.fixture(autouse=True)
def _as_wide_as_it_is(monkeypatch):
    """A worker of pytest-xdist has COLUMNS, which commands obey."""
    monkeypatch.delenv("COLUMNS", raising=False)


def failed(done: subprocess.CompletedProcess[str], code: int) -> str:
    """What it says, on a line for the error and one for the hint."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr and "mistake in tinyhil" not in done.stderr
    assert "try: " in done.stderr
    return done.stderr


def called(*arguments: object) -> int:
    """The exit code of the command in this process."""
    return get_command(app).main(["npu", *map(str, arguments)], standalone_mode=False) or 0


def refusal(*arguments: object) -> TinyhilError:
    """The error that the command ends with."""
    with pytest.raises(TinyhilError) as caught:
        called(*arguments)
    return caught.value


def test_a_run_prints_a_table_writes_files_and_is_the_base_of_another(tmp_path, capsys):
    outputs = [tmp_path / name for name in ("run.json", "run.html", "run.md")]
    options = [word for path in outputs for word in ("-o", path)]
    done = tinyhil("npu", RESIDUAL, *options)
    assert done.returncode == 0, done.stderr
    assert "outputs: exact on 4 vectors" in done.stdout and "CONV_2D" in done.stdout
    document = json.loads(outputs[0].read_text())
    assert document["accelerator"] == "ethos-u55-128" and document["kind"] == "npu"
    assert f"{document['npu']['cycles']['value']:,} modelled cycles" in done.stdout
    assert all(path.stat().st_size > 500 for path in outputs)
    assert called(RESIDUAL, "--compare", outputs[0], "--vectors", "1:3") == 0
    assert "operators: none changed" in capsys.readouterr().out
    assert called(RESIDUAL, "-a", "ethos-u55-32", "--compare", outputs[0], "--vectors", "1", "--json") == 1
    compared = json.loads(capsys.readouterr().out)["comparison"]
    assert compared["worse"] and any(one["change"] == "worse" for one in compared["operators"])


def test_options_of_the_base_can_be_named(capsys):
    code = called(RESIDUAL, "--compare", "accelerator=ethos-u55-32,optimise=Size", "--vectors", "1", "--json")
    compared = json.loads(capsys.readouterr().out)["comparison"]
    assert compared["base"]["accelerator"] == "ethos-u55-32"
    assert compared["base"]["vela"]["optimise"] == "Size"
    assert "Shared_Sram" in compared["run"]["basis"], "compared with the memories' waits"
    assert code == compared["worse"]


def test_a_program_that_is_another_vela(tmp_path, capsys):
    """As two versions would be: one that keeps an operator from the NPU."""
    program = tmp_path / "vela"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -m ethosu.vela --ignore-ops ADD \"$@\"\n")
    program.chmod(0o755)
    assert called(RESIDUAL, "--vela", program, "--compare", "vela=", "--vectors", "1", "--json") == 1
    document = json.loads(capsys.readouterr().out)
    moved = [one for one in document["comparison"]["operators"] if one["run"] and one["run"]["where"] == "cpu"]
    assert moved and {one["operator"] for one in moved} == {"ADD"}
    assert all(one["change"] == "worse" for one in moved)
    assert document["check"]["exact"]


def test_all_is_one_table(tmp_path, capsys):
    options = ["--all", "-a", "ethos-u55-32", "--memory-mode", "Sram_Only", "--optimise", "Size"]
    assert called(RESIDUAL, *options, "-o", tmp_path / "all.html") == 0
    said = capsys.readouterr().out
    assert "2 configurations" in said and "Ethos_U55_Deep_Embedded" in said and "exact" in said
    assert (tmp_path / "all.html").read_text().count("<svg") >= 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.tflite"], "nowhere.tflite"),
        ([REPOSITORY], "directory"),
        ([REPOSITORY / "README.md"], "README.md"),
        ([RESIDUAL, "-a", "ethos-u77"], "no accelerator 'ethos-u77'"),
        ([RESIDUAL, "-a", "ethos-u55-32", "-a", "ethos-u55-64"], "2 accelerators"),
        ([RESIDUAL, "--system-config", "Ethos_U65_High_End"], "Ethos_U65_High_End is not for ethos-u55-128"),
        ([RESIDUAL, "--memory-mode", "Dedicated_Sram"], "OffChipFlash"),
        ([RESIDUAL, "--config", "nowhere.ini"], "nowhere.ini"),
        ([RESIDUAL, "--config", RESIDUAL], "residual.tflite: no configuration file of Vela"),
        ([RESIDUAL, "--optimise", "Speed"], "Speed"),
        ([RESIDUAL, "--clock", "fast"], "clock"),
        ([RESIDUAL, "--vectors", "many"], "many"),
        ([RESIDUAL, "--threshold", "lots"], "threshold"),
        ([RESIDUAL, "--output", "report.pdf"], "report.pdf"),
        ([RESIDUAL, "--compare", "nowhere.json"], "nowhere.json"),
        ([RESIDUAL, "--compare", "speed=1"], "'speed=1' is neither a .json file nor KEY=VALUE"),
        ([RESIDUAL, "--compare", "model=nowhere.tflite"], "nowhere.tflite"),
        ([RESIDUAL, "--all", "--compare", "optimise=Size"], "--all and --compare"),
    ],
)
def test_bad_input_is_one_clear_error(arguments, said):
    error = refusal(*arguments)
    assert said in error.message and error.hint and error.category is Category.INPUT


def test_what_cannot_be_written_and_a_program_that_is_not_there(tmp_path):
    assert "cannot be written" in refusal(RESIDUAL, "--vectors", "1", "-o", "/dev/null/report.html").message
    error = refusal(RESIDUAL, "--vela", "/nowhere/vela")
    assert "nowhere/vela" in error.message and error.category is Category.TOOL


def test_a_model_of_floats_is_told_so(tmp_path, capsys):
    types = next(types for name, types in combinations() if name == "CONV_2D" and types.x is DType.FLOAT32)
    path = tmp_path / "float.tflite"
    path.write_bytes(typed_graphs([("CONV_2D", types)], seed=1, each=1)[0].model)
    called(path, "--vectors", "1")
    said = capsys.readouterr().out
    assert "quantize it to int8 or int16" in said and "CONV_2D" in said and "Float32" in said


def test_without_vela_it_says_how_to_get_it(tmp_path):
    done = tinyhil_without(("ethosu",), tmp_path, "npu", RESIDUAL)
    assert "tinyhil[npu]" in failed(done, 3)


def test_without_vela_a_file_that_was_compiled_runs(tmp_path):
    path = tmp_path / "mixed_vela.tflite"
    path.write_bytes(offloaded(mixed_model(tmp_path), "ethos-u55-64").compilation.file)
    done = tinyhil_without(("ethosu",), tmp_path, "npu", path, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["accelerator"] == "ethos-u55-64" and document["npu"]["with_waits"] is None
    assert "already" in failed(tinyhil("npu", path, "-a", "ethos-u55-128"), 2)


def test_an_interrupt_ends_it():
    command = [sys.executable, "-m", "harness.cli", "npu", str(RESIDUAL), "--all"]
    running = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stderr is not None and running.stderr.readline() == "npu residual\n"
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    out, said = running.communicate(timeout=60)
    assert running.returncode == 130 and said.endswith("interrupted\n") and not out


def test_the_file_of_a_run_is_left_alone_where_the_next_fails(tmp_path):
    path = tmp_path / "run.json"
    path.write_text("before")
    refusal(Path("nowhere.tflite"), "-o", path)
    assert path.read_text() == "before"
