"""The ports' own images on the virtual board of their chip: start, clocks, serial line, ticks, guards, placement."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from harness.boards import find_board, load_boards
from harness.boards.backends.virtual.session import VirtualSession
from harness.build import BuildOptions, build_image
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.errors import DeviceFaultError, StackOverflowError
from harness.frontends import load
from harness.hardware.board import Resolved
from harness.hardware.placement import assign_regions
from harness.hardware.target import Target
from harness.link.client import Client
from harness.oracle import open_oracle
from harness.units import Unit
from harness.validate.measurement import measure
from tests.support.paths import FIXTURES
from tests.support.scale import scaled
from tests.support.tiny import tiny_package

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")

BOARDS = [board.name for board in load_boards().values() if "virtual" in board.stand_ins]
IN_RAM = {"code": "sram", "weights": "sram"}
MOVED = {
    "nucleo-h743": [
        {"arena": "dtcm", "weights": "axi", "code": "itcm"},
        {"stack": "axi", "data": "axi", "weights": "itcm", "code": "axi"},
    ],
    "nucleo-h7a3": [{"arena": "dtcm", "stack": "axi", "code": "itcm", "weights": "axi"}, {"scratch": "dtcm"}],
    "nucleo-f746": [{"stack": "sram", "code": "itcm", "weights": "sram"}, {"arena": "dtcm", "data": "sram"}],
    "nucleo-l476": [{"stack": "sram", "arena": "sram2", "code": "sram", "weights": "sram"}],
    "nucleo-f446": [{"code": "sram", "weights": "sram"}],
    "nucleo-l4r5": [{"stack": "sram3", "arena": "sram", "code": "sram2", "weights": "sram3"}],
    **(dict.fromkeys(("nucleo-g0b1", "nucleo-u575", "nrf52840dk"), [IN_RAM]) if scaled(0, 1) else {}),
}
GUARDS = {"nucleo-u575": "limit"}
# By default one board of a family; `make test-long` has all
SIBLINGS = ("nucleo-h7a3", "nucleo-f446", "nucleo-l4r5")
FAMILIES = [name for name in BOARDS if scaled(0, 1) or name not in SIBLINGS]
CASES = [(name, placement) for name in BOARDS for placement in ({}, *MOVED.get(name, []))]
STACK, BUS = 1, 2


def _name(case):
    return case if isinstance(case, str) else "-".join(f"{part}.{region}" for part, region in case.items()) or "own"


def _session(name, image):
    board = replace(find_board(name), backend="virtual")
    return VirtualSession(Resolved(board, board, True, "a test"), image)


@cache
def _digits():
    return load(FIXTURES / "digits.tflite")


@cache
def _vectors():
    rng = np.random.default_rng(3)
    return [[rng.integers(-128, 128, _digits().tensors[t].shape, np.int8) for t in _digits().inputs] for _ in range(3)]


@cache
def _expected():
    with open_oracle("tflm", _digits()) as oracle:
        return [oracle.invoke(vector).outputs for vector in _vectors()]


@pytest.mark.parametrize(("name", "placement"), CASES, ids=_name)
def test_an_image_computes_the_same_wherever_its_parts_lie(name, placement):
    board = find_board(name)
    placed = assign_regions(board, placement)
    target = Target(board.core, scratch_apart=placed is not None and placed.scratch_apart)
    package = emit(compile_graph(_digits(), core=target, name="digits"))
    assert package.plan.scratch_apart == target.scratch_apart
    image = build_image([package], board, BuildOptions(placement=placed))
    with _session(name, image) as session:
        got = measure(session, image, package, _vectors(), layers=True)
        assert session.baud == board.uart.fast_baud
    for outputs, expected in zip(got.outputs, _expected(), strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(outputs, expected, strict=True))
    device = got.device
    assert (device.board, device.core, device.clock_hz) == (name, board.core, board.clock_hz)
    assert device.guard == GUARDS.get(name, "mpu")
    assert device.ticks_run and device.tick_unit == "cycles"
    assert got.unit is Unit.INSTRUCTIONS  # never cycles: no silicon has run
    assert (got.line.baud, got.line.overruns, got.line.framing) == (board.uart.fast_baud, 0, 0)
    assert 0 < got.stack_high < image.stack_size and got.arena_overrun == 0


@pytest.mark.parametrize("name", FAMILIES)
def test_counts_of_layers_that_call_nothing_do_not_depend_on_the_placement(name):
    if find_board(name).core == "cortex-m0plus":
        pytest.skip("its layers call the compiler's library, which stays in flash, through veneers that count")
    totals = set()
    for placement in ({}, *MOVED.get(name, [])):
        package = tiny_package(core=find_board(name).core)
        placed = assign_regions(find_board(name), placement)
        image = build_image([package], find_board(name), BuildOptions(placement=placed))
        with _session(name, image) as session:
            vectors = [[np.full((1, 4, 4, 2), 5, np.int8)]]
            got = measure(session, image, package, vectors, layers=False)
            totals.add((got.total, got.layer_ticks))
    assert len(totals) == 1


@pytest.mark.parametrize(("name", "placement"), CASES, ids=_name)
def test_a_stack_that_overflows_meets_the_guard(name, placement):
    board = find_board(name)
    options = BuildOptions(placement=assign_regions(board, placement), test_faults=True)
    image = build_image([tiny_package(core=board.core)], board, options)
    with _session(name, image) as session:
        client = Client(session.stream(), elf=image.elf)
        client.hello(image.build_id, name)
        client.init(0)
        with pytest.raises(StackOverflowError):
            client.provoke(STACK)
        session.reset()
        client = Client(session.stream(), elf=image.elf)
        client.hello(image.build_id, name)
        with pytest.raises(DeviceFaultError):
            client.provoke(BUS)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_rate_that_the_host_never_uses_is_left_again(name):
    board = find_board(name)
    image = build_image([tiny_package(core=board.core)], board)
    with _session(name, image) as session:
        client = Client(session.stream(), elf=image.elf)
        client.hello(image.build_id, name)
        asked = []
        # our end stays at the old rate, as where the probe's serial port cannot do the new one
        assert client.raise_baud(board.uart.fast_baud, board.uart.baud, asked.append) is False
        assert asked == [board.uart.fast_baud, board.uart.baud]
        assert client.line().baud == board.uart.baud


def test_a_rate_that_the_device_left_before_the_host_asked_is_not_taken_for_the_new_one():
    board = find_board("nucleo-h743")
    image = build_image([tiny_package(core=board.core)], board)
    with _session(board.name, image) as session:
        client = Client(session.stream(), elf=image.elf)
        client.hello(image.build_id, board.name)
        asked = []
        # our end stays at the old rate and is slow, so that its first question finds the device back there
        late = lambda rate: asked.append(rate) or time.sleep(1.0)  # noqa: E731
        assert client.raise_baud(board.uart.fast_baud, board.uart.baud, late) is False
        assert asked == [board.uart.fast_baud, board.uart.baud]
        assert client.line().baud == board.uart.baud


@pytest.mark.parametrize("name", FAMILIES)
def test_a_host_that_starts_anew_at_the_old_rate_is_heard_again(name):
    board = find_board(name)
    image = build_image([tiny_package(core=board.core)], board)
    with _session(name, image) as session:
        client = Client(session.stream(), elf=image.elf)
        client.hello(image.build_id, name)
        session.raise_baud(client)
        assert client.line().baud == board.uart.fast_baud
        session.stream().set_baud(board.uart.baud)
        anew = Client(session.stream(), elf=image.elf)
        anew.hello(image.build_id, name)
        line = anew.line()
        assert line.baud == board.uart.baud and line.framing >= 16
