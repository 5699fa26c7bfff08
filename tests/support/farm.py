"""A farm on loopback: labgrid's coordinator and the agents of two benches, as processes that tests kill and restart."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.boards.tcp import process_tree
from harness.farm.address import parse_farm
from harness.farm.overview import Overview, look
from harness.link.subprocess import Subprocess
from tests.support.paths import REPOSITORY

BENCHES: Mapping[str, Mapping[str, str]] = {
    "bench-a": {"a0": "mps2-an386", "a1": "mps2-an500", "a2": "nucleo-h743"},
    "bench-b": {"b0": "mps2-an386", "b1": "mps2-an500", "b2": "nucleo-h743"},
}
"""Six boards of three types on two benches: QEMU's and virtual ones."""


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def bench_text(name: str, boards: Mapping[str, str], more: str = "") -> str:
    """The file of a bench."""
    lines = [f"  {board}: {{board: {kind}{more}}}" for board, kind in boards.items()]
    return "\n".join([f"name: {name}", "boards:", *lines, ""])


class LoopbackFarm:
    """The farm's processes. They end with the test, however it ends."""

    def __init__(
        self, folder: Path, benches: Mapping[str, Mapping[str, str]] = BENCHES, serve: tuple[str, ...] = ()
    ) -> None:
        """serve: further options of `tinyhil farm serve`."""
        self.folder = folder
        self._serve = serve
        self.address = f"127.0.0.1:{free_port()}"
        self.benches = benches
        self._processes: dict[str, Subprocess] = {}
        for name, boards in benches.items():
            (folder / f"{name}.yaml").write_text(bench_text(name, boards), encoding="utf-8")

    def start(self) -> None:
        """Starts everything, and waits until all boards are ready."""
        self.start_coordinator()
        for name in self.benches:
            self.start_agent(name)
        self.wait_ready()

    def start_coordinator(self) -> None:
        self._start("coordinator", "coordinator", "--listen", self.address, "--state", str(self.folder / "coordinator"))

    def start_agent(self, bench: str) -> None:
        file, state = str(self.folder / f"{bench}.yaml"), str(self.folder / f"state-{bench}")
        options = ("--coordinator", self.address, "--state", state, "--publish", "127.0.0.1", *self._serve)
        self._start(bench, "serve", file, *options)

    def _start(self, name: str, *arguments: str) -> None:
        command = [sys.executable, "-m", "harness.cli", "farm", *arguments]
        self._processes[name] = Subprocess(name, command, pipes=False, env={"PYTHONPATH": str(REPOSITORY)})

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Kills the coordinator or an agent, and waits for its end."""
        with contextlib.suppress(OSError):
            os.kill(self._processes[name].pid, number)
        assert self._processes[name].ended(15.0)
        self._processes[name].close()

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def children(self, name: str, word: str) -> list[int]:
        """Process ids below an agent whose command line has a word in it."""
        return processes_with(self.pid(name), word)

    def look(self) -> Overview:
        return look(parse_farm(self.address))

    def wait_ready(self, boards: int | None = None, within_s: float = 60.0) -> Overview:
        """Waits until so many boards, all by default, are ready and nobody has them."""
        wanted = sum(map(len, self.benches.values())) if boards is None else boards
        deadline = time.monotonic() + within_s
        seen: Overview | None = None
        while time.monotonic() < deadline:
            with contextlib.suppress(Exception):
                seen = self.look()
                if sum(board.state == "ready" and not board.holder for board in seen.boards) >= wanted:
                    return seen
            time.sleep(0.2)
        said = {name: process.stderr()[-2000:] for name, process in self._processes.items()}
        raise AssertionError(f"the farm is not ready: {seen}\n{said}")

    def close(self) -> None:
        for process in self._processes.values():
            process.close()


def processes_with(root: int, word: str) -> list[int]:
    """Process ids of a process and all below it, in other process groups too, whose command line has a word in it."""
    return [pid for pid in process_tree(root) if word in command_of(pid)]


def command_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    return ""


@contextlib.contextmanager
def loopback_farm(
    folder: Path, benches: Mapping[str, Mapping[str, str]] = BENCHES, serve: tuple[str, ...] = ()
) -> Iterator[LoopbackFarm]:
    """Context of a farm that is ready."""
    farm = LoopbackFarm(folder, benches, serve)
    try:
        farm.start()
        yield farm
    finally:
        farm.close()


def run_python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python program that can import harness, its output to be read."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment,
    )  # fmt: skip
