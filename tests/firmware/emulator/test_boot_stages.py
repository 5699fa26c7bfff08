"""Boards whose start never ends: the firmware leaves its stage in time, and the doctor names it."""

import re
import sys
import time
from dataclasses import replace

import pytest

from harness.boards import bringup, find_board, open_session, resolve
from harness.boards.backends.pyocd.boot import SYMBOL, read_header
from harness.boards.backends.pyocd.flash import symbol_address
from harness.boards.backends.virtual.session import VirtualSession
from harness.boards.session import open_client
from harness.build import BuildOptions, build_image
from harness.errors import DeviceStoppedError
from harness.hardware.board import Resolved
from harness.link.client import Client
from harness.link.framing import Kind, encode
from harness.resources import firmware
from tests.support.patience import ends
from tests.support.scale import scaled

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")

# RCC_CR of each board; PLL1RDY or PLLRDY, and HSERDY, are the same bits of it in all families
RCC_CR = {
    "nucleo-h743": 0x5802_4400,
    "nucleo-h7a3": 0x5802_4400,
    "nucleo-f746": 0x4002_3800,
    "nucleo-f446": 0x4002_3800,
    "nucleo-l476": 0x4002_1000,
    "nucleo-l4r5": 0x4002_1000,
    "nucleo-g0b1": 0x4002_1000,
    "nucleo-u575": 0x4602_0C00,
}
PLL = {name: f"stuck0@{address:#x}.25" for name, address in RCC_CR.items()}
CASES = [
    *((name, fault, "PLL") for name, fault in PLL.items()),
    ("nucleo-h743", "stuck0@0x58024804.13", "SUPPLY"),  # PWR_CSR1, ACTVOSRDY
    ("nucleo-h743", "stuck0@0x58024818.13", "VOLTAGE"),  # PWR_D3CR, VOSRDY
    ("nucleo-h743", "stuck0@0x58024400.2", "OSCILLATOR"),  # RCC_CR, HSIRDY
    ("nucleo-h743", "stuck0@0x52002000.1", "FLASH_LATENCY"),  # FLASH_ACR, LATENCY
    ("nucleo-h743", "stuck0@0x58024410.3", "CLOCK_SWITCH"),  # RCC_CFGR, SWS
    ("nucleo-f746", "stuck0@0x40007004.16", "OVERDRIVE"),  # PWR_CSR1, ODRDY
    ("nucleo-f446", "stuck0@0x40007004.17", "OVERDRIVE"),  # PWR_CSR, ODSWRDY
    ("nucleo-f446", "stuck0@0x40023808.3", "CLOCK_SWITCH"),  # RCC_CFGR, SWS
    ("nucleo-l476", "stuck1@0x40007014.10", "VOLTAGE"),  # PWR_SR2, VOSF
    ("nucleo-l476", "stuck0@0x40021000.10", "OSCILLATOR"),  # RCC_CR, HSIRDY
    ("nucleo-l476", "mute@0", "UART"),
    ("nucleo-g0b1", "stuck1@0x40007014.10", "VOLTAGE"),  # PWR_SR2, VOSF
    ("nucleo-g0b1", "stuck0@0x40021000.10", "OSCILLATOR"),  # RCC_CR, HSIRDY
    ("nucleo-g0b1", "stuck0@0x40022000.1", "FLASH_LATENCY"),  # FLASH_ACR, LATENCY
    ("nucleo-g0b1", "stuck0@0x40021008.4", "CLOCK_SWITCH"),  # RCC_CFGR, SWS
    ("nucleo-g0b1", "mute@0", "UART"),
    ("nucleo-u575", "stuck0@0x4602080C.15", "VOLTAGE"),  # PWR_VOSR, VOSRDY
    ("nucleo-u575", "stuck0@0x4602080C.14", "OVERDRIVE"),  # PWR_VOSR, BOOSTRDY
    ("nucleo-u575", "stuck0@0x40022000.2", "FLASH_LATENCY"),  # FLASH_ACR, LATENCY
    ("nucleo-u575", "stuck0@0x46020C1C.3", "CLOCK_SWITCH"),  # RCC_CFGR1, SWS
    ("nucleo-u575", "stuck1@0x40030404.0", "CACHES"),  # ICACHE_SR, BUSYF
    ("nrf52840dk", "stuck0@0x40000100.0", "OSCILLATOR"),  # CLOCK, EVENTS_HFCLKSTARTED
    ("nrf52840dk", "mute@0", "UART_SEND"),
]
# By default each stage on one board; `make test-long` has all boards.
SAMPLE = [next(case for case in CASES if case[2] == stage) for stage in dict.fromkeys(case[2] for case in CASES)]
PATIENCE_S = 30.0


def stage_of(session, image):
    word = session.read_memory(symbol_address(image.elf, SYMBOL), 4)
    return read_header(firmware()).stage(int.from_bytes(word, "little"))


def until_stopped(session, image):
    end = time.monotonic() + PATIENCE_S
    while not (found := stage_of(session, image)).stopped:
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


@pytest.mark.parametrize(("name", "fault", "stage"), CASES[: scaled(0, len(CASES))] or SAMPLE)
def test_a_wait_in_vain_ends_and_leaves_its_stage(name, fault, stage):
    board = replace(find_board(name), backend="virtual")
    image = build_image([], board)
    with VirtualSession(Resolved(board, board, True, "a test"), image) as session:
        open_client(session, image)
        assert stage_of(session, image).is_over
        session.machine.inject(fault)
        session.reset()
        assert until_stopped(session, image).name == stage


# One of each family: the word is the same on the others, as the test above shows
FAMILIES = ["nucleo-h743", "nucleo-f446", "nucleo-l476", "nucleo-g0b1", "nucleo-u575"]


@pytest.mark.parametrize("name", FAMILIES[: scaled(1, 5)])
def test_the_doctor_names_a_pll_that_never_locks(name, attach):
    attach(name, faults=PLL[name])
    with ends():
        checks = bringup.bring_up(name)
    broken = next(check for check in checks if check.ok is False)
    assert (broken.name, broken.code) == ("uart", "device-stopped")
    assert f"{name} stopped, having waited in vain for the PLL to lock (stage PLL" in broken.detail
    assert re.search(r"pc 0x[0-9a-f]{8}  stm32_await\+0x", broken.detail)  # where the core stands
    assert "PORT_HSE_MHZ" in broken.hint


def test_a_transmitter_that_fails_in_a_run(attach):
    attach("nucleo-l476")
    image = build_image([], find_board("nucleo-l476"))
    with (
        pytest.raises(DeviceStoppedError, match=r"in vain for the UART to take a byte .*stage UART_SEND") as caught,
        open_session(resolve("nucleo-l476"), image) as session,
    ):
        client = open_client(session, image)
        session.debugger.device.machine.inject("mute@0")
        session.stream().write(encode(Kind.HELLO, 1, b"\x01\x00" + bytes(4)))
        until_stopped(session, image)
        client.hello(timeout_s=0.5)
    assert (caught.value.stage, caught.value.code) == ("start", "device-stopped")
    assert caught.value.hint and "through the debug probe" in caught.value.details


def test_the_stream_through_the_probe_needs_a_start_too(attach):
    attach("nucleo-h743", faults=PLL["nucleo-h743"])
    image = build_image([], find_board("nucleo-h743"), BuildOptions(link="rtt"))
    with pytest.raises(DeviceStoppedError, match="stage PLL"), open_session(resolve("nucleo-h743"), image):
        pass


def test_a_start_that_hangs_without_a_limit_tells_how_far_it_came(attach):
    attach("nucleo-h743")
    image = build_image([], find_board("nucleo-h743"))
    told = pytest.raises(DeviceStoppedError, match=r"does not get past its start: .*\(stage OSCILLATOR,")
    with told, open_session(resolve("nucleo-h743"), image) as session:
        open_client(session, image)
        session.debugger.reset_and_halt()
        word = read_header(firmware()).mark | 3
        session.debugger.write_word(symbol_address(image.elf, SYMBOL), word)
        Client(session.stream(), timeout_s=0.5).hello()


def test_a_missing_clock_at_the_hse_pin_is_done_without():
    board = replace(find_board("nucleo-h743"), backend="virtual")
    image = build_image([], board)
    with VirtualSession(Resolved(board, board, True, "a test"), image) as session:
        session.machine.inject(f"stuck0@{RCC_CR['nucleo-h743']:#x}.17")
        session.reset()
        assert open_client(session, image).info.board == "nucleo-h743"
        assert stage_of(session, image).is_over
