"""Transports and transcripts: ends, floods and closed ports are told, and what went over the line can be read."""

import os
import select
import socket
import subprocess
import sys
import threading
import time

import pytest

from harness.errors import BoardLostError, PortBusyError, PortMissingError
from harness.link.client import Client
from harness.link.framing import encode
from harness.link.pipes import PipeTransport
from harness.link.serial import SerialTransport
from harness.link.sockets import SocketTransport
from harness.link.transcript import Transcript
from harness.link.wire import Kind
from tests.support.firmware import BUILD_ID, build
from tests.support.patience import ends


def echo(code="import os\nwhile d := os.read(0, 65536): os.write(1, d)"):
    child = subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, bufsize=0)
    return child, PipeTransport(child.stdout, child.stdin)


def echo_of_a_socket():
    """A transport, and its far side, which returns what it gets."""
    near, far = socket.socketpair()

    def serve():
        with far:
            while data := far.recv(65536):
                far.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    return SocketTransport(near), far


def collected(transport, size, seconds=10.0):
    end = time.monotonic() + seconds
    got = b""
    while len(got) < size and time.monotonic() < end:
        got += transport.read(0.2)
    return got


@pytest.fixture(params=["pipe", "socket", "serial"])
def line(request):
    """A transport, and a function that ends its far side; the far side returns what it gets."""
    if request.param == "pipe":
        child, transport = echo()
        yield transport, child.kill
        child.kill()
        child.wait()
    elif request.param == "socket":
        transport, far = echo_of_a_socket()
        yield transport, lambda: far.shutdown(socket.SHUT_RDWR)
    else:
        controller, terminal = os.openpty()
        ended = threading.Event()

        def serve_terminal():
            while not ended.is_set():
                if select.select([controller], [], [], 0.02)[0]:
                    os.write(controller, os.read(controller, 1024))
            os.close(controller)

        transport = SerialTransport(os.ttyname(terminal), 115200)
        far = threading.Thread(target=serve_terminal, daemon=True)
        far.start()

        def end():
            ended.set()
            far.join()

        yield transport, end
        end()
        os.close(terminal)
    transport.close()


def test_bytes_come_back_as_they_were(line):
    transport, _ = line
    data = bytes(range(256)) * 10
    transport.write(data)
    assert collected(transport, len(data)) == data


def test_nothing_is_no_bytes_in_time(line):
    transport, _ = line
    start = time.monotonic()
    assert transport.read(0.1) == b""
    assert time.monotonic() - start > 0.05


def test_an_end_is_told(line):
    transport, end = line
    end()
    with pytest.raises(BoardLostError):
        for _ in range(50):
            transport.read(0.1)


def test_closing_twice_is_harmless_and_reading_then_is_told(line):
    transport, _ = line
    transport.close()
    transport.close()
    with pytest.raises(BoardLostError):
        transport.read(0.1)


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_writing_much_to_a_side_that_answers_much_does_not_lock_up(kind):
    """Both ways' buffers fill: only who reads while writing gets through."""
    data = bytes(range(256)) * 8192
    if kind == "pipe":
        child, transport = echo()
        transport.write(data)
        assert collected(transport, len(data)) == data
        child.kill()
        child.wait()
    else:
        transport, _ = echo_of_a_socket()
        transport.write(data)
        assert collected(transport, len(data)) == data
    transport.close()


def test_a_side_that_takes_nothing_is_told(monkeypatch):
    monkeypatch.setattr("harness.link.waiting.WRITE_TIMEOUT_S", 0.3)
    child, transport = echo("import time; time.sleep(30)")
    with ends(), pytest.raises(BoardLostError, match="took no bytes"):
        transport.write(bytes(10_000_000))
    child.kill()
    child.wait()
    transport.close()


def test_a_serial_port_that_is_held_or_missing():
    _, terminal = os.openpty()
    name = os.ttyname(terminal)
    first = SerialTransport(name, 115200)
    with pytest.raises(PortBusyError, match=name):
        SerialTransport(name, 115200)
    first.close()
    with pytest.raises(PortMissingError, match="/dev/no-such-port"):
        SerialTransport("/dev/no-such-port", 115200)


def test_the_protocol_runs_over_a_serial_port(tmp_path):
    """The host port behind a pseudo terminal, which has a serial port's manners."""
    import tty

    elf = build("host", tmp_path / "image")
    controller, terminal = os.openpty()
    tty.setraw(controller)
    child = subprocess.Popen([str(elf)], stdin=controller, stdout=controller)
    try:
        transport = SerialTransport(os.ttyname(terminal), 115200)
        client = Client(transport, timeout_s=5)
        assert client.hello().build_id == BUILD_ID
        client.init(0)
        assert client.infer([bytes(490)]).outputs == (b"\x02" * 490,)
        transport.close()
    finally:
        child.kill()
        child.wait()


def test_a_transcript_tells_frames_and_garbage():
    transcript = Transcript()
    transcript.note(">", encode(Kind.HELLO, 7, b"\x01\x00"))
    for byte in encode(Kind.READY, 0) + b"\x11\x22\0" + encode(Kind.HELLO | 0x80, 7, b"\0" * 100) + b"\x05":
        transcript.note("<", bytes((byte,)))
    text = transcript.text()
    assert "> HELLO #7, 2 bytes: 01 00" in text
    assert "< READY #0" in text
    assert "< no frame: 2 bytes: 11 22" in text
    assert "< HELLO answer #7, 100 bytes: 00 00" in text and "..." in text
    assert "< 1 bytes: 05, not ended" in text
    assert text.index("READY") < text.index("no frame") < text.index("answer")


def test_a_transcript_keeps_the_last_and_no_more():
    transcript = Transcript(limit=1000)
    for number in range(10_000):
        transcript.note("<", encode(Kind.READ, number, b"x" * 20))
    text = transcript.text()
    assert "#9999" in text and "#9000" not in text
    assert len(text) < 20_000
    transcript.note(">", bytes(range(1, 256)) * 100)
    assert len(transcript.text()) < 20_000
    assert transcript.sent == 25_500
