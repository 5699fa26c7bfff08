"""The command: output for people and machines, exit codes, and errors without tracebacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.frontends.tflite.reader import load
from harness.report.bundle import read_bundle
from harness.resources import boards_file
from tests.support.crashing import CRASHING
from tests.support.paths import FIXTURES, REPOSITORY
from tests.support.plugin_run import copy_fixture

DIGITS = FIXTURES / "digits.tflite"


def tinyhil(*arguments: str | Path, cwd: Path = REPOSITORY, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TINYHIL_") or k == "TINYHIL_CACHE"}
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"):
        clean.pop(name, None)
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env={**clean, "PYTHONPATH": str(REPOSITORY), **environment},
    )


def test_version_help_and_no_arguments():
    assert tinyhil("--version").stdout.startswith("tinyhil 0.")
    text = tinyhil("--help").stdout
    for command in ("doctor", "boards", "analyze", "generate", "validate", "profile", "Exit codes"):
        assert command in text
    assert "<bool>" not in text
    for command in ("doctor", "boards", "analyze", "generate", "validate", "conformance", "profile", "mlperf"):
        shown = tinyhil(command, "--help")
        assert shown.returncode == 0
        assert "--json" in shown.stdout
        assert "<bool>" not in shown.stdout, "a flag takes nothing"


def test_importing_the_command_is_quick_because_nothing_heavy_comes_along():
    code = (
        "import sys, harness.cli.app; "
        "heavy = {'numpy', 'tflite', 'yaml', 'serial', 'elftools', 'jinja2', 'pytest'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)


def test_doctor_names_what_is_missing_and_what_to_do():
    sound = json.loads(tinyhil("doctor", "--json").stdout)
    assert sound["kind"] == "doctor"
    assert {f["name"] for f in sound["findings"]} >= {"arm compiler", "qemu-system-arm", "oracle tflm"}
    broken = tinyhil("doctor", TINYHIL_QEMU="no-such-program")
    assert broken.returncode == 3
    assert "no-such-program is not a program" in broken.stdout
    assert "missing" in broken.stdout


def test_boards():
    names = [b["name"] for b in json.loads(tinyhil("boards", "--json").stdout)["boards"]]
    assert {"host", "mps2-an500", "mps3-an547", "nucleo-h743"} <= set(names)
    assert "mps3-an547" in tinyhil("boards").stdout
    npus = {b["name"]: b["npu"] for b in json.loads(tinyhil("boards", "--json").stdout)["boards"]}
    assert npus["corstone-300"] == ["ethos-u55-128"] and npus["mps2-an500"] == []


def test_analyze_says_all_without_running():
    document = json.loads(tinyhil("analyze", DIGITS, "--board", "host", "--json").stdout)
    operators = load(DIGITS).source_ops
    assert document["operators"] == {op: operators.count(op) for op in operators}
    assert document["macs"] == sum(layer["macs"] for layer in document["layers"])
    assert sum(term["bytes"] for term in document["arena"]["sum"]) == document["arena"]["size"]
    assert document["flash"] > document["constants"] > 0
    assert len(document["expected"]) == len(document["layers"])
    for cost in document["expected"]:
        assert cost["instructions"]["value"] > 0 and cost["instructions"]["unit"] == "instructions"
        assert cost["cycles"] is None or cost["cycles"]["unit"] == "modelled-cycles"
    text = tinyhil("analyze", DIGITS, "--board", "host", "--no-build").stdout
    assert f"arena {document['arena']['size']:,} B = " in text
    assert "not compiled" in text


def test_analyze_says_whether_the_model_fits_the_board(tmp_path):
    text = boards_file().read_text()
    entry = text[text.index("nucleo-f446:") :].replace("size: 0x0002_0000", "size: 0x2300")
    boards = tmp_path / "small.yaml"
    boards.write_text(entry.replace("nucleo-f446:", "small:", 1))
    for board, fits in (("nucleo-f446", True), ("small", False)):
        done = tinyhil("analyze", DIGITS, "-b", board, "--no-build", "--json", TINYHIL_BOARDS=str(boards))
        assert done.returncode == 0
        document = json.loads(done.stdout)
        fit = document["fit"]
        assert fit["fits"] == fits
        sram = next(use for use in fit["regions"] if use["region"] == "sram")
        arena = next(part["bytes"] for part in sram["parts"] if part["name"] == "arena")
        assert arena == document["arena"]["size"] and sram["excess"] == max(sram["used"] - sram["size"], 0)
        assert bool(fit["try"]) != fits
    shown = tinyhil("analyze", DIGITS, "-b", "small", TINYHIL_BOARDS=str(boards)).stdout
    assert "does not fit small, before building" in shown and "B too many" in shown and "code about" in shown
    assert "--board nucleo-f446" in shown
    assert json.loads(tinyhil("analyze", DIGITS, "-b", "host", "--no-build", "--json").stdout)["fit"] is None


def test_analyze_without_a_compiler_still_tells_the_rest():
    done = tinyhil("analyze", DIGITS, "--board", "host", TINYHIL_HOST_CC="no-such-compiler")
    assert done.returncode == 0
    assert "flash of the code is unknown: TINYHIL_HOST_CC=no-such-compiler is not a program" in done.stdout


def test_hints_name_options_that_exist(tmp_path):
    unknown = tinyhil("validate", DIGITS, "-b", "zzz").stderr
    assert "nucleo-h743" in unknown and ". Add your own in a file named by $TINYHIL_BOARDS" in unknown
    assert "--boards" not in tinyhil("boards", TINYHIL_BOARDS=str(tmp_path / "none.yaml")).stderr


def test_generate_writes_the_package(tmp_path):
    done = tinyhil("generate", DIGITS, "-o", tmp_path / "out", "--core", "cortex-m4", "--name", "Seven Segments")
    assert done.returncode == 0
    manifest = json.loads((tmp_path / "out" / "seven_segments.json").read_text())
    assert manifest["core"] == "cortex-m4"
    assert str(tmp_path / "out" / "seven_segments.c") in done.stdout


def test_generate_for_ecosystems(tmp_path):
    """Any number of them, also with commas; each has its line, which says how to take the folder."""
    out = tmp_path / "out"
    wanted = ["--for", "zephyr, arduino", "--for", "cmsis-pack", "--for", "make"]
    done = tinyhil("generate", DIGITS, "-o", out, "--core", "cortex-m4", *wanted)
    assert done.returncode == 0, done.stderr
    lines = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert list(lines) == ["zephyr", "arduino", "cmsis-pack", "make"]
    assert f"EXTRA_ZEPHYR_MODULES={out}" in lines["zephyr"] and f"include {out}/digits.mk" in lines["make"]
    for name in ("zephyr/module.yml", "library.properties", "tinyhil.digits.pdsc", "src/digits.h", "CMakeLists.txt"):
        assert (out / name).is_file()
    assert not (out / "library.json").exists()
    assert "#define DIGITS_STACK_BYTES" in (out / "src" / "digits.h").read_text()
    document = json.loads(tinyhil("generate", DIGITS, "-o", out, "--core", "host", "--for", "zephyr", "--json").stdout)
    assert document["ecosystems"] == ["zephyr"] and document["stack"] is None


def test_generate_takes_a_card(tmp_path):
    """Its model, its goals, which options override, and its labels."""
    (tmp_path / "seven.hil.yaml").write_text(
        f"model: {DIGITS}\nlabels: [a, b, c, d, e, f, g, h, i, j]\ncompile: {{optimize: ram}}\n"
    )
    done = tinyhil("generate", tmp_path / "seven.hil.yaml", "-o", tmp_path / "out", "--core", "host", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["name"], document["goals"]["optimize"]) == ("digits", "ram")
    assert "classes: a, b, c" in (tmp_path / "out" / "digits.h").read_text()
    (tmp_path / "seven.hil.yaml").write_text(f"model: {DIGITS}\nlabels: [a, b]\n")
    done = tinyhil("generate", tmp_path / "seven.hil.yaml", "-o", tmp_path / "out", "--core", "host")
    assert done.returncode == 2 and "2 labels, but output 0" in done.stderr


def test_generate_without_a_core_says_which_it_takes(tmp_path):
    done = tinyhil("generate", DIGITS, "-o", tmp_path, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["core"] == "cortex-m7"
    assert "made for cortex-m7" in done.stderr
    assert tinyhil("generate", DIGITS, "-o", tmp_path, "--core", "cortex-m7").stderr == ""


def test_validate_passes_and_leaves_a_bundle(tmp_path):
    done = tinyhil("validate", FIXTURES / "digits.hil.yaml", "-b", "host", "--report", tmp_path / "bundle")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "150 vectors equal tflm bit for bit" in done.stdout
    assert all(name in done.stdout for name in ("rmse", "l2r", "nse", "cos"))
    assert "not measured here" in done.stdout
    assert done.stderr.strip() == "digits on host"
    results = read_bundle(tmp_path / "bundle")
    assert results["runs"][0]["board"]["ran_on"] == "host"
    assert (tmp_path / "bundle" / results["runs"][0]["image"]["file"]).is_file()


def test_json_alone_is_on_standard_output():
    done = tinyhil("validate", DIGITS, "-b", "host", "--vectors", "2", "--no-opinions", "--json")
    content = json.loads(done.stdout)
    assert content["verdict"] == "pass"
    assert content["runs"][0]["vectors"]["count"] == 2
    assert content["runs"][0]["opinions"] == []


def test_a_failed_check_exits_1(tmp_path):
    card = copy_fixture("digits", tmp_path)
    card.write_text("model: digits.tflite\nvectors: {random: 2}\nbudgets: {default: {arena: 400}}\n")
    done = tinyhil("validate", card, "-b", "host")
    assert done.returncode == 1
    assert "over the budget of 400" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["validate", "none.tflite"], "none.tflite"),
        (["validate", "none.hil.yaml"], "none.hil.yaml: cannot be read"),
        (["validate", DIGITS, "-b", "mps2-an5"], "no board named"),
        (["validate", DIGITS, "--vectors", "x"], "neither an .npz or .wav file nor a number"),
        (["validate", DIGITS, "--link", "x"], "no link is named 'x'"),
        (["validate", "docs"], "no card"),
        (["generate", DIGITS, "-o", "out", "--core", "z80"], "z80"),
        (["generate", DIGITS, "-o", "out", "--for", "mbed"], "no ecosystem is named 'mbed'"),
        (["generate", DIGITS, "-o", "out", "--for", ""], "no ecosystem is named ''"),
        (["generate", DIGITS, "-o", "out", "--core", "cortex_m4"], "did you mean cortex-m4?"),
        (["generate", DIGITS, "-o", "out", "--core", "cortex-m4", "-b", "nucleo-l4r5"], "exclude each other"),
        (["frobnicate"], "No such command"),
        (["validate"], "Missing argument"),
    ],
)
def test_bad_input_exits_2_with_a_message_and_a_hint(arguments, words):
    done = tinyhil(*arguments)
    assert done.returncode == 2, done.stderr
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_missing_tool_exits_3_and_says_so_in_json():
    done = tinyhil("validate", DIGITS, "-b", "host", "--json", TINYHIL_HOST_CC="no-such-compiler")
    assert done.returncode == 3
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "toolchain-missing"
    assert error["hint"]


def test_one_bad_card_does_not_stop_the_others(tmp_path):
    copy_fixture("digits", tmp_path)
    (tmp_path / "lost.hil.yaml").write_text("model: lost.tflite\n")
    done = tinyhil("validate", tmp_path, "-b", "host", "--json")
    assert done.returncode == 2
    runs = {run["name"]: run["kind"] for run in json.loads(done.stdout)["runs"]}
    assert runs == {"digits": "run", "lost": "error"}


@pytest.mark.parametrize("kind", CRASHING)
def test_a_model_that_crashes_the_oracle_does_not_stop_the_others(tmp_path, kind):
    bad = tmp_path / f"{kind}.tflite"
    bad.write_bytes(CRASHING[kind]())
    done = tinyhil("validate", bad, DIGITS, "-b", "host", "--vectors", "2", "--json")
    assert done.returncode == 4
    runs = {run["name"]: run for run in json.loads(done.stdout)["runs"]}
    assert runs["digits"]["kind"] == "run"
    assert "crashed with SIG" in runs[kind]["error"]["message"]


def test_an_unwritable_report_folder_exits_4(tmp_path):
    (tmp_path / "file").write_text("")
    done = tinyhil("validate", DIGITS, "-b", "host", "--vectors", "1", "--report", tmp_path / "file" / "x")
    assert done.returncode == 4
    assert "cannot write the result bundle" in done.stderr


def test_profile_lists_every_layer():
    done = tinyhil("profile", FIXTURES / "digits.hil.yaml", "-b", "host", "--json")
    document = json.loads(done.stdout)
    assert document["time"]["unit"] == "host-ns"
    assert document["layers"] and all(layer["value"] >= 0 for layer in document["layers"])
    assert document["baseline_note"]


def test_colours_only_when_asked_for():
    assert "\x1b[" not in tinyhil("boards").stdout
    assert "\x1b[" in tinyhil("boards", FORCE_COLOR="1").stdout
    plain = tinyhil("validate", DIGITS, "-b", "host", "--vectors", "1", FORCE_COLOR="1", NO_COLOR="1").stdout
    assert "\x1b[3" not in plain


def test_an_unexpected_error_is_one_line_and_a_traceback_only_on_request(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import harness.cli.examination\n\ndef broken():\n    raise RuntimeError('boom')\n\n"
        "harness.cli.examination.examine = broken\n"
    )
    path = f"{tmp_path}{os.pathsep}{REPOSITORY}"
    done = tinyhil("doctor", PYTHONPATH=path)
    assert done.returncode == 70
    assert "unexpected RuntimeError: boom" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in tinyhil("--debug", "doctor", PYTHONPATH=path).stderr
