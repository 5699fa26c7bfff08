"""What goes wrong around a real board: each with an error of its own, in time, and the next run is well."""

import os
import re
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import serial

from harness.boards import bringup_checks, find_board, open_session, resolve
from harness.boards.backends.pyocd.debugger import Limits
from harness.boards.backends.pyocd.session import PyocdSession
from harness.boards.bringup import bring_up
from harness.boards.session import open_client
from harness.build import BuildOptions, build_image
from harness.elf.symbols import symbol_address
from harness.errors import (
    ConnectError,
    DamagedLineError,
    DeviceFaultError,
    DeviceRestartedError,
    FlashProtectedError,
    FlashTimeoutError,
    FlashVerifyError,
    GarbageError,
    LeasedError,
    NoBytesError,
    OverrunError,
    PortBusyError,
    PortLostError,
    PortMissingError,
    ProbeChoiceError,
    ProbeLostError,
    ProbeMissingError,
    ToolError,
    WrongChipError,
    WrongImageError,
)
from harness.ir.interpreter import run
from harness.link.client import Client
from harness.link.framing import encode
from harness.link.wire import Kind
from harness.validate.measurement import measure
from tests.support.failures import fails
from tests.support.scale import scaled
from tests.support.tiny import TINY_VECTOR, tiny_graph, tiny_package

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")

# By default the first; `make test-long` has all: each core of a virtual board, and a chip that is not ST's
BOARDS = ["nucleo-h743", "nucleo-u575", "nucleo-g0b1", "nrf52840dk"][: scaled(1, 4)]
# Its flash controller tells no errors, its reset register no brown-outs
SILENT = ("nrf52840dk",)
BUS_FAULT = 2
VECTORS = [TINY_VECTOR]
WANTED = run(tiny_graph(), VECTORS[0]).outputs[0]


@pytest.fixture(scope="module", params=BOARDS)
def board(request):
    return request.param


@pytest.fixture(scope="module")
def package(board):
    return tiny_package(core=find_board(board).core)


def flash_of(board):
    """The address of its flash."""
    return next(region.origin for region in find_board(board).memory if region.kind == "flash")


@pytest.fixture(scope="module")
def image(board, package):
    return build_image([package], find_board(board))


@pytest.fixture
def healthy(board, attach, image, package):
    """After the fault: the next run is well."""
    yield
    attach(board)
    with open_session(resolve(board), image) as session:
        measured = measure(session, image, package, VECTORS, layers=False)
    np.testing.assert_array_equal(measured.outputs[0][0], WANTED)


def runs(board, image, package, vectors=VECTORS, **options):
    with PyocdSession(resolve(board), image, **options) as session:
        return measure(session, image, package, vectors, layers=False)


# --- flash ------------------------------------------------------------------------------------------------------------


def test_a_probe_that_vanishes_while_flashing(board, attach, image, package, healthy):
    attach(board, faults="probe-gone@6000")
    with fails(ProbeLostError, "probe", match=f"virtual-{board} went away"):
        runs(board, image, package)


def test_a_write_protected_sector(board, attach, image, package, healthy):
    if board in SILENT:
        pytest.skip("its flash controller tells no errors")
    attach(board, faults=f"wrperr@{flash_of(board):#x}")
    with fails(FlashProtectedError, "flash", match="WRPERR") as caught:
        runs(board, image, package)
    assert "option bytes" in caught.value.hint and "WRPERR" in caught.value.as_dict()["facts"]["flags"]


def test_a_bit_that_is_programmed_wrong_in_silence(board, attach, image, package, healthy):
    at = symbol_address(image.elf, "hil_build_id") + 3
    attach(board, faults=f"corrupt@{at:#x}")
    with fails(FlashVerifyError, "flash", match=f"0x{at:08x}") as caught:
        runs(board, image, package)
    assert caught.value.address == at and caught.value.as_dict()["facts"] == {"address": at}


def test_a_flash_algorithm_that_hangs(board, attach, image, package, healthy):
    attach(board, faults="flash-hang")
    with fails(FlashTimeoutError, "flash"):
        runs(board, image, package, limits=Limits(init=1.0, erase=1.0, program=1.0))


def test_flash_that_changed_after_it_was_written_is_written_again(board, attach, image, package, tmp_path, healthy):
    attach(board)
    runs(board, image, package)
    stored = next((tmp_path / "state").glob("*.flash"))
    content = bytearray(stored.read_bytes())
    at = symbol_address(image.elf, "hil_models") - flash_of(board)
    content[at] ^= 0x10  # the build id stays right
    stored.write_bytes(content)
    with PyocdSession(resolve(board), image) as session:
        assert session.loaded.programmed


# --- the run ----------------------------------------------------------------------------------------------------------


def test_a_port_that_vanishes_in_a_run(board, attach, image, package, healthy):
    attach(board, faults="port-gone@1500")
    with fails(PortLostError, "port", match="/dev/"):
        runs(board, image, package, VECTORS * 200)


def test_a_brown_out_in_a_run(board, attach, image, package, healthy):
    attach(board)
    with fails(DeviceRestartedError, "run") as caught, open_session(resolve(board), image) as session:
        client = open_client(session, image)
        client.init(0)
        session.debugger.device.machine.inject("brown-out@20000")
        for _ in range(200):
            client.infer([bytes(32)])
    assert board in SILENT or "brown-out" in caught.value.details


def test_bytes_lost_to_an_overrun_are_sent_again(board, attach, image, package):
    attach(board, faults="overrun@300")
    with open_session(resolve(board), image) as session:
        client = open_client(session, image)
        measured = measure(session, image, package, VECTORS * 20, layers=False, client=client)
        assert client.retries > 0
        overruns = int.from_bytes(session.read_memory(symbol_address(image.elf, "hil_line") + 4, 4), "little")
    assert overruns > 0
    for outputs in measured.outputs:
        np.testing.assert_array_equal(outputs[0], WANTED)


def test_overruns_without_end(board, attach, image, package, healthy):
    attach(board, faults="overruns@1000")
    told = fails(OverrunError, "link", match=r"INVOKE was not answered .* lost bytes \d+ times \(overrun\)")
    with told as caught, PyocdSession(resolve(board), image) as session:
        client = Client(session.stream(), timeout_s=2.0)
        client.hello(image.build_id)
        measure(session, image, package, VECTORS * 20, layers=False, client=client)
    assert "--link rtt" in caught.value.hint


def test_a_line_that_loses_everything_says_so(board, attach, image, package, healthy):
    attach(board)
    with fails(DamagedLineError, "link") as caught, open_session(resolve(board), image) as session:
        client = Client(session.stream(), timeout_s=1.5)
        client.hello(image.build_id)
        inner = session.stream()
        write = inner.write
        inner.write = lambda data: write(b"\x00" + bytes(byte ^ 0x5A or 1 for byte in data[1:-1]) + b"\x00")
        client.watermarks()
    assert "damaged" in caught.value.message and "serial line:" in caught.value.details


def test_a_wrong_baud_rate(board, attach, image, package, healthy):
    attach(board, faults="baud@30")
    with fails(GarbageError, "link") as caught:
        runs(board, image, package)
    assert "baud" in caught.value.hint


@pytest.mark.parametrize("fast", [921_600, 3_000_000])
def test_a_rate_that_cannot_be_raised_falls_back(board, fast, attach, image, package):
    """Once the host's end cannot have it (it is set to another), once the device refuses it."""
    attach(board)
    entry = find_board(board)
    resolved = replace(resolve(board), runs_on=replace(entry, uart=replace(entry.uart, fast_baud=fast)))
    with PyocdSession(resolved, image) as session:
        client = Client(session.stream(), elf=image.elf)
        client.hello(image.build_id)
        stream = session.stream()
        set_baud = stream.set_baud
        stream.set_baud = lambda rate: set_baud(rate if rate == entry.uart.baud else 9_600)
        session.raise_baud(client)
        assert session.baud == entry.uart.baud
        assert client.hello().build_id == image.build_id


# --- who it is --------------------------------------------------------------------------------------------------------


def test_two_probes_and_none_chosen(board, attach, image, package, monkeypatch, healthy):
    attach(board, board)
    with fails(ProbeChoiceError, "probe") as caught:
        resolve(board)
    assert f"virtual-{board}-2" in caught.value.details and "--probe" in caught.value.hint
    for ways in ({"probe": f"virtual-{board}-2"}, {}):
        monkeypatch.setenv("TINYHIL_PROBE", "" if ways else f"virtual-{board}-2")
        resolved = resolve(board, **ways)
        assert resolved.probe.unique_id == f"virtual-{board}-2"
        with open_session(resolved, image) as session:
            assert open_client(session, image).info.board == board


def test_another_chip(board, attach, image, package, healthy):
    attach(board, faults="idcode@0x20036483")
    idcode = find_board(board).idcode
    with fails(WrongChipError, "probe", match=f"0x[0-9a-f]*6?483.*{idcode.text(idcode.device)}"):
        runs(board, image, package)


HOLDER = """
import sys, time
from harness.boards import find_board, open_session, resolve
from harness.build import BuildOptions, build_image
from tests.support.failures import fails
from tests.support.tiny import tiny_package
board = find_board(sys.argv[1])
image = build_image([tiny_package(core=board.core)], board)
with open_session(resolve(sys.argv[1]), image) as session:
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_board_that_another_process_has_leased(board, attach, image, package, healthy):
    environment = {**os.environ, **attach(board)}
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, board], stdout=subprocess.PIPE, env=environment)
    try:
        assert holder.stdout.readline() == b"held\n"
        with fails(LeasedError, "lease", match=f"process {holder.pid}"):
            runs(board, image, package)
    finally:
        holder.kill()
        holder.wait()


def test_a_target_that_pyocd_does_not_know(board, attach, image, package, healthy):
    attach(board)
    entry = replace(find_board(board), target="stm32z999")
    resolved = replace(resolve(board), runs_on=entry)
    with fails(ToolError, "tools", match="stm32z999") as caught, PyocdSession(resolved, image):
        pass
    assert "pyocd pack install" in caught.value.hint


# --- the port and bring-up checks -------------------------------------------------------------------------------------


def test_no_serial_port(board, attach, image, package, monkeypatch, healthy):
    from harness.virtual.probe import VirtualProbe

    attach(board)
    monkeypatch.setattr(VirtualProbe, "serial_port", None)
    with fails(PortMissingError, "port", match=f"virtual-{board}"):
        runs(board, image, package)
    monkeypatch.undo()


def test_a_port_that_another_program_has_open(board, attach, image, package, healthy):
    attach(board)
    with fails(PortBusyError, "port"), open_session(resolve(board), image) as session:
        device = session.port_device()
        session.stream().close()
        with serial.Serial(device, exclusive=True):
            session.reset()


def test_firmware_that_says_nothing(board, attach, image, package, healthy):
    attach(board)
    with fails(NoBytesError, "link") as caught, open_session(resolve(board), image) as session:
        session.debugger.reset_and_halt()
        session.stream().read(0.3)  # what it said before
        Client(session.stream(), timeout_s=1.0).hello()
    assert re.search(r"pc 0x0[08][0-9a-f]{6}  hil_reset", caught.value.details)


def test_another_build(board, attach, image, package, healthy):
    attach(board)
    with fails(WrongImageError, "link"), open_session(resolve(board), image) as session:
        Client(session.stream()).hello("0" * 16)


def test_a_fault_that_was_never_told_is_found_by_the_debugger(board, attach, package, healthy):
    attach(board)
    image = build_image([package], find_board(board), BuildOptions(test_faults=True))
    baseline = find_board(board).core == "cortex-m0plus"  # all its faults are hard faults, and none has an address
    kind = "hard fault" if baseline else "bus fault"
    told = fails(DeviceFaultError, "run", match=f"{kind} .*found through the debug probe.* hil_port_bad_access")
    with told as caught, open_session(resolve(board), image) as session:
        open_client(session, image)
        stream = session.stream()
        stream.write(encode(Kind.HELLO, 1, b"\x01\x00" + bytes(4)) + encode(Kind.TEST, 2, bytes((BUS_FAULT,))))
        stream.read = lambda timeout_s: time.sleep(timeout_s) or b""  # nothing of it reaches us
        Client(stream, timeout_s=1.0).hello()
    address = 0x6000_0000 if board == "nrf52840dk" else 0xF000_0000
    assert (f"bfar {address:#010x}" in caught.value.details) != baseline
    assert "calls that these words return to" in caught.value.details


def test_connecting_records_which_mode_worked(board, attach, image, package, monkeypatch, healthy):
    from pyocd.core import exceptions

    from harness.virtual.probe import VirtualProbe

    attach(board)
    connect, tried = VirtualProbe.connect, []

    def shy(self, protocol=None):
        tried.append(self.session.options.get("connect_mode"))
        if tried[-1] == "attach":
            raise exceptions.TransferError("no ACK")
        connect(self, protocol)

    monkeypatch.setattr(VirtualProbe, "connect", shy)
    with open_session(resolve(board), image) as session:
        assert session.connect_mode == "under reset"
        open_client(session, image)
        assert any("under reset worked" in note for note in session.notes())
    assert tried == ["attach", "under-reset"]
    monkeypatch.setattr(VirtualProbe, "connect", lambda *_: (_ for _ in ()).throw(exceptions.TransferError("no ACK")))
    with fails(ConnectError, "probe") as caught:
        runs(board, image, package)
    assert all(f"{mode}:" in caught.value.details for mode in ("normal", "under reset", "halt"))
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("faults", "check", "code"),
    [
        ("idcode@0x20036483", "chip", "wrong-chip"),
        ("wrperr", "flash", "flash-protected"),
        ("baud@30", "uart", "garbage"),
    ],
)
def test_bring_up_names_the_first_check_that_fails(board, attach, faults, check, code, monkeypatch, healthy):
    if faults == "wrperr":
        if board in SILENT:
            pytest.skip("its flash controller tells no errors")
        faults += f"@{flash_of(board):#x}"
    attach(board, faults=faults)
    monkeypatch.setattr(bringup_checks, "HELLO_TIMEOUT_S", 1.5)
    checks = bring_up(board)
    broken = next(one for one in checks if one.ok is False)
    assert (broken.name, broken.code) == (check, code)
    assert broken.hint
    after = checks[checks.index(broken) + 1 :]
    assert all(one.ok is None for one in after)


def test_a_board_that_was_unplugged_since_is_missed(board, attach, image, healthy):
    attach(board)
    resolved = resolve(board)
    attach()
    with fails(ProbeMissingError, "probe", match=f"virtual-{board} is not attached"), open_session(resolved, image):
        pass
