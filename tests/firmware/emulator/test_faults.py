"""Everything that can go wrong around a board is an error of its own, comes in time, and harms no later run."""

import os
import signal
import stat
import sys

import pytest

from harness.boards import find_board, open_session, resolve
from harness.boards.backends.qemu import session as qemu
from harness.build import BuildOptions, build_image
from harness.errors import (
    BoardError,
    BoardLostError,
    DeviceFaultError,
    DeviceTimeoutError,
    EmulatorMissingError,
    GarbageError,
    NoBytesError,
    StackOverflowError,
    TinyhilError,
    WrongImageError,
)
from harness.link.client import Client
from harness.validate.measurement import measure
from tests.support.failures import complete
from tests.support.patience import ends
from tests.support.processes import outlives
from tests.support.tiny import TINY_VECTOR, tiny_package

BOARD = "mps2-an500"
STACK, BUS, INSTRUCTION, HANG, RESTART = 1, 2, 3, 4, 6
VECTORS = [TINY_VECTOR]


@pytest.fixture(scope="module")
def package():
    return tiny_package()


@pytest.fixture(scope="module")
def image(package):
    return build_image([package], find_board(BOARD))


def image_of(board, link=None):
    core = find_board(board).core
    return build_image([tiny_package(core=core)], find_board(board), BuildOptions(link=link, test_faults=True))


def run(board, image, package):
    with open_session(find_board(board), image) as session:
        return measure(session, image, package, VECTORS, layers=False, profile=False)


# --- faults of the firmware -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("board", ["mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547", "microbit"])
@pytest.mark.parametrize("link", ["uart", "semihost"])
@pytest.mark.parametrize(
    ("what", "kind", "said"),
    [
        (STACK, StackOverflowError, "recurse"),
        (BUS, DeviceFaultError, "hil_port_bad_access"),
        (INSTRUCTION, DeviceFaultError, "hil_port_bad_instruction"),
    ],
)
def test_a_fault_is_told_with_the_function_it_happened_in(board, link, what, kind, said):
    image = image_of(board, link)
    with ends(), open_session(find_board(board), image) as session:
        client = Client(session.stream(), elf=image.elf)
        client.hello(image.build_id)
        with pytest.raises(kind) as caught:
            client.provoke(what)
        complete(caught.value, "run")
        assert type(caught.value) is kind
        assert said in caught.value.message + caught.value.details
        assert "sp " in caught.value.details or what == STACK
        session.reset()
        again = Client(session.stream())
        assert again.hello(image.build_id).board == board


def test_a_session_passes_the_transcript_on():
    image = image_of(BOARD)
    with pytest.raises(DeviceFaultError) as caught, open_session(find_board(BOARD), image) as session:
        client = Client(session.stream(), elf=image.elf)
        client.hello()
        client.provoke(BUS)
    assert "bytes sent" in caught.value.transcript
    assert " > TEST" in caught.value.transcript and " < FAULT" in caught.value.transcript


@pytest.mark.parametrize("link", ["uart", "semihost"])
def test_a_device_that_stops_answering(link):
    image = image_of(BOARD, link)
    with open_session(find_board(BOARD), image) as session:
        client = Client(session.stream(), timeout_s=1.0)
        client.hello()
        with ends(), pytest.raises(DeviceTimeoutError) as caught:
            client.provoke(HANG)
        complete(caught.value, "link")
        session.reset()
        Client(session.stream()).hello(image.build_id)


def test_a_device_that_restarts_in_the_middle():
    image = image_of(BOARD)
    with open_session(find_board(BOARD), image) as session:
        client = Client(session.stream(), timeout_s=1.0)
        client.hello()
        with ends(), pytest.raises(TinyhilError) as caught:
            client.provoke(RESTART)
        assert isinstance(caught.value, (BoardLostError, DeviceTimeoutError))
        Client(session.stream()).hello(image.build_id)


# --- the wrong image --------------------------------------------------------------------------------------------------


def test_another_build_is_refused(image, package):
    other = build_image([tiny_package("other", seed=3)], find_board(BOARD))
    with open_session(find_board(BOARD), other) as session:
        with pytest.raises(WrongImageError, match=image.build_id) as caught:
            measure(session, image, package, VECTORS, layers=False)
        complete(caught.value, "link")
        assert other.build_id in caught.value.message


def test_another_compilation_of_the_model_is_refused(image):
    with open_session(find_board(BOARD), image) as session, pytest.raises(WrongImageError, match="tiny"):
        changed = tiny_package(seed=9)
        smaller = tiny_package("tiny2", seed=9)
        from dataclasses import replace

        plan = replace(smaller.plan, name="tiny", arena_size=smaller.plan.arena_size + 16)
        measure(session, image, replace(changed, plan=plan), VECTORS, layers=False)


def test_an_image_for_another_board_is_not_started(image):
    with pytest.raises(BoardError, match="mps2-an500.*mps2-an386") as caught:
        open_session(find_board("mps2-an386"), image)
    complete(caught.value, "board")


def test_a_device_that_is_another_board_is_refused(image):
    with open_session(find_board(BOARD), image) as session, pytest.raises(WrongImageError, match="mps3-an547"):
        Client(session.stream()).hello(expect_board="mps3-an547")


# --- the emulator -----------------------------------------------------------------------------------------------------


def test_no_emulator_is_a_missing_tool(image, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(qemu.VARIABLE, raising=False)
    monkeypatch.setattr(qemu, "USUAL_PLACES", ())
    with pytest.raises(EmulatorMissingError, match="qemu-system-arm") as caught, open_session(find_board(BOARD), image):
        pass
    complete(caught.value, "board")
    assert "install" in caught.value.hint


def test_an_emulator_named_wrongly_is_not_passed_over(image, monkeypatch):
    monkeypatch.setenv(qemu.VARIABLE, "/nowhere/qemu")
    with pytest.raises(EmulatorMissingError, match="/nowhere/qemu"), open_session(find_board(BOARD), image):
        pass


@pytest.fixture
def fake_qemu(tmp_path, monkeypatch):
    """Stands in for the emulator with a Python script, which gets `sock(name)` to connect by."""

    def install(body: str) -> None:
        path = tmp_path / "qemu"
        head = f"""#!{sys.executable}
import os, random, re, socket, sys, time
def sock(name):
    line = socket.socket(socket.AF_UNIX)
    line.connect(re.search(rf"id={{name}},path=([^ ,]+)", " ".join(sys.argv)).group(1))
    return line
"""
        path.write_text(head + body)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv(qemu.VARIABLE, str(path))

    return install


@pytest.mark.parametrize("link", ["uart", "semihost"])
def test_an_emulator_that_ends_at_once(link, package, fake_qemu, monkeypatch):
    image = build_image([package], find_board(BOARD), BuildOptions(link=link))
    fake_qemu("sys.stderr.write('cannot set up guest memory'); sys.exit(1)")
    with ends(), pytest.raises(BoardError) as caught:
        run(BOARD, image, package)
    complete(caught.value, "board")
    assert "status 1" in caught.value.message
    assert "cannot set up guest memory" in caught.value.details
    monkeypatch.delenv(qemu.VARIABLE)
    run(BOARD, image, package)


def test_an_emulator_too_old_for_the_board(image, package, fake_qemu):
    fake_qemu("sys.stderr.write('qemu: unsupported machine type'); sys.exit(1)")
    with pytest.raises(BoardError) as caught:
        run(BOARD, image, package)
    assert "6.2" in caught.value.hint


def test_an_emulator_that_never_connects(image, package, fake_qemu, monkeypatch):
    monkeypatch.setattr(qemu, "CONNECT_TIMEOUT_S", 0.5)
    fake_qemu("time.sleep(100)")
    with ends(), pytest.raises(BoardError, match="did not connect"):
        run(BOARD, image, package)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("s = sock('link'); time.sleep(100)", NoBytesError),
        ("s = sock('link')\nwhile True: s.sendall(random.randbytes(99)); time.sleep(.005)", GarbageError),
        ("s = sock('link'); s.recv(1); s.sendall(b'hello\\n')\nwhile True: s.recv(99)", GarbageError),
    ],
)
def test_a_device_that_speaks_no_frames(image, fake_qemu, body, kind):
    fake_qemu(body)
    with open_session(find_board(BOARD), image) as session:
        with ends(), pytest.raises(kind) as caught:
            Client(session.stream(), timeout_s=1.0).hello()
        complete(caught.value, "link")


@pytest.mark.parametrize("link", ["uart", "semihost"])
def test_an_emulator_killed_in_the_middle(link, package):
    image = build_image([package], find_board(BOARD), BuildOptions(link=link))
    with open_session(find_board(BOARD), image) as session:
        client = Client(session.stream())
        client.hello(image.build_id)
        client.init(0)
        os.kill(session.pid, signal.SIGKILL)
        with ends(), pytest.raises(BoardLostError, match="killed by SIGKILL") as caught:
            for _ in range(1000):
                client.infer([VECTORS[0][0].tobytes()])
        complete(caught.value, "board")
    run(BOARD, image, package)


def test_a_frozen_emulator_is_a_time_out(package):
    image = build_image([package], find_board(BOARD))
    with open_session(find_board(BOARD), image) as session:
        client = Client(session.stream(), timeout_s=1.0)
        client.hello(image.build_id)
        os.kill(session.pid, signal.SIGSTOP)
        with ends(), pytest.raises(DeviceTimeoutError):
            client.watermarks()
    run(BOARD, image, package)


# --- nothing is left behind -------------------------------------------------------------------------------------------

RUNNER = """
import sys, time
from harness.boards import find_board, open_session
from harness.build import BuildOptions, build_image
from tests.support.failures import complete
from tests.support.patience import ends
from tests.support.processes import outlives
from tests.support.tiny import TINY_VECTOR, tiny_package
image = build_image([tiny_package()], find_board("mps2-an500"), BuildOptions(link=sys.argv[1]))
with open_session(find_board("mps2-an500"), image) as session:
    print(session.pid, flush=True)
    if sys.argv[2] == "raise":
        raise RuntimeError
    if sys.argv[2] == "read":
        session.stream().read(300)
    time.sleep(300)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
@pytest.mark.parametrize("link", ["uart", "semihost"])
@pytest.mark.parametrize(
    ("does", "sent"),
    [("raise", None), ("read", signal.SIGINT), ("sleep", signal.SIGTERM), ("read", signal.SIGKILL)],
)
def test_no_emulator_outlives_its_user(link, does, sent, image):
    assert not outlives(RUNNER, link, does, sent=sent)


# --- a stand-in says so -----------------------------------------------------------------------------------------------


def test_an_absent_board_is_stood_in_for(package, monkeypatch):
    from harness.boards.backends.pyocd import probes
    from harness.boards.backends.virtual import backend as virtual

    monkeypatch.setattr(probes, "attached_probes", lambda: ())
    monkeypatch.setattr(virtual, "is_installed", lambda: False)
    resolved = resolve("nucleo-h743")
    image = build_image([package], resolved.runs_on)
    with open_session(resolved, image) as session:
        assert (session.board.name, session.ran_on.name, session.stand_in) == ("nucleo-h743", BOARD, True)
        assert BOARD in session.reason
        assert measure(session, image, package, VECTORS, layers=False).device.board == BOARD
