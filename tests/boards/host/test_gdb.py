"""QEMU's gdb stub as the harness speaks to it, against a stub that answers by heart."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.boards.backends.qemu.gdb import PC, Gdb
from harness.errors import BoardError, BoardLostError

FEATURES = b"l<target/>"
REGISTERS = b"".join(number.to_bytes(4, "little") for number in range(16)).hex().encode()


class Stub:
    """Answers commands in order; `heard` is all that came, by pieces as they came."""

    def __init__(self, connection: socket.socket, answers: list[bytes], size: bytes) -> None:
        self.heard: list[bytes] = []
        self._connection = connection
        self._answers = [size, FEATURES, *answers]

    def serve(self) -> None:
        pending = b""
        while self._answers:
            piece = self._connection.recv(65_536)
            if not piece:
                return
            self.heard.append(piece)
            pending += piece
            while self._answers and pending.count(b"#") and len(pending) >= pending.index(b"#") + 3:
                pending = pending[pending.index(b"#") + 3 :]
                answer = self._answers.pop(0)
                self._connection.sendall(b"+$%s#%02x" % (answer, sum(answer) & 0xFF))
        self._connection.close()


@contextmanager
def _stub(*answers: bytes, size: bytes = b"PacketSize=1000;other+") -> Iterator[tuple[Gdb, Stub]]:
    ours, theirs = socket.socketpair()
    stub = Stub(theirs, list(answers), size)
    thread = threading.Thread(target=stub.serve)
    thread.start()
    gdb = Gdb(ours)
    try:
        yield gdb, stub
    finally:
        gdb.close()
        thread.join(10)
        theirs.close()


def test_registers_are_set_and_the_core_goes_on_in_one_piece() -> None:
    """A byte to a core that runs would stop it: nothing may follow."""
    with _stub(b"OK", b"OK", b"T05thread:01;", REGISTERS) as (gdb, stub):
        gdb.go_on({0: 0x1234, PC: 0x100})
        assert gdb.registers()[1] == 1
    piece = stub.heard[2]
    assert piece.startswith(b"+$P0=34120000#") and b"$Pf=00010000#" in piece and piece.endswith(b"$c#63")
    assert stub.heard[3].startswith(b"+$g#"), "the stop is acknowledged with the next command"


@pytest.mark.parametrize(("size", "packets"), [(b"PacketSize=1000", 3), (b"PacketSize=20000", 1), (b"", 3)])
def test_memory_is_moved_in_pieces_as_large_as_the_stub_takes(size: bytes, packets: int) -> None:
    with _stub(*[b"OK"] * packets, size=size) as (gdb, stub):
        gdb.write_memory(0x2000, bytes(6_000))
    written = [piece for piece in stub.heard if b"$M" in piece]
    assert len(written) == packets
    assert max(map(len, written)) <= (int(size.split(b"=")[1], 16) if size else 4_096)


def test_answers_that_are_not_what_was_asked_for() -> None:
    with _stub(b"E22", b"T05") as (gdb, _), pytest.raises(BoardError, match="refused P0="):
        gdb.go_on({0: 1})
    with _stub(b"W00") as (gdb, _), pytest.raises(BoardError, match="stopped with"):
        gdb.go_on({})
    with _stub(b"E14") as (gdb, _), pytest.raises(BoardError, match="no memory at 0x00002000"):
        gdb.read_memory(0x2000, 4)


def test_a_stub_that_goes_away_while_the_core_runs() -> None:
    with _stub() as (gdb, _), pytest.raises(BoardLostError, match="went away"):
        gdb.go_on({})
