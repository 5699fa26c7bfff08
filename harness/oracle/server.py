"""Starts processes for oracles: a worker that has imported them forks one for each model, in some milliseconds.

One worker serves the whole process, from the first model to the process's end; one that is gone is replaced.
"""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import threading

from harness import resources
from harness.errors import OracleError
from harness.oracle.worker import END, OPEN, REPLY, REQUEST

START_LIMIT_S = 120.0
"""Until a worker has imported an oracle, seconds: from a cold disk on a loaded machine."""


def can_isolate() -> bool:
    """Whether the system can give a model a process of its own in this way (not Windows)."""
    return hasattr(os, "fork") and hasattr(socket, "send_fds")


class OracleServer:
    """The worker of this process, started when it is needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._worker: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._inherited: list[object] = []  # of the process that this one was forked from: not ours to end

    @property
    def pid(self) -> int | None:
        """The worker's process id, while there is one."""
        return None if self._worker is None or self._owner != os.getpid() else self._worker.pid

    def open(self, name: str) -> tuple[socket.socket, int]:
        """A line to a new process for one model of oracle `name`, and the process's id.

        Raises:
            OracleError: no process can be started.
        """
        with self._lock:
            for attempt in (1, 2):
                ours, theirs = socket.socketpair()
                with theirs:
                    try:
                        return ours, self._ask(REQUEST.pack(OPEN, 0, name.encode()), [theirs.fileno()])
                    except (OSError, EOFError) as error:
                        ours.close()
                        self._stop()
                        if attempt == 2:
                            raise OracleError(
                                f"no process for the oracle '{name}' can be started: {error or type(error).__name__}",
                                hint="look for a limit on processes or memory (ulimit -a)",
                            ) from error
        raise AssertionError("unreachable")

    def end(self, child: int) -> int | None:
        """End a process of `open`; its exit status, or minus its signal, as it ended before. None: not known."""
        with self._lock:
            if self._worker is None or self._owner != os.getpid():
                return None
            try:
                return self._ask(REQUEST.pack(END, child, b""), [])
            except (OSError, EOFError):
                self._stop()
                return None

    def close(self) -> None:
        """End the worker; idempotent. The next model starts another."""
        with self._lock:
            if self._owner == os.getpid():
                self._stop()

    def _ask(self, request: bytes, descriptors: list[int]) -> int:
        control = self._running()
        control.settimeout(START_LIMIT_S)
        socket.send_fds(control, [request], descriptors)
        reply = b""
        while len(reply) < REPLY.size:
            part = control.recv(REPLY.size - len(reply))
            if not part:
                raise EOFError("its worker has ended")
            reply += part
        return int(REPLY.unpack(reply)[0])

    def _running(self) -> socket.socket:
        if self._owner != os.getpid():
            self._inherited += [self._worker, self._control]
            self._worker = self._control = None
        if self._control is None:
            self._owner = os.getpid()
            self._worker, self._control = _start()
        return self._control

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._worker is not None:
            self._worker.kill()
            self._worker.wait()
        self._worker = self._control = None


def _start() -> tuple[subprocess.Popen[bytes], socket.socket]:
    paths = os.pathsep.join([str(resources.package().parent), *sys.path])
    ours, theirs = socket.socketpair()
    with theirs:
        # Without threads of its own, which a fork would lose.
        worker = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "harness.oracle.worker", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=os.environ | {"PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
    return worker, ours


SERVER = OracleServer()
atexit.register(SERVER.close)
