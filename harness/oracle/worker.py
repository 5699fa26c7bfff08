"""The process that harness.oracle.server starts: it imports the oracles once, and forks for every model.

What a model does to its process, such as a crash or an overwritten heap, ends with that process. Requests come over a
socket whose descriptor is the only argument.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import OracleMissingError, TinyhilError
from harness.oracle.frames import FrameLine
from harness.oracle.oracle import ORACLES
from harness.oracle.session import Interpreter
from harness.quantization.types import Array

REQUEST = struct.Struct("<cq64s")
"""OPEN with an oracle's name and a socket for it, or END with a process id."""
REPLY = struct.Struct("<q")
"""The process id of what was opened, or how the process ended: its exit status, or minus the signal's number."""
OPEN, END = b"o", b"e"

_AFTERWARDS_S = 5  # the other side has given up by then, or has ended


def _limit_memory(size: int) -> None:
    """Limits memory to `size` bytes more than the process has now, where the system tells how much that is."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:  # not on macOS
        return
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + size, resource.RLIM_INFINITY))


def _answer(interpreter: Interpreter, header: Mapping[str, Any], arrays: Sequence[Array], line: FrameLine) -> None:
    if header.get("reset"):
        interpreter.reset()
        line.send({}, [])
        return
    outputs, tensors = interpreter.invoke(arrays, header["sources"])
    line.send({"outputs": len(outputs), "sources": list(tensors)}, [*outputs, *tensors.values()])


def _open(name: str, memory_limit: int, model: bytes, line: FrameLine) -> Interpreter:
    oracle = ORACLES.get(name)
    oracle.load()
    _limit_memory(memory_limit)
    assert oracle.interpret is not None, "oracles without a file are never isolated"
    interpreter = oracle.interpret(model)
    line.send({"version": interpreter.version}, [])
    return interpreter


def _interpret(name: str, line: FrameLine) -> None:
    """Answer frames for one model until the other side closes the line."""
    interpreter: Interpreter | None = None
    memory_limit, time_limit = 0, 0
    while True:
        try:
            header, arrays = line.receive()
        except (EOFError, OSError):
            return
        try:
            if interpreter is None:
                memory_limit, time_limit = int(header["memory_limit"]), int(header["time_limit_s"])
            signal.alarm(time_limit + _AFTERWARDS_S)
            if interpreter is None:
                interpreter = _open(name, memory_limit, arrays[0].tobytes(), line)
            else:
                _answer(interpreter, header, arrays, line)
        except MemoryError:
            what = f"the oracle '{name}' needs more than {memory_limit} bytes for this model"
            line.send({"error": what, "hint": "give it a higher memory limit", "details": ""}, [])
        except TinyhilError as error:
            missing = isinstance(error, OracleMissingError)
            report = {"error": error.message, "hint": error.hint, "details": error.details, "missing": missing}
            line.send(report, [])
        signal.alarm(0)


def _fork(name: str, control: socket.socket, descriptor: int) -> int:
    """Start a process for one model; its id."""
    try:
        ORACLES.get(name).load()  # once, for all processes to come
    except Exception:  # noqa: S110 - the process that is forked says so
        pass
    gc.freeze()  # what is there stays shared with the processes to come
    child = os.fork()
    if child:
        os.close(descriptor)
        return child
    status = 1
    try:
        control.close()
        _interpret(name, FrameLine(socket.socket(fileno=descriptor)))
        status = 0
    finally:
        os._exit(status)


def _end(child: int) -> int:
    """End a process of this one; how it ended, by itself or by this."""
    try:
        os.kill(child, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except (ProcessLookupError, ChildProcessError):
        return 0


def _serve(control: socket.socket) -> None:
    """Answer requests until the other side is gone."""
    while True:
        text, descriptors, _, _ = socket.recv_fds(control, REQUEST.size, 1)
        if len(text) < REQUEST.size:
            return
        kind, child, name = REQUEST.unpack(text)
        if kind == OPEN:
            reply = _fork(name.rstrip(b"\0").decode(), control, descriptors[0])
        else:
            reply = _end(child)
        control.sendall(REPLY.pack(reply))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    _serve(socket.socket(fileno=int(sys.argv[1])))
