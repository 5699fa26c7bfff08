"""Runs an interpreter in a process of its own: a crash, a hang or too much memory there is an error here.

Parent and child exchange frames over pipes: a JSON header with the shapes and types of arrays, then their bytes. The
child sends no pickles, so that a malicious model that controls the child cannot run code in the parent.
"""

from __future__ import annotations

import json
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from harness import resources
from harness.errors import OracleError, OracleMissingError, TinyhilError
from harness.oracle.oracle import ORACLES
from harness.oracle.session import Interpreter, Tensors
from harness.quantization.types import Array

TIME_LIMIT_S = 60.0
MEMORY_LIMIT = 1 << 30
_LARGEST_FRAME = 1 << 30
_LENGTHS = struct.Struct("<II")

Header = dict[str, Any]


class IsolatedInterpreter(Interpreter):
    """An interpreter in a child process, started by harness.oracle.open_oracle(isolated=True).

    Raises:
        OracleMissingError: the oracle's package is not there.
        OracleError: the interpreter refused the model, crashed, or took longer than the time limit (seconds, for
            loading and for every inference) or more memory than the limit (bytes beyond the libraries; Linux only).
    """

    def __init__(
        self, model: bytes, name: str, *, time_limit_s: float = TIME_LIMIT_S, memory_limit: int = MEMORY_LIMIT
    ) -> None:
        self._name = name
        self._limit = time_limit_s
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(resources.package().parent), *sys.path])}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "harness.oracle.isolated", name, str(memory_limit)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        try:
            header, _ = self._ask({}, [np.frombuffer(model, np.uint8)])
            self.version = str(header["version"])
        except BaseException:
            self.close()
            raise

    def invoke(self, inputs: Sequence[Array], sources: Sequence[int]) -> tuple[tuple[Array, ...], Tensors]:
        """See Interpreter."""
        header, arrays = self._ask({"sources": list(sources)}, inputs)
        outputs = int(header["outputs"])
        shown = [int(source) for source in header["sources"]]
        return tuple(arrays[:outputs]), dict(zip(shown, arrays[outputs:], strict=True))

    def reset(self) -> None:
        """See Interpreter."""
        self._ask({"reset": True}, [])

    def close(self) -> None:
        """End the child."""
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # unsent bytes for a child that is gone
                    pass
        self._child.kill()
        self._child.wait()

    def _ask(self, header: Header, arrays: Sequence[Array]) -> tuple[Header, list[Array]]:
        assert self._child.stdin is not None and self._child.stdout is not None
        deadline = time.monotonic() + self._limit
        try:
            _Pipe(self._child.stdin, deadline).send(header, arrays)
            answer, values = _Pipe(self._child.stdout, deadline).receive()
        except (TimeoutError, EOFError, OSError, ValueError, KeyError, TypeError) as error:
            raise self._broken(error) from error
        if "error" in answer:
            kind = OracleMissingError if answer.get("missing") else OracleError
            raise kind(str(answer["error"]), hint=str(answer["hint"]), details=str(answer["details"]))
        return answer, values

    def _broken(self, error: Exception) -> OracleError:
        timed_out = isinstance(error, TimeoutError)
        self.close()
        code = self._child.returncode
        if timed_out:
            what = f"took longer than {self._limit:g} s"
        elif code is not None and code < 0 and -code != signal.SIGKILL:
            what = f"crashed with {signal.Signals(-code).name}"
        else:
            what = f"ended with status {code}"
        return OracleError(
            f"the oracle '{self._name}' {what} on this model",
            hint="the model is malformed, or uses an operator in a way this interpreter does not survive",
            details=repr(error),
        )


class _Pipe:
    """Frames over one direction of a pipe, until a deadline (monotonic seconds, None: for ever)."""

    def __init__(self, stream: IO[bytes], deadline: float | None = None) -> None:
        self._fd = stream.fileno()
        self._deadline = deadline

    def _wait(self, writing: bool) -> None:
        if self._deadline is None:
            return
        left = max(self._deadline - time.monotonic(), 0)
        fds = [self._fd]
        ready = select.select([], fds, [], left)[1] if writing else select.select(fds, [], [], left)[0]
        if not ready:
            raise TimeoutError("no answer")

    def send(self, header: Header, arrays: Sequence[Array]) -> None:
        """Write one frame."""
        shapes = [[array.dtype.name, list(array.shape)] for array in arrays]
        text = json.dumps(header | {"arrays": shapes}).encode()
        body = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
        view = memoryview(_LENGTHS.pack(len(text), len(body)) + text + body)
        while view:
            self._wait(writing=True)
            # At most what a writable pipe takes without blocking, so that the deadline holds.
            view = view[os.write(self._fd, view[: select.PIPE_BUF]) :]

    def receive(self) -> tuple[Header, list[Array]]:
        """Read one frame."""
        text, body = _LENGTHS.unpack(self._exactly(_LENGTHS.size))
        if text + body > _LARGEST_FRAME:
            raise ValueError(f"a frame of {text + body} bytes")
        header: Header = json.loads(self._exactly(text))
        data = self._exactly(body)
        arrays: list[Array] = []
        at = 0
        for kind, shape in header["arrays"]:
            array = np.frombuffer(data, np.dtype(kind), int(np.prod(shape, dtype=np.int64)), at).reshape(shape)
            at += array.nbytes
            arrays.append(array)
        return header, arrays

    def _exactly(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            self._wait(writing=False)
            part = os.read(self._fd, min(size - len(parts), 1 << 20))
            if not part:
                raise EOFError("the other side has ended")
            parts += part
        return bytes(parts)


# --- the child -------------------------------------------------------------------------------------------------------


def _limit_memory(size: int) -> None:
    """Limits memory to `size` bytes more than the process has now, where the system tells how much that is."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:  # not on macOS
        return
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + size, resource.RLIM_INFINITY))


def _answer(interpreter: Interpreter, header: Mapping[str, Any], arrays: Sequence[Array], pipe: _Pipe) -> None:
    if header.get("reset"):
        interpreter.reset()
        pipe.send({}, [])
        return
    outputs, tensors = interpreter.invoke(arrays, header["sources"])
    pipe.send({"outputs": len(outputs), "sources": list(tensors)}, [*outputs, *tensors.values()])


def _serve(name: str, memory_limit: int) -> None:
    reader, writer = _Pipe(sys.stdin.buffer), _Pipe(sys.stdout.buffer)
    interpreter: Interpreter | None = None
    while True:
        try:
            header, arrays = reader.receive()
        except EOFError:
            return
        try:
            if interpreter is None:
                oracle = ORACLES.get(name)
                oracle.load()
                _limit_memory(memory_limit)
                assert oracle.interpret is not None, "oracles without a file are never isolated"
                interpreter = oracle.interpret(arrays[0].tobytes())
                writer.send({"version": interpreter.version}, [])
            else:
                _answer(interpreter, header, arrays, writer)
        except MemoryError:
            what = f"the oracle '{name}' needs more than {memory_limit} bytes for this model"
            writer.send({"error": what, "hint": "give it a higher memory limit", "details": ""}, [])
        except TinyhilError as error:
            missing = isinstance(error, OracleMissingError)
            report = {"error": error.message, "hint": error.hint, "details": error.details, "missing": missing}
            writer.send(report, [])


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
