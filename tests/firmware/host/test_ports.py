"""Every port builds, fits its board's memory, and says of the board what boards.yaml says."""

from __future__ import annotations

import re
from functools import cache

import pytest

from harness.boards import find_board, load_boards
from harness.build import BuildOptions, build_image
from harness.build.port import load_port
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.frontends import load
from harness.resources import firmware
from tests.support.elf import read_elf
from tests.support.paths import FIXTURES

BOARDS = [board.name for board in load_boards().values() if board.core != "host"]
CHIPS = [name for name in BOARDS if find_board(name).chip]
STM32 = [name for name in CHIPS if find_board(name).chip.startswith("stm32")]
MODELS = ("digits", "residual", "stream")
TICK_CYCLES = 2


@cache
def _packages(core):
    graphs = (load(FIXTURES / f"{name}.tflite") for name in MODELS)
    return [emit(compile_graph(graph, core=core, name=name)) for graph, name in zip(graphs, MODELS, strict=True)]


@cache
def _image(name):
    board = find_board(name)
    return build_image(_packages(board.core), board)


@cache
def _elf(name):
    return read_elf(_image(name).elf)


def _config(name):
    text = (firmware() / "ports" / find_board(name).port / "port_config.h").read_text()
    found = re.findall(r"#define (PORT_\w+) (0x[0-9A-Fa-f]+|\d+)U\b", text)
    return {key: int(value, 0) for key, value in found}


@pytest.mark.parametrize("name", BOARDS)
def test_every_fixture_builds_without_a_warning_and_fits(name):
    image, board = _image(name), find_board(name)
    assert image.packages == MODELS
    assert sum(image.regions.values()) > 0
    for region, used in image.regions.items():
        assert used <= board.region(region).size
    for at, load_at, data, size in _elf(name).segments:
        assert any(region.contains(at, size) for region in board.memory)
        if data:
            assert any(region.contains(load_at, len(data)) for region in board.memory if region.kind == "flash")


@pytest.mark.parametrize("name", BOARDS)
def test_the_core_finds_its_stack_and_its_handlers(name):
    elf, board = _elf(name), find_board(name)
    first = next(region for region in board.memory if region.kind == "flash")
    stack, *handlers = elf.words(first.origin, 16)
    assert stack == elf.symbols["hil_handler_stack_end"]
    assert stack % 8 == 0 and any(r.contains(stack - 1024, 1024) for r in board.memory if r.kind == "ram")
    assert handlers[0] == elf.symbols["hil_reset"] | 1 == elf.entry | 1
    assert set(handlers[1:]) == {elf.symbols["cortexm_fault_entry"] | 1}


@pytest.mark.parametrize("name", BOARDS)
def test_the_stack_is_whole_and_lies_at_the_bottom_of_its_region(name):
    elf, board = _elf(name), find_board(name)
    bottom, end = elf.symbols["hil_stack_bottom"], elf.symbols["hil_stack_end"]
    assert end - bottom == board.stack_size and bottom % 32 == 0
    region = next(region for region in board.memory if region.contains(bottom, end - bottom))
    guard = 1 << elf.symbols["hil_stack_guard_log2"]
    assert bottom % guard == 0
    under = [r for r in board.memory if r.origin < bottom and bottom - guard < r.origin + r.size]
    assert bottom == region.origin and not under or bottom == region.origin + guard


@pytest.mark.parametrize("name", BOARDS)
def test_what_is_copied_and_cleared_at_start_is_all_that_must_be(name):
    elf = _elf(name)
    symbols = elf.symbols
    start, end = symbols["hil_copy_table"], symbols["hil_copy_table_end"]
    words = elf.words(start, (end - start) // 4)
    copied = {words[i + 1]: (words[i], words[i + 2]) for i in range(0, len(words), 3) if words[i] != words[i + 1]}
    expected = {at: load_at for at, load_at, data, _ in elf.segments if data and at != load_at}
    assert {at: load_at for at, (load_at, size) in copied.items() if size} == expected
    start, end = symbols["hil_zero_table"], symbols["hil_zero_table_end"]
    words = elf.words(start, (end - start) // 4)
    cleared = list(zip(words[::2], words[1::2], strict=True))
    assert all(number % 8 == 0 for number in words)
    for name_of in ("hil_arena", "hil_session", "hil_calibrated"):
        assert any(at <= symbols[name_of] < at + size for at, size in cleared), name_of


@pytest.mark.parametrize("name", CHIPS)
def test_the_image_says_of_its_clock_what_the_board_file_says(name):
    elf, board = _elf(name), find_board(name)
    core, clock, tick, unit = elf.words(elf.symbols["hil_port"], 4)
    assert elf.read(core, len(board.core) + 1) == board.core.encode() + b"\0"
    assert (clock, tick, unit & 0xFF) == (board.clock_hz, board.tick.hz, TICK_CYCLES)


@pytest.mark.parametrize("name", STM32)
def test_the_serial_port_is_the_board_files(name):
    config, board = _config(name), find_board(name)
    uart = board.uart
    ports = {0x4002: 0x40020000, 0x4202: 0x42020000, 0x4800: 0x48000000, 0x5000: 0x50000000, 0x5802: 0x58020000}
    for pin, role in ((uart.tx, "TX"), (uart.rx, "RX")):
        base = config[f"PORT_UART_{role}_PORT"]
        assert f"P{chr(ord('A') + (base - ports[base >> 16]) // 0x400)}{config[f'PORT_UART_{role}_PIN']}" == pin
    bases = {"USART1": 0x40013800, "USART2": 0x40004400, "USART3": 0x40004800, "LPUART1": 0x40008000}
    assert config["PORT_UART_BASE"] == bases[uart.name]
    assert config["PORT_UART_BAUD"] == uart.baud
    for baud in (uart.baud, uart.fast_baud):
        factor = 256 if uart.name == "LPUART1" else 1
        divider = (factor * config["PORT_UART_CLOCK_HZ"] + baud // 2) // baud
        real = factor * config["PORT_UART_CLOCK_HZ"] / divider
        assert abs(real / baud - 1) < 0.01  # HSI takes another of the 2 % that a receiver of 8N1 can bear
        assert baud <= config["PORT_UART_CLOCK_HZ"] / 16


@pytest.mark.parametrize("name", CHIPS)
@pytest.mark.parametrize("link", ["rtt"])
def test_other_links_build(name, link):
    board = find_board(name)
    image = build_image([_packages(board.core)[0]], board, BuildOptions(link=link))
    assert image.link == link and image.build_id != _image(name).build_id


def test_every_port_has_a_board():
    ports = {path.parent.name for path in (firmware() / "ports").glob("*/port.yaml")}
    assert ports == {board.port for board in load_boards().values()}


@pytest.mark.parametrize("name", CHIPS)
def test_only_single_precision_is_used(name):
    flags = load_port(firmware(), find_board(name).port).cflags
    if find_board(name).core == "cortex-m0plus":
        assert not any("-mfpu" in flag or "-mfloat-abi=hard" in flag for flag in flags)
        return
    assert any(flag in flags for flag in ("-mfpu=fpv5-sp-d16", "-mfpu=fpv4-sp-d16"))


def test_the_serial_port_of_an_nrf_is_the_board_files():
    config, uart = _config("nrf52840dk"), find_board("nrf52840dk").uart
    assert config["PORT_UART_BASE"] == 0x40002000 and uart.name == "UART0"
    for pin, role in ((uart.tx, "TX"), (uart.rx, "RX")):
        port, number = divmod(config[f"PORT_UART_{role}_PIN"], 32)
        assert f"P{port}.{number:02}" == pin
    assert config["PORT_UART_BAUD"] == uart.baud and uart.fast_baud <= 1_000_000


@pytest.mark.parametrize("name", CHIPS)
def test_what_has_run_a_port_is_told(name):
    board = find_board(name)
    assert board.verified in ("hardware", "virtual", "never")
    assert board.verified != "virtual" or "virtual" in board.stand_ins
