"""The agent: runs on the host that boards are attached to and lets one worker at a time use each of them.

It listens on loopback; workers of other hosts reach it through SSH. A connection says first what it wants: to hold a
board (see `hold`), or one of the requests of `tinyhil farm`: status, quarantine, release, end.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.errors import FarmError, LeasedError, TinyhilError
from harness.farm.bench import Bench
from harness.farm.health import BoardRecords
from harness.farm.hold import Hold
from harness.farm.images import ImageStore
from harness.farm.wire import DEAD_S, VERSION, AgentConnection, error_message
from harness.files.private import private_folder

_GREETING_S = 10.0
_MOST_CONNECTIONS = 512
_SAVE_S = 30.0
LOOPBACK = "127.0.0.1"


class Agent:
    """The agent of a bench.

    Attributes:
        bench: its boards.
        port: that it listens on.
        records: what is known of its boards.
    """

    def __init__(self, bench: Bench, state: Path, *, host: str = LOOPBACK, port: int = 0) -> None:
        """Listens; nothing is served before serve().

        Args:
            bench: the boards.
            state: folder of images and records, made if missing.
            host: address to listen on; only a loopback one, since whoever connects runs programs here.
            port: 0 for any.

        Raises:
            FarmError: the folder or the port cannot be used.
        """
        if not _is_loopback(host):
            raise FarmError(
                f"the agent listens on loopback only, not on {host}: whoever reaches it can run programs on this host",
                hint="workers of other hosts reach it through SSH by themselves",
            )
        self.bench = bench
        self._images = _images(state)
        self.records = BoardRecords(state / f"{bench.name}.json", tuple(bench.boards))
        self.power: Callable[[str, str], str] = _no_power
        self._holds: dict[str, Hold] = {}
        self._taking = threading.Lock()
        self._over = threading.Event()
        self._started = time.time()
        self._connections = threading.Semaphore(_MOST_CONNECTIONS)
        try:
            self._listener = socket.create_server((host, port), backlog=128)
        except OSError as error:
            raise FarmError(f"{host}:{port}: {error.strerror or error}", hint="choose another --port") from error
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Accepts connections until close()."""
        self._listener.settimeout(1.0)
        saved = time.monotonic()
        while not self._over.is_set():
            if time.monotonic() - saved > _SAVE_S:
                saved = time.monotonic()
                self.records.save()
            try:
                connected, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                if self._over.wait(0.1):  # else too many open files: some will be closed
                    break
                continue
            if not self._connections.acquire(blocking=False):
                connected.close()
                continue
            threading.Thread(target=self._greet, args=(connected,), daemon=True).start()

    def close(self) -> None:
        """Ends all holds and stops listening; may be called again."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.close()
        for hold in list(self._holds.values()):
            hold.end()
        deadline = time.monotonic() + DEAD_S
        while self._holds and time.monotonic() < deadline:
            time.sleep(0.02)
        self.records.save()

    def holder(self, board: str) -> str:
        """Who holds a board; "" if nobody does."""
        hold = self._holds.get(board)
        return "" if hold is None else hold.owner

    def end(self, board: str) -> bool:
        """Takes a board from its holder; False if it has none."""
        hold = self._holds.get(board)
        if hold is not None:
            hold.end()
        return hold is not None

    # --- connections ---

    def _greet(self, connected: socket.socket) -> None:
        connection = AgentConnection(connected)
        try:
            first = connection.receive(_GREETING_S)
            if first is not None:
                self._answer(connection, first[0])
        except (OSError, ValueError):
            pass  # gone before it said what it wanted
        finally:
            connection.close()
            self._connections.release()

    def _answer(self, connection: AgentConnection, request: dict[str, Any]) -> None:
        try:
            if request.get("version") != VERSION:
                raise FarmError(
                    f"an agent of wire version {VERSION} was asked in version {request.get('version')}",
                    hint="use the same version of tinyhil at both ends",
                )
            do = request.get("do")
            if do == "hold":
                return self._hold(connection, self._named(request), str(request.get("owner", "")))
            if do == "status":
                return connection.send({"id": request.get("id"), **self.status()})
            answer = self._manage(str(do), request)
        except TinyhilError as error:
            answer = error_message(error)
        connection.send({"id": request.get("id"), **answer})

    def _manage(self, do: str, request: dict[str, Any]) -> dict[str, Any]:
        board = self._named(request)
        now = time.time()
        if do == "quarantine":
            self.records[board] = self.records[board].quarantine(str(request.get("reason") or "by hand"), now)
        elif do == "trouble":
            self._note(board, str(request.get("code")), str(request.get("text")))
        elif do == "release":
            self.records[board] = self.records[board].released()
        elif do == "end":
            return {"ended": self.end(board)}
        else:
            raise FarmError(f"the agent knows no request '{do}'", hint="use the same version of tinyhil at both ends")
        return {"quarantined": self.records[board].quarantined}

    def _hold(self, connection: AgentConnection, board: str, owner: str) -> None:
        """Gives a board to the one who asks, if nobody has it, and serves it until it goes."""

        def note(code: str, text: str) -> None:
            self._note(board, code, text)

        with self._taking:
            if board in self._holds:
                raise LeasedError(f"board {board} is held by {self.holder(board)}", hint="wait for it")
            if self.records[board].quarantined:
                raise LeasedError(
                    f"board {board} is in quarantine: {self.records[board].quarantined}",
                    hint=f"`tinyhil farm release {board}` gives it back to work",
                )
            entry = self.bench.boards[board]
            hold = Hold(connection, entry, owner, self._images, note, lambda action: self.power(board, action))
            self._holds[board] = hold
        try:
            connection.send({"held": board, **hold.facts()})
            hold.serve()
        finally:
            if hold.troubles and entry.power is not None:  # whatever hung, it starts afresh for the next holder
                with contextlib.suppress(TinyhilError):
                    self.power(board, "cycle")
            busy = time.monotonic() - hold.since
            with self._taking:
                del self._holds[board]
                record = self.records[board]
                self.records[board] = type(record)(**{**asdict(record), "busy_s": record.busy_s + busy})

    def _note(self, board: str, code: str, text: str) -> None:
        record = self.records[board]
        if code == "load":
            self.records[board] = type(record)(**{**asdict(record), "jobs": record.jobs + 1})
        elif code == "good":
            self.records[board] = record.good()
        else:
            self.records[board] = record.trouble(code, text, time.time())

    def _named(self, request: dict[str, Any]) -> str:
        board = str(request.get("board"))
        if board not in self.bench.boards:
            raise FarmError(
                f"bench {self.bench.name} has no board {board}", hint=f"it has: {', '.join(self.bench.boards)}"
            )
        return board

    def status(self) -> dict[str, Any]:
        """Bench, boards, holders and records, JSON-ready."""
        boards = [
            {
                "name": name, "board": entry.board, "holder": self.holder(name), "power": entry.power is not None,
                "tags": dict(entry.tags), **asdict(self.records[name]),
            }
            for name, entry in self.bench.boards.items()
        ]  # fmt: skip
        return {"bench": self.bench.name, "up_s": time.time() - self._started, "boards": boards}


def _images(state: Path) -> ImageStore:
    try:
        private_folder(state)
    except OSError as error:
        raise FarmError(
            f"{state}: the agent's state cannot be kept there: {error.strerror or error}",
            hint="name a folder of your own with --state",
        ) from error
    return ImageStore(state / "images")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _no_power(board: str, action: str) -> str:
    raise FarmError(f"board {board} has no power port", hint="give it `power` in the bench's file")
