"""Messages of agents, and what others may send instead."""

from __future__ import annotations

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import BoardLostError, FarmError, FlashError, NoBytesError, UnitError
from harness.farm.wire import AgentConnection, error_message, raised


def pair() -> tuple[AgentConnection, socket.socket]:
    ours, theirs = socket.socketpair()
    return AgentConnection(ours), theirs


def test_messages_with_bytes_arrive_whole_in_order() -> None:
    one, other = socket.socketpair()
    sender, receiver = AgentConnection(one), AgentConnection(other)
    sent = [({"n": n}, bytes([n]) * (n * 40_000)) for n in range(5)]
    thread = threading.Thread(target=lambda: [sender.send(*message) for message in sent])
    thread.start()
    for message, data in sent:
        got = receiver.receive(5.0)
        assert got is not None and got[0]["n"] == message["n"] and got[1] == data
    thread.join()
    assert receiver.receive(0.0) is None
    sender.close()
    with pytest.raises(ConnectionError):
        receiver.receive(1.0)
    receiver.close()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_one_error(data: bytes) -> None:
    connection, other = pair()
    other.sendall(data)
    other.close()
    try:
        while connection.receive(0.1) is not None:
            pass
    except (ConnectionError, ValueError):
        pass
    finally:
        connection.close()


@pytest.mark.parametrize("kind", [BoardLostError, NoBytesError, FlashError, FarmError, UnitError])
def test_errors_cross_with_their_class_and_texts(kind: type[Exception]) -> None:
    found = raised(error_message(kind("what", hint="next", details="lines")))  # type: ignore[call-arg]
    assert type(found) is kind
    assert (found.message, found.hint, found.details) == ("what", "next", "lines")


def test_an_unknown_error_is_one_of_the_farm() -> None:
    assert type(raised({"error": "of-the-future", "message": "what"})) is FarmError
