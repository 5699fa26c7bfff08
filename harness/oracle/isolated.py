"""Runs an interpreter in a process of its own: a crash, a hang or too much memory there is an error here."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Sequence

import numpy as np

from harness.errors import OracleError, OracleMissingError
from harness.oracle.frames import BROKEN, FrameLine, Header
from harness.oracle.server import SERVER
from harness.oracle.session import Interpreter, Tensors
from harness.quantization.types import Array

TIME_LIMIT_S = 60.0
MEMORY_LIMIT = 1 << 30


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
        line, self._child = SERVER.open(name)
        self._line = FrameLine(line)
        self._closed = False
        limits = {"memory_limit": memory_limit, "time_limit_s": math.ceil(time_limit_s)}
        try:
            header, _ = self._ask(limits, [np.frombuffer(model, np.uint8)])
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
        self._end()

    def _end(self) -> int | None:
        """Ends the child, once; how it had ended before, as OracleServer.end."""
        if self._closed:
            return None
        self._closed = True
        self._line.close()
        return SERVER.end(self._child)

    def _ask(self, header: Header, arrays: Sequence[Array]) -> tuple[Header, list[Array]]:
        deadline = time.monotonic() + self._limit
        try:
            self._line.send(header, arrays, deadline)
            answer, values = self._line.receive(deadline)
        except BROKEN as error:
            raise self._broken(error) from error
        if "error" in answer:
            kind = OracleMissingError if answer.get("missing") else OracleError
            raise kind(str(answer["error"]), hint=str(answer["hint"]), details=str(answer["details"]))
        return answer, values

    def _broken(self, error: Exception) -> OracleError:
        code = self._end()
        if isinstance(error, TimeoutError):
            what = f"took longer than {self._limit:g} s"
        elif code is not None and code < 0 and -code != signal.SIGKILL:
            what = f"crashed with {signal.Signals(-code).name}"
        elif code is not None:
            what = f"ended with status {code}"
        else:
            what = "has ended"
        return OracleError(
            f"the oracle '{self._name}' {what} on this model",
            hint="the file is malformed, or uses an operator in a way this interpreter does not survive; "
            "oracle 'spec' computes it without that interpreter",
            details="" if isinstance(error, EOFError | TimeoutError) else repr(error),
        )
