"""Logs hear of long blocks every few seconds: what is being done, and how far; of short ones nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from harness.report import heartbeat
from harness.report.heartbeat import Heartbeat
from tests.support.paths import FIXTURES
from tests.support.plugin_run import copy_fixture, plugin_arguments


def lines_of(seconds, *, interval_s, tell=None, monkeypatch):
    monkeypatch.setattr(heartbeat, "INTERVAL_S", interval_s)
    lines: list[str] = []
    with Heartbeat(lines.append, "kws on mps2-an500") as beat:
        if tell:
            beat(*tell)
        time.sleep(seconds)
    return lines


def test_a_log_is_not_silent_for_ten_seconds():
    assert heartbeat.INTERVAL_S < 10


def test_a_long_block_is_told_of_with_how_far_it_is(monkeypatch):
    lines = lines_of(0.3, interval_s=0.05, tell=("run", 7, 20), monkeypatch=monkeypatch)
    assert len(lines) >= 2 and set(lines) == {"kws on mps2-an500: run 7 of 20, 0 s"}
    lines = lines_of(0.2, interval_s=0.05, tell=("compile", 0, 0), monkeypatch=monkeypatch)
    assert lines[0] == "kws on mps2-an500: compile, 0 s"
    assert lines_of(0.2, interval_s=0.05, monkeypatch=monkeypatch)[0] == "kws on mps2-an500, 0 s"


def test_a_short_block_is_not_told_of_and_leaves_no_thread(monkeypatch):
    assert lines_of(0.01, interval_s=5.0, monkeypatch=monkeypatch) == []
    assert not any(thread.name == "tinyhil-heartbeat" for thread in threading.enumerate())


def test_an_error_ends_it(monkeypatch):
    monkeypatch.setattr(heartbeat, "INTERVAL_S", 0.01)
    with pytest.raises(ZeroDivisionError), Heartbeat(lambda line: None, "x"):
        _ = 1 / 0
    assert not any(thread.name == "tinyhil-heartbeat" for thread in threading.enumerate())


HURRIED = "import harness.report.heartbeat as h; h.INTERVAL_S = 0.02\n"


@pytest.mark.parametrize("form", ["--no-opinions", "--json"])
def test_the_command_tells_on_standard_error(tmp_path, form):
    code = HURRIED + "from harness.cli.app import main; main()"
    command = [sys.executable, "-c", code, "validate", str(FIXTURES / "digits.hil.yaml"), "-b", "host", form]
    done = subprocess.run(command, capture_output=True, text=True, cwd=FIXTURES.parent, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "digits on host: oracle tflm" in done.stderr and " s\n" in done.stderr
    assert "digits on host: oracle" not in done.stdout


def test_pytest_tells_on_standard_error(tmp_path):
    copy_fixture("digits", tmp_path)
    (tmp_path / "conftest.py").write_text(HURRIED)
    (tmp_path / "pytest.ini").touch()
    command = [sys.executable, "-m", "pytest", "-q", *plugin_arguments(), "--board", "host"]
    environment = {**os.environ, "PYTHONPATH": str(FIXTURES.parent)}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "digits on host: " in done.stderr and "digits on host: oracle" not in done.stdout
