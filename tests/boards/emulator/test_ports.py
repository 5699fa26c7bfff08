"""No run opens a TCP port: neither this process nor anything that it starts."""

import os
import socket

import pytest

from harness.boards import find_board
from harness.boards.channels import Channels
from harness.boards.tcp import process_tree, sockets_of
from harness.validate.card import card_for_model
from harness.validate.options import Options
from harness.validate.vectors import RandomVectors
from harness.validate.workbench import Workbench
from tests.support.paths import FIXTURES


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="only Linux tells who listens")
@pytest.mark.parametrize(
    ("board", "link"), [("host", "uart"), ("mps2-an500", "uart"), ("mps2-an500", "fast"), ("nucleo-l4r5", "uart")]
)
def test_nothing_listens_during_a_run(board, link):
    """nucleo-l4r5 without a probe is a virtual board."""
    seen = []

    def look(what, done, total):
        if what == "run":
            held = sockets_of(process_tree(os.getpid()))
            seen.append([each for each in held if each.listens])

    options = Options(link=link, vectors=RandomVectors(random=2), opinions=())
    outcome = Workbench().validate(card_for_model(FIXTURES / "digits.tflite"), board, options, look)
    assert outcome.passed and len(seen) == 2
    assert seen == [[], []]


def test_the_look_sees_what_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        found = [each for each in sockets_of(process_tree(os.getpid())) if each.listens]
        assert any(each.port == port and each.loopback for each in found)


def test_memory_is_read_over_such_a_socket_too(monkeypatch):
    from harness.boards import open_session
    from harness.build import build_image
    from tests.support.tiny import tiny_package

    made = []
    listen = Channels.listen

    def noted(self, name):
        made.append(listen(self, name))
        return made[-1]

    monkeypatch.setattr(Channels, "listen", noted)
    board = find_board("mps2-an500")
    image = build_image([tiny_package(core=board.core)], board)
    with open_session(board, image) as session:
        assert len(session.read_memory(board.memory[0].origin, 64)) == 64
    assert [channel.option.startswith("path=") for channel in made] == [True, True]
