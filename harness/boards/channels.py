"""Sockets that an emulator connects to: Unix sockets in a folder that only this user can enter, never open ports.

Where the system has no Unix sockets (Windows), they are TCP ports of the loopback interface, which any process of the
machine could connect to first; a session says so in its notes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path

from harness.errors import BoardError, PortBusyError
from harness.files.private import NotPrivateError, private_folder
from harness.link.subprocess import Subprocess
from harness.link.waiting import ready

CONNECT_TIMEOUT_S = 15.0

LONGEST_PATH = 100
"""Bytes of a Unix socket's path that every system takes; sockaddr_un has room for 104 to 108."""

OPEN_NOTE = "the emulator is reached over TCP ports of 127.0.0.1, as this system has no Unix sockets"


class Channel:
    """A listening socket for one connection of an emulator.

    Attributes:
        option: what QEMU's `-chardev socket,` needs to connect to it.
    """

    def __init__(self, listener: socket.socket, option: str, path: Path | None) -> None:
        self.option = option
        self._listener = listener
        self._path = path

    def accept(self, child: Subprocess, timeout_s: float) -> socket.socket:
        """The emulator's connection; nobody can connect again.

        Raises:
            BoardError: it ended, or did not connect in time.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if ready(self._listener.fileno(), None, 0.02)[0]:
                connection, _ = self._listener.accept()
                self.close()
                if self._path is None:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connection
            if child.ended():
                said = child.stderr()
                hint = f"try it by hand: {' '.join(child.command)}"
                if "unsupported machine" in said:
                    hint = "this QEMU does not know the board: 6.2 or later is needed"
                raise BoardError(f"{child.name} {child.fate()} at start", hint=hint, details=said)
        raise BoardError(
            f"{child.name} did not connect in {timeout_s:.0f} s",
            hint="is the machine overloaded?",
            details=child.stderr(),
        )

    def close(self) -> None:
        """Ends listening; may be called again."""
        with contextlib.suppress(OSError):
            self._listener.close()
            if self._path is not None:
                self._path.unlink(missing_ok=True)


class Channels:
    """All channels of one emulator, and the folder that they are in."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._channels: list[Channel] = []

    @property
    def open_to_others(self) -> bool:
        """Whether other users of the machine could connect."""
        return not hasattr(socket, "AF_UNIX")

    def listen(self, name: str) -> Channel:
        """A new channel.

        Raises:
            BoardError: the system gives no socket, or no folder for it.
        """
        channel = _tcp() if self.open_to_others else self._unix(name)
        self._channels.append(channel)
        return channel

    def close(self) -> None:
        """Closes all channels and removes their folder; may be called again."""
        for channel in self._channels:
            channel.close()
        self._channels.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None

    def _unix(self, name: str) -> Channel:
        if self._folder is None:
            self._folder = _short_folder()
        path = self._folder / name
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(path))
            listener.listen(1)
        except OSError as error:
            listener.close()
            raise BoardError(
                f"no socket for the emulator in {self._folder}: {error.strerror or error}",
                hint="set TMPDIR to a folder on a local disk",
            ) from error
        return Channel(listener, f"path={str(path).replace(',', ',,')}", path)


def _short_folder() -> Path:
    """A new folder that only this user can enter, whose path leaves room for a socket's name.

    Raises:
        BoardError: there is none.
    """
    places = [tempfile.gettempdir(), os.environ.get("XDG_RUNTIME_DIR", ""), "/tmp", "/var/tmp"]
    problem = ""
    for place in filter(None, places):
        try:
            folder = Path(tempfile.mkdtemp(prefix="tinyhil-", dir=place))
            private_folder(folder)
        except NotPrivateError as error:  # a file system without modes
            problem = str(error.strerror)
            continue
        except OSError as error:
            problem = f"{place}: {error.strerror or error}"
            continue
        if len(os.fsencode(folder)) + 16 <= LONGEST_PATH:
            return folder
        problem = f"{place} has a path of {len(os.fsencode(place))} bytes, too long for a socket in it"
        folder.rmdir()
    raise BoardError(
        f"no folder for the sockets of the emulator: {problem}", hint="set TMPDIR to a folder with a short path"
    )


def _tcp() -> Channel:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
    except OSError as error:
        listener.close()
        raise PortBusyError(
            f"no local port can be opened: {error.strerror}", hint="does a firewall or sandbox forbid 127.0.0.1?"
        ) from error
    return Channel(listener, f"host=127.0.0.1,port={listener.getsockname()[1]},nodelay=on", None)
