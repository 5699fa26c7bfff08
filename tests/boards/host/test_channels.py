"""An emulator's lines: sockets in a private folder; where only ports are, others at them are noticed."""

import os
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness.boards.backends.fvp import session as fvp
from harness.boards.channels import LONGEST_PATH, Channels
from harness.boards.tcp import process_tree, sockets_of, tcp_sockets
from harness.errors import BoardError
from harness.link.subprocess import Subprocess

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def path_of(channel):
    assert channel.option.startswith("path=")
    return Path(channel.option[5:].replace(",,", ","))


@pytest.fixture
def child():
    running = Subprocess("sleeper", SLEEPER, pipes=False)
    yield running
    running.close()


def test_sockets_lie_in_a_folder_of_ours_and_are_gone_afterwards(child):
    channels = Channels()
    channel = channels.listen("link")
    path = path_of(channel)
    assert stat.S_IMODE(os.stat(path.parent).st_mode) == 0o700 and stat.S_ISSOCK(os.stat(path).st_mode)
    with socket.socket(socket.AF_UNIX) as far:
        far.connect(str(path))
        far.send(b"x")
        with channel.accept(child, 5) as near:
            assert near.recv(1) == b"x"
            assert not path.exists(), "nobody can connect again"
    channels.close()
    channels.close()
    assert not path.parent.exists()


@pytest.mark.parametrize("name", ["x" * 150, "a,b=c d"])
def test_any_folder_for_temporary_files_will_do(tmp_path, monkeypatch, name):
    (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / name))
    channels = Channels()
    path = path_of(channels.listen("qmp"))
    assert len(os.fsencode(path)) <= LONGEST_PATH
    channels.close()
    assert not list((tmp_path / name).iterdir())


def test_no_folder_for_sockets(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(BoardError, match="No space left") as caught:
        Channels().listen("link")
    assert "TMPDIR" in caught.value.hint


def test_systems_without_unix_sockets_have_ports_of_the_loopback_interface(monkeypatch, child):
    monkeypatch.delattr(socket, "AF_UNIX")
    channels = Channels()
    assert channels.open_to_others
    channel = channels.listen("link")
    host, port = (part.split("=")[1] for part in channel.option.split(",")[:2])
    with socket.create_connection((host, int(port))), channel.accept(child, 5):
        assert host == "127.0.0.1"
    channels.close()


def listening(port_file):
    """A program that listens, tells its port in a file, and accepts nobody."""
    code = (
        f"import os, socket, time; s = socket.create_server(('127.0.0.1', 0)); p = {str(port_file)!r}; "
        "open(p + '.new', 'w').write(str(s.getsockname()[1])); os.rename(p + '.new', p); time.sleep(60)"
    )
    return [sys.executable, "-c", code]


def told(port_file):
    while not port_file.exists():
        pass
    return int(port_file.read_text())


@pytest.mark.skipif(not tcp_sockets(), reason="only Linux tells who holds a port")
def test_a_process_at_an_fvps_port_before_us_is_noticed(tmp_path):
    model = Subprocess("model", listening(tmp_path / "port"), pipes=False)
    try:
        port = told(tmp_path / "port")
        assert [each.port for each in sockets_of(process_tree(model.pid)) if each.listens] == [port]
        fvp.connect(port, model).close()
        with socket.create_connection(("127.0.0.1", port)), pytest.raises(BoardError, match="another process is") as e:
            fvp.connect(port, model)
        assert "tinyhil docs fvp" in e.value.hint
    finally:
        model.close()


def test_addresses_that_other_machines_reach():
    for family, address, own in (
        (socket.AF_INET, "127.0.0.1", True), (socket.AF_INET, "0.0.0.0", False),
        (socket.AF_INET6, "::1", True), (socket.AF_INET6, "::", False),
    ):  # fmt: skip
        with socket.socket(family) as listener:
            try:
                listener.bind((address, 0))
            except OSError:  # no such protocol here
                continue
            listener.listen(1)
            port = listener.getsockname()[1]
            found = [each.loopback for each in tcp_sockets() if each.port == port and each.listens]
            assert found in ([own], []), address


@pytest.mark.skipif(not tcp_sockets(), reason="only Linux tells who holds a port")
def test_a_port_that_is_not_the_models_is_noticed(tmp_path):
    model = Subprocess("model", listening(tmp_path / "own"), pipes=False)
    other = subprocess.Popen(listening(tmp_path / "other"))
    try:
        told(tmp_path / "own")
        with pytest.raises(BoardError, match="is another process's, not the one that model says"):
            fvp.connect(told(tmp_path / "other"), model)
    finally:
        model.close()
        other.kill()
        other.wait()
