"""An agent in this process: what it lets holders do, and what it does not."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.boards import find_board
from harness.boards.session import open_client
from harness.build import BuildOptions, build_image
from harness.build.image import Image
from harness.errors import BoardError, BoardLostError, FarmError, FarmLostError, LeasedError
from harness.farm import client as client_module
from harness.farm import hold as hold_module
from harness.farm.agent import Agent
from harness.farm.bench import Bench, BenchBoard
from harness.farm.client import Holding, ask_agent, reach
from harness.farm.images import ImageStore, image_of, record_of
from harness.farm.remote import resolved_of
from harness.farm.session import FarmSession
from harness.validate.measurement import measure
from tests.support.farm import processes_with
from tests.support.tiny import check_tiny, tiny_package, tiny_vectors

BENCH = Bench(name="bench", boards={"one": BenchBoard(board="mps2-an386"), "two": BenchBoard(board="mps2-an386")})


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    agent = Agent(BENCH, tmp_path / "state")
    thread = threading.Thread(target=agent.serve, daemon=True)
    thread.start()
    yield agent
    agent.close()
    thread.join(5)


@pytest.fixture(scope="module")
def image() -> Image:
    return build_image([tiny_package(core="cortex-m4")], find_board("mps2-an386"))


def held(agent: Agent, board: str = "one", owner: str = "me") -> Holding:
    return Holding("127.0.0.1", agent.port, board, owner)


def session(holding: Holding, image: Image) -> FarmSession:
    return FarmSession(resolved_of(holding.facts, holding.board), image, holding)


def wait(what: object, within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not what():  # type: ignore[operator]
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def test_an_image_runs_beside_the_agent_with_the_same_answers(agent: Agent, image: Image) -> None:
    package = tiny_package(core="cortex-m4")
    holding = held(agent)
    with session(holding, image) as board:
        measured = measure(board, image, package, tiny_vectors(3), layers=True)
        check_tiny(measured, package, tiny_vectors(3))
        ram = next(region for region in board.ran_on.memory if region.kind == "ram")
        assert len(board.read_memory(ram.origin, 64)) == 64
        with pytest.raises(BoardError, match="has no memory at"):
            board.read_memory(0xF000_0000, 4)
        assert board.tick_scale() is not None
        board.reset()
        open_client(board, image)
    assert "farm board one" in board.notes()
    with session(holding, image) as board:  # again, with the image that the agent has
        open_client(board, image)
    holding.close()
    assert agent.records["one"].jobs == 2
    wait(lambda: not agent.holder("one"))


def test_a_board_has_one_holder_until_that_goes(agent: Agent) -> None:
    first = held(agent)
    with pytest.raises(LeasedError, match="held by me"):
        held(agent, owner="other")
    other = held(agent, "two", "other")
    first.close()
    wait(lambda: not agent.holder("one"))
    held(agent).close()
    assert other.alive
    other.close()


def test_a_silent_holder_is_taken_for_dead(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold_module, "DEAD_S", 0.5)
    monkeypatch.setattr(hold_module, "BEAT_S", 0.1)
    monkeypatch.setattr(client_module, "BEAT_S", 60.0)  # it does not say that it lives
    silent = held(agent)
    wait(lambda: not agent.holder("one"))
    wait(lambda: not silent.alive)
    with pytest.raises(BoardLostError, match="is gone"):
        silent.ask("has", sha256="")


def test_a_killed_emulator_is_one_trouble_and_is_told(agent: Agent, image: Image) -> None:
    holding = held(agent)
    with pytest.raises(BoardLostError, match="was killed by SIGKILL"), session(holding, image) as board:
        open_client(board, image)
        for pid in processes_with(os.getpid(), "qemu-system-arm"):
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            board.stream().read(0.2)
    holding.ask("trouble", code="board-lost", text="the same, as its holder saw it")
    assert agent.records["one"].troubles == 1 and not agent.records["one"].quarantined
    with session(holding, image) as board:
        open_client(board, image)
    holding.close()


def test_a_board_in_quarantine_is_held_by_nobody(agent: Agent) -> None:
    ask_agent("127.0.0.1", agent.port, "quarantine", board="one", reason="loose cable")
    with pytest.raises(LeasedError, match="quarantine: loose cable"):
        held(agent)
    ask_agent("127.0.0.1", agent.port, "release", board="one")
    holding = held(agent)
    assert ask_agent("127.0.0.1", agent.port, "end", board="one") == {"ended": True, "id": None}
    wait(lambda: not holding.alive)


def test_status_tells_boards_and_holders(agent: Agent) -> None:
    holding = held(agent, owner="host/tinyhil-1")
    status = ask_agent("127.0.0.1", agent.port, "status")
    assert status["bench"] == "bench"
    assert {board["name"]: board["holder"] for board in status["boards"]} == {"one": "host/tinyhil-1", "two": ""}
    holding.close()


def test_what_is_asked_wrongly_is_refused_by_name(agent: Agent) -> None:
    with pytest.raises(FarmError, match="has no board three"):
        held(agent, "three")
    with pytest.raises(FarmError, match="no request 'dance'"):
        ask_agent("127.0.0.1", agent.port, "dance", board="one")
    connection = reach("127.0.0.1", agent.port)
    connection.send({"do": "hold", "board": "one", "version": 99})
    answer = connection.receive(5.0)
    assert answer is not None and "wire version" in answer[0]["message"]
    connection.close()
    holding = held(agent)
    for request in (
        {"do": "load"}, {"do": "load", "sha256": "x"}, {"do": "read", "address": 0, "length": -1}, {"do": "reset"},
        {"do": "read", "address": "x", "length": 4}, {"do": "marks", "marks": {}}, {"do": "baud"}, {"do": "power"},
        {"do": "__init__"}, {"do": "power", "action": "on"},
    ):  # fmt: skip
        with pytest.raises(FarmError):
            holding.ask(**request)  # type: ignore[arg-type]
    assert holding.alive
    holding.close()


@pytest.mark.parametrize(
    "sent", [b"", b"\n", b"GET / HTTP/1.1\r\n\r\n", b"{}\n", b"[1]\n", b'{"size": -5}\n', b"\xff" * 999]
)
def test_strangers_do_no_harm(agent: Agent, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", agent.port)) as stranger:
        stranger.sendall(sent)
    held(agent).close()
    wait(lambda: not agent.holder("one"))


def test_only_loopback_is_listened_on(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "::", "192.168.1.1", "lab.example"):
        with pytest.raises(FarmError, match="loopback only"):
            Agent(BENCH, tmp_path / "state", host=host)


def test_an_agent_that_is_not_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(FarmLostError, match="is not reached"):
        Holding("127.0.0.1", port, "one", "me")


def test_another_hosts_agent_is_reached_through_ssh(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: Image
) -> None:
    """A stand-in for ssh connects its own pipes to the port that it is told, as `ssh -W` does."""
    program = tmp_path / "ssh"
    program.write_text(
        f"#!{sys.executable}\n"
        "import select, socket, os, sys\n"
        "assert sys.argv[-3] == '-W' and sys.argv[-1] == 'bench.example', sys.argv\n"
        "host, port = sys.argv[-2].split(':'); far = socket.create_connection((host, int(port)))\n"
        "while True:\n"
        "    ready = select.select([0, far], [], [])[0]\n"
        "    for one in ready:\n"
        "        data = os.read(0, 65536) if one == 0 else far.recv(65536)\n"
        "        if not data: sys.exit(0)\n"
        "        far.sendall(data) if one == 0 else os.write(1, data)\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("TINYHIL_SSH", str(program))
    holding = Holding("bench.example", agent.port, "one", "me")
    with session(holding, image) as board:
        open_client(board, image)
    holding.close()
    wait(lambda: not agent.holder("one"))


def test_images_are_kept_by_their_hash_and_damaged_ones_are_not_used(tmp_path: Path, image: Image) -> None:
    store = ImageStore(tmp_path / "images")
    data = image.elf.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    assert store.find(digest) is None and store.find("../../etc/passwd") is None
    path = store.put(digest, data)
    assert store.find(digest) == path
    path.write_bytes(data[:-1])
    assert store.find(digest) is None and not path.exists()
    with pytest.raises(FarmError, match="came damaged"):
        store.put(digest, data[:-1])
    again = image_of(record_of(image), path)
    assert (again.board, again.build_id, again.packages) == (image.board, image.build_id, image.packages)
    for wrong in (None, [], {}, {**record_of(image), "packages": "tiny"}, {**record_of(image), "stack_size": "many"}):
        with pytest.raises(FarmError):
            image_of(wrong, path)


def test_another_entry_in_boards_yaml_is_refused(agent: Agent) -> None:
    holding = held(agent)
    with pytest.raises(FarmError, match="another entry for mps2-an386"):
        resolved_of({**holding.facts, "entry": "0123456789abcdef"}, "one")
    holding.close()


def test_a_board_at_a_debug_probe_is_flashed_and_used_beside_the_agent(
    attach: Callable[..., None], tmp_path: Path
) -> None:
    """pyOCD runs in the agent, as on a host with real boards; the probe is a virtual one."""
    attach("nucleo-h743")
    bench = Bench(name="bench", boards={"h7": BenchBoard(board="nucleo-h743")})
    agent = Agent(bench, tmp_path / "state")
    threading.Thread(target=agent.serve, daemon=True).start()
    board = find_board("nucleo-h743")
    package = tiny_package(core="cortex-m7")
    image = build_image([package], board, BuildOptions(placement=board.placement))
    holding = held(agent, "h7")
    try:
        resolved = resolved_of(holding.facts, "h7")
        assert resolved.runs_on.backend == "pyocd" and resolved.probe is not None
        with FarmSession(resolved, image, holding) as used:
            client = open_client(used, image)
            assert used.baud == 921_600  # raised at both ends
            measured = measure(used, image, package, tiny_vectors(2), layers=True, client=client)
            check_tiny(measured, package, tiny_vectors(2))
        assert any("farm board h7" in note for note in used.notes())
    finally:
        holding.close()
        agent.close()
