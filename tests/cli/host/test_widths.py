"""What commands print fits COLUMNS; a pipe without it gets everything; no disassembly unless asked."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
from rich.cells import cell_len

from tests.cli.host.test_cli import tinyhil
from tests.support.paths import FIXTURES, REPOSITORY
from tests.support.plugin_run import copy_fixture, run_pytest

COMMANDS = {
    "validate": ("validate", FIXTURES / "digits.hil.yaml", FIXTURES / "residual.hil.yaml", "-b", "host"),
    "profile": ("profile", FIXTURES / "digits.tflite", "-b", "host"),
    "what-if": ("profile", FIXTURES / "digits.tflite", "-b", "nucleo-h743", "--what-if", "placement=weights:axi"),
    "analyze": ("analyze", FIXTURES / "residual.tflite", "-b", "mps3-an547", "--no-build"),
    "boards": ("boards",),
    "operators": ("analyze", "--ops"),
    "doctor": ("doctor",),
    "calibrate": ("calibrate", "-b", "mps2-an500"),
    "fit": ("fit", FIXTURES / "digits.tflite", "-b", "stm32h743zi", "-b", "rp2350", "--optimize", "balanced"),
    "npu": ("npu", FIXTURES / "residual.tflite", "-a", "ethos-u55-32", "--vectors", "1"),
    "energy": ("energy", FIXTURES / "digits.tflite", "-b", "nrf52840", "--rate", "1/s", "--battery", "220mAh"),
}

LONG = os.environ.get("TINYHIL_LONG") == "1"
SLOW = () if LONG else ("calibrate", "what-if", "validate", "doctor")


@pytest.mark.parametrize("command", [name for name in COMMANDS if LONG or name != "calibrate"])
def test_every_table_of_every_command_fits(command):
    for width in (80,) if command in SLOW else (80, 120):
        done = tinyhil(*COMMANDS[command], COLUMNS=str(width))
        assert done.returncode in (0, 3), done.stderr
        lines = done.stdout.splitlines()
        assert len(lines) > 5 and max(map(cell_len, lines)) <= width


def test_a_pipe_gets_everything():
    narrow, whole = (tinyhil(*COMMANDS["analyze"], COLUMNS=width).stdout for width in ("80", ""))
    assert "left out, as 80 columns" in " ".join(narrow.split())
    assert "left out, as" not in whole and max(map(cell_len, whole.splitlines())) > 120


def test_a_terminal_says_its_width_itself():
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 90, 0, 0))
    command = [sys.executable, "-m", "harness.cli", "boards"]
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"NO_COLOR": "1"}
    running = subprocess.Popen(command, stdout=theirs, stdin=theirs, stderr=theirs, cwd=REPOSITORY, env=env)
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 4096):
            said += part
    except OSError:
        pass  # the other side is closed
    assert running.wait(60) == 0
    lines = re.sub(r"\x1b\[\d*m", "", said.decode()).splitlines()
    assert 80 < max(map(cell_len, lines)) <= 90
    assert "left out, as 90 columns" in " ".join(lines)


def test_the_table_of_pytest_fits_too(pytester, monkeypatch):
    for name in ("digits", "residual"):
        copy_fixture(name, pytester.path)
    for width in ("70", "120"):
        monkeypatch.setenv("COLUMNS", width)
        text = run_pytest(pytester, "--board", "host", "--vectors", "1").stdout.str()
        table = text[text.index("= tinyhil =") :].splitlines()[1:-1]
        assert any(line.startswith("residual") for line in table)
        assert max(map(cell_len, table)) <= int(width)


def test_instructions_are_listed_only_when_asked_for():
    plain, asked = (tinyhil(*COMMANDS["what-if"], *more).stdout for more in ((), ("--hot", "2")))
    assert "modelled cycles" in plain and "of the inference: " not in plain
    assert asked.count("of the inference: ") == 2
