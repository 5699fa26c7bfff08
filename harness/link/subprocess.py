"""A child process that cannot outlive us.

However this process ends, the child ends: close() is called by `with`, by exceptions and Ctrl-C on the way out, and at
exit; and on Linux the kernel kills the child when we die without a word (SIGTERM, SIGKILL). The kernel takes the death
of the *thread* that started the child for the parent's, so each child has a thread of its own that starts it and stays
until it ends.

What the child starts in its turn, as a wrapper around an emulator does, shares its process group. The kernel does not
tell those of our death, so a small watcher waits for the end of a pipe that only we hold, and kills the group.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import IO

from harness.errors import BoardError

STDERR_LIMIT = 16_384
START_TIMEOUT_S = 20.0
END_TIMEOUT_S = 5.0

_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> Callable[[], None] | None:
    """What the child does between fork and exec, or None where the system has no such thing."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up before the fork: the child must not import anything
    parent = os.getpid()

    def before_exec() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # we died before the call
            os._exit(1)

    return before_exec


_WATCH = 'read -r done && exit; kill -s KILL -- "-$1"'
"""A script of sh: told that all is well it ends; when the pipe ends without a word, it kills the process group."""


@contextlib.contextmanager
def _watched(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Context in which the child's process group does not outlive us; kills what is left of the group at its end."""
    watcher = None
    if os.name == "posix":
        command = ["/bin/sh", "-c", _WATCH, "tinyhil-watch", str(process.pid)]
        nowhere = subprocess.DEVNULL
        with contextlib.suppress(OSError):  # no more processes: the child is worth more than its watcher
            watcher = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere, bufsize=0, start_new_session=True
            )
    yield
    if watcher is None:
        return
    with contextlib.suppress(OSError):  # someone else has asked how it ended, or nothing is left of the group
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(OSError):  # killed by hand
        watcher.communicate(b"done\n")


def _pseudo_terminal() -> tuple[IO[bytes], IO[bytes]]:
    """Our end and the program's, which passes bytes on as they are."""
    import tty

    ours, theirs = os.openpty()
    tty.setraw(theirs)
    return open(ours, "rb", buffering=0), open(theirs, "wb", buffering=0)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill it and all that it started, which share its process group."""
    with contextlib.suppress(OSError):
        if os.name == "posix" and process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)  # not waited for yet, so its number is still its own
        else:
            process.kill()


class Subprocess:
    """A running program.

    Attributes:
        name: what messages call it.
        command: its command line.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        pipes: bool,
        console: bool = False,
        env: dict[str, str] | None = None,
    ) -> None:
        """Start it.

        Args:
            name: what messages call it.
            command: program and arguments.
            pipes: whether to talk to it through stdin and stdout; otherwise they lead nowhere.
            console: keep what it says on stdout with what it says on stderr. Both are a pseudo-terminal then: into a
                pipe, C programs write only when they have some kilobytes together.
            env: variables to set besides ours.

        Raises:
            BoardError: it cannot be started.
        """
        self.name = name
        self.command = tuple(command)
        self._pipes = pipes
        self._console = console
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._failure: OSError | None = None
        self._started = threading.Event()
        self._ended = threading.Event()
        self._unwanted = False
        self._stderr = bytearray()
        self._stderr_dropped = 0
        atexit.register(self.close)
        try:
            threading.Thread(target=self._keep, name=f"tinyhil-{name}", daemon=True).start()
            if not self._started.wait(START_TIMEOUT_S):
                raise BoardError(f"{name} did not start in {START_TIMEOUT_S:.0f} s", hint="is the machine overloaded?")
        except BaseException:
            self.close()
            raise
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            self.close()
            raise BoardError(
                f"{self.name} cannot be started: {self._failure.strerror}", hint=f"try it by hand: {self.command[0]}"
            ) from self._failure

    def _keep(self) -> None:
        """The child's thread: starts it, collects what it says on stderr, waits for its end."""
        with contextlib.ExitStack() as afterwards:
            terminal = None
            try:
                if self._console:
                    ours, terminal = _pseudo_terminal()
                    afterwards.callback(ours.close)
                self._process = process = subprocess.Popen(
                    self.command,
                    stdin=subprocess.PIPE if self._pipes else subprocess.DEVNULL,
                    stdout=terminal or (subprocess.PIPE if self._pipes else subprocess.DEVNULL),
                    stderr=terminal or subprocess.PIPE,
                    bufsize=0,
                    start_new_session=os.name == "posix",  # Ctrl-C is for us; we end the child ourselves
                    preexec_fn=_die_with_parent(),
                    env=self._env,
                )
            except OSError as error:
                self._failure = error
                self._ended.set()
                self._started.set()
                return
            finally:
                if terminal is not None:
                    terminal.close()
            self._started.set()
            if self._unwanted:
                _kill(process)
            listened = ours if self._console else process.stderr
            assert listened is not None
            afterwards.callback(listened.close)
            with _watched(process), contextlib.suppress(OSError, ValueError):  # a pseudo-terminal ends with an error
                while chunk := listened.read(4096):
                    self._hear(chunk)
            process.wait()
        self._ended.set()

    def _hear(self, chunk: bytes) -> None:
        self._stderr += chunk
        excess = len(self._stderr) - STDERR_LIMIT
        if excess > 0:
            self._stderr_dropped += excess
            del self._stderr[:excess]

    @property
    def stdin(self) -> IO[bytes]:
        """The writing end of its stdin, unbuffered."""
        assert self._process is not None and self._process.stdin is not None
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """The reading end of its stdout, unbuffered."""
        assert self._process is not None and self._process.stdout is not None
        return self._process.stdout

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def ended(self, timeout_s: float = 0.0) -> bool:
        """Whether it has ended, waiting at most so long for it."""
        return self._ended.wait(timeout_s)

    def fate(self) -> str:
        """How it ended, as the end of a sentence."""
        code = None if self._process is None else self._process.poll()
        if code is None:
            return "is still running"
        if code < 0:
            with contextlib.suppress(ValueError):
                return f"was killed by {signal.Signals(-code).name}"
        return f"ended with status {code}"

    def stderr(self) -> str:
        """The last it said on stderr."""
        text = self._stderr.decode("utf-8", "replace").strip()
        return f"[{self._stderr_dropped} bytes before]\n{text}" if self._stderr_dropped else text

    def interrupt(self) -> None:
        """Ask it to end, as Ctrl-C does."""
        if self._process is not None and not self.ended():
            with contextlib.suppress(OSError):
                self._process.send_signal(signal.SIGINT)

    def close(self) -> None:
        """Kill it and wait for its end; may be called again, and from any thread."""
        self._unwanted = True
        if not self._started.wait(START_TIMEOUT_S):
            return  # its thread will kill it as soon as it is there
        process = self._process
        if process is not None:
            _kill(process)
            self._ended.wait(END_TIMEOUT_S)
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError, ValueError):
                        stream.close()
        atexit.unregister(self.close)
