"""The command's standard streams: closed, full, cut or plain ASCII, they change neither verdict nor exit code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import FIXTURES

DIGITS = FIXTURES / "digits.tflite"
FULL = Path("/dev/full")

needs_full = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this system")


def shell(line: str, *arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which `tinyhil` is the command and "$@" the arguments."""
    where = {"PYTHONPATH": str(FIXTURES.parent), "PYTHON": sys.executable}
    return subprocess.run(
        ["bash", "-c", f'tinyhil() {{ "$PYTHON" -m harness.cli "$@"; }}; {line}', "bash", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env={**os.environ, **where, **environment},
    )


@pytest.fixture
def failing(tmp_path):
    shutil.copy(DIGITS, tmp_path)
    card = tmp_path / "small.hil.yaml"
    card.write_text("model: digits.tflite\nvectors: {random: 1}\nbudgets: {default: {arena: 400}}\n")
    return card


@needs_full
@pytest.mark.parametrize("arguments", ["--version", "--help", "boards", "boards --json", 'analyze "$@" --no-build'])
def test_results_that_cannot_be_written_are_an_infrastructure_fault(tmp_path, arguments):
    done = shell(f"tinyhil {arguments} >/dev/full", DIGITS, cwd=tmp_path)
    assert done.returncode == 4
    assert "No space left" in done.stderr
    assert "try:" in done.stderr
    assert "mistake in tinyhil" not in done.stderr


def test_a_reader_that_has_enough_does_not_change_the_exit_code(tmp_path, failing):
    for arguments, code in (("boards", 0), ("boards --json", 0), ('validate "$@" -b host --no-opinions', 1)):
        done = shell(f'tinyhil {arguments} | true; echo "${{PIPESTATUS[0]}}"', failing, cwd=tmp_path)
        assert done.stdout.strip() == str(code), (arguments, done.stderr)
        assert "rror" not in done.stderr


@needs_full
@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-"])
def test_standard_error_that_cannot_be_written_changes_nothing(tmp_path, failing, where):
    assert shell(f'tinyhil analyze none.tflite {where}', cwd=tmp_path).returncode == 2
    done = shell(f'tinyhil validate "$@" -b host --no-opinions --json {where}', failing, cwd=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["verdict"] == "fail"


def test_closed_standard_output_leaves_the_exit_code(tmp_path, failing):
    for form in ("", "--json"):
        assert shell(f'tinyhil validate "$@" -b host --no-opinions {form} >&-', failing, cwd=tmp_path).returncode == 1


def test_names_that_the_terminal_cannot_show_are_escaped(tmp_path):
    shutil.copy(DIGITS, tmp_path / "Schneemann ☃.tflite")
    done = shell(
        'tinyhil validate "$@" -b host --vectors 1 --no-opinions',
        "Schneemann ☃.tflite",
        cwd=tmp_path,
        PYTHONIOENCODING="ascii",
    )
    assert done.returncode == 0, done.stderr
    assert "Schneemann \\u2603" in done.stdout


def test_a_name_that_is_no_text_gets_through_to_the_report(tmp_path):
    shutil.copy(os.fsencode(DIGITS), os.fsencode(tmp_path) + b"/odd\xff.tflite")
    done = shell("tinyhil validate *.tflite -b host --vectors 1 --no-opinions --json --report out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["runs"][0]["name"] == "odd\udcff"
    assert "odd\\udcff" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_wrong_command_line_is_told_in_json_too(tmp_path):
    for arguments in ("frobnicate", "validate", 'profile "$@" --frob', 'generate "$@"'):
        done = shell(f"tinyhil {arguments} --json", DIGITS, cwd=tmp_path)
        assert done.returncode == 2
        error = json.loads(done.stdout)["error"]
        assert error["code"] == "option" and error["message"] and error["exit_code"] == 2


def test_errors_off_a_terminal_are_lines_that_no_border_breaks(tmp_path):
    long = tmp_path / ("x" * 120) / "none.tflite"
    done = shell('tinyhil analyze "$@"', long, cwd=tmp_path, COLUMNS="40")
    assert done.stderr.splitlines()[0].startswith(f"import: model-file: {long}: ")
    assert done.stderr.splitlines()[1].startswith("try: ")
