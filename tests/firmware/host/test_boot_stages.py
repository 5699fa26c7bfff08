"""The stages of a start: firmware and harness mean the same by them, and every wait has one."""

from __future__ import annotations

import re
import subprocess

import pytest

from harness.boards import find_board
from harness.boards.backends.pyocd.boot import HEADER, HINTS, SYMBOL, read_header
from harness.build import build_image
from harness.errors import DeviceStoppedError, ToolError
from harness.resources import firmware
from tests.support.elf import read_elf

WORD = read_header(firmware())
NAMES = [name for name, _ in WORD.stages.values()]
SOURCES = sorted(path for folder in ("ports", "runtime") for path in (firmware() / folder).rglob("*.[ch]"))


def number(name):
    return next(number for number, (known, _) in WORD.stages.items() if known == name)


def test_every_stage_of_the_header_is_read():
    text = (firmware() / HEADER).read_text()
    assert len(WORD.stages) == len(re.findall(r"^ +HIL_BOOT_", text, re.MULTILINE)) > 10
    assert len(set(NAMES)) == len(NAMES)
    assert 0 not in WORD.stages and max(WORD.stages) < WORD.stopped
    assert WORD.mark & 0xFFFF == 0 and WORD.mark and WORD.stopped & 0xFF == 0


def test_every_stage_that_can_fail_has_a_hint():
    assert set(HINTS) == set(NAMES) - {"DONE"}


def test_every_stage_is_one_of_the_firmwares():
    used = set()
    for path in SOURCES:
        if path.name != HEADER.name:
            used |= set(re.findall(r"\bHIL_BOOT_(\w+)", path.read_text()))
    assert used == set(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "DONE"])
def test_a_stage_is_named_with_what_it_waits_for(name):
    awaited = WORD.stages[number(name)][1]
    stopped = WORD.stage(WORD.mark | WORD.stopped | number(name))
    assert stopped.stopped and not stopped.is_over
    assert stopped.text() == f"stopped in stage {name}: waited in vain for {awaited}"
    hangs = WORD.stage(WORD.mark | number(name))
    assert not hangs.stopped and not hangs.is_over and awaited in hangs.text()
    for stage in (stopped, hangs):
        error = stage.error("nucleo-h743", "where it stands")
        assert isinstance(error, DeviceStoppedError) and error.details == "where it stands"
        assert awaited in error.message and f"stage {name}" in error.message and error.hint == HINTS[name]


def test_a_start_that_is_over_is_no_failure():
    assert WORD.stage(WORD.mark | number("DONE")).is_over


@pytest.mark.parametrize(
    "word", [0, 0xFFFF_FFFF, number("PLL"), WORD.mark, WORD.mark | 0xFF, (WORD.mark ^ 0x1_0000) | 1, WORD.mark | 0x201]
)
def test_what_ram_holds_at_power_on_is_no_stage(word):
    assert WORD.stage(word) is None


def test_a_header_without_stages_is_an_incomplete_installation(tmp_path):
    with pytest.raises(ToolError, match=re.escape(HEADER.name)):
        read_header(tmp_path)
    (tmp_path / HEADER).parent.mkdir(parents=True)
    (tmp_path / HEADER).write_text("enum { HIL_BOOT_PLL = 1 };\n")
    with pytest.raises(ToolError, match="MARK"):
        read_header(tmp_path)


# What waits without a limit, by file, and why that is right
ENDLESS = {
    "calibrate/calibrate_serve.c": 3,  # the host's next line; and at a fault
    "mlperf/mlperf_fault.c": 1,  # the host's next command
    "mlperf/mlperf_serve.c": 3,  # the host's next command; words of one that has come
    "ports/cortexm/boot.c": 1,  # the reset that has been asked for
    "ports/cortexm/boot_stage.h": 1,  # the debugger, at a wait that has reached its limit
    "ports/cortexm/rtt.c": 2,  # the host's next bytes; and until it has taken ours
    "ports/cortexm/semihost.c": 1,  # the end of the program
    "ports/host/pipe.c": 1,  # the host's next bytes
    "ports/mps2/uart.c": 3,  # the host's next byte, twice; and until it has taken ours: the emulator's line is a socket
    "ports/cortexm/uart_line.h": 1,  # the host's next byte
    "runtime/hil_fault.c": 1,  # the host's next request
    "runtime/hil_provoke.c": 1,  # nothing: a test asked for it
    "runtime/hil_request.c": 1,  # the host's next frame
    "runtime/hil_serve.c": 2,  # the host's next request
}
LOOP = re.compile(
    r"\bfor \(;;\)"  # ended from inside, if at all
    r"|\bwhile \(\(*[A-Z]"  # until a register changes
    r"|\bwhile \((?:write == read|count == 0U)"  # until there are bytes
    r"|\bwhile \(size > 0U\) \{\n +uint32_t write"  # until there is room
)


def test_only_the_host_is_waited_for_without_a_limit():
    """Any other wait has a stage: a loop that is new here must be one of the two."""
    folders = ("calibrate", "mlperf", "ports", "runtime")
    found = {}
    for path in (path for folder in folders for path in (firmware() / folder).rglob("*.[ch]")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        if count := len(LOOP.findall(text)):
            found[path.relative_to(firmware()).as_posix()] = count
    assert found == ENDLESS


@pytest.mark.parametrize("name", ["nucleo-h743", "nucleo-h7a3"])
def test_what_runs_before_ram_may_be_written_has_no_stack(name):
    image = build_image([], find_board(name))
    symbols = read_elf(image.elf).symbols
    command = ["arm-none-eabi-objdump", "-d", "--disassemble=cortexm_early", str(image.elf)]
    code = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [line.split("\t") for line in code.splitlines() if re.match(r" +[0-9a-f]+:\t", line)]
    mnemonics = [line[2].strip() for line in lines]
    assert len(mnemonics) > 10 and "bx" in mnemonics
    with_stack = re.compile(r"push|pop|bl\b|blx|stm|vpush")
    assert not [line for line in lines if with_stack.match(line[2]) or "sp" in "".join(line[3:4])]
    stores = [line for line in lines if line[2].startswith("str")]
    assert len(stores) == 2  # the supply's register, and the stage where it is waited for in vain
    assert SYMBOL in symbols


@pytest.mark.parametrize("name", ["mps2-an386", "mps3-an547"])
def test_a_port_without_stages_does_not_pay_for_them(name):
    assert SYMBOL not in read_elf(build_image([], find_board(name)).elf).symbols


