"""The virtual board's two kinds of serial port: bytes both ways, errors and how they are cleared, rates."""

from __future__ import annotations

import pytest

from harness.virtual.chip import Clock, UsartDescription
from harness.virtual.usart import FE, ORE, RE, RXNE, TC, TE, TXE, IsrPort, StatusPort

CLOCK = 45_000_000
ICR = 0x20


class Line:
    def __init__(self):
        self.coming, self.given, self.damaged, self.full = b"", [], False, False

    def take(self, baud):
        data, self.coming = self.coming, b""
        return data, self.damaged

    def give(self, data, baud):
        self.given.append((data, round(baud)))

    def is_full(self):
        return self.full


@pytest.fixture(params=[IsrPort, StatusPort])
def port(request):
    made = request.param(UsartDescription("usart2", 0x4000_4400, Clock(0, 0)), lambda: CLOCK, lambda: None)
    made.line = Line()
    made.write(made.DIVIDER, 390, False)
    made.write(made.CONTROL, made.ENABLE | TE | RE, False)
    return made


def taken(port):
    got = b""
    port.read(port.STATUS, False)  # the first look after a byte was sent is at the room for the next
    while port.read(port.STATUS, False) & RXNE:
        got += bytes((port.read(port.RECEIVE, False),))
    return got


def test_bytes_come_in_their_order_and_a_debugger_takes_none(port):
    port.line.coming = b"abc"
    assert port.read(port.STATUS, False) & (RXNE | TXE | TC) == TXE | TC
    assert port.read(port.STATUS, False) & (RXNE | TXE | TC) == RXNE | TXE | TC
    assert port.read(port.STATUS, True) & RXNE and port.read(port.RECEIVE, True) == ord("a")
    assert taken(port) == b"abc"
    assert port.read(port.RECEIVE, False) == 0


def test_what_is_sent_goes_at_the_rate_of_then(port):
    for byte in b"xy":
        port.write(port.TRANSMIT, byte, False)
    port.write(port.DIVIDER, 49, False)
    port.write(port.TRANSMIT, ord("z"), False)
    port.flush()
    assert port.line.given == [(b"xy", 115_385), (b"z", 918_367)]
    port.write(port.CONTROL, port.ENABLE | RE, False)
    port.write(port.TRANSMIT, ord("n"), False)
    port.flush()
    assert len(port.line.given) == 2, "the transmitter is off"


def test_an_overrun_is_told_until_it_is_cleared(port):
    port.lose_at = (0, 16)
    port.line.coming = bytes(20)
    port.state.polls = 1
    assert port.read(port.STATUS, False) & (ORE | RXNE) == ORE | RXNE
    port.read(port.RECEIVE, True)
    assert port.read(port.STATUS, False) & ORE, "a debugger clears nothing"
    port.read(port.RECEIVE, False)
    if isinstance(port, IsrPort):
        assert port.read(port.STATUS, False) & ORE, "reading RDR does not clear it"
        port.write(ICR, ORE, False)
    assert not port.read(port.STATUS, False) & ORE
    assert len(taken(port)) == 3
    port.line.coming = bytes(20)
    assert len(taken(port)) == 20, "once"


def test_overruns_without_end(port):
    port.lose_at, port.loses_on = (0, 16), True
    for _ in range(3):
        port.line.coming = bytes(20)
        assert len(taken(port)) == 4


def test_damage_and_a_full_line_show_in_the_status(port):
    port.line.full = True
    port.state.polls = 1
    assert not port.read(port.STATUS, False) & (TXE | TC)
    port.line.full, port.line.damaged, port.line.coming = False, True, b"a"
    assert port.read(port.STATUS, False) & (FE | RXNE) == FE | RXNE


def test_a_port_that_is_off_takes_and_gives_nothing(port):
    port.write(port.CONTROL, 0, False)
    port.line.coming = b"a"
    assert port.read(port.STATUS, False) == TC | TXE
    port.write(port.TRANSMIT, 1, False)
    port.flush()
    assert port.line.coming == b"a" and port.line.given == []
