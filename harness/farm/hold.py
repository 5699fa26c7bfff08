"""A hold: one worker's use of one board of an agent, from the connection that begins it to the one that ends.

The connection is the lease's ground truth: whatever a coordinator has forgotten or given away, a board has one holder,
and it is free as soon as the connection ends or is silent for too long.
"""

from __future__ import annotations

import contextlib
import hashlib
import select
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.errors import FarmError, TinyhilError
from harness.farm.bench import resolve_entry
from harness.farm.images import ImageStore, image_of
from harness.farm.wire import BEAT_S, DEAD_S, AgentConnection, error_message

if TYPE_CHECKING:
    from harness.boards import Resolved, Session
    from harness.farm.bench import BenchBoard
    from harness.link.transport import Transport

_POLL_S = 0.002  # of a transport without a descriptor
_MOST_MEMORY = 16 << 20


class Hold:
    """Serves one holder of a board until it goes.

    Attributes:
        owner: the holder's name.
        since: monotonic seconds of its beginning.
        troubles: that the board had meanwhile.
    """

    def __init__(
        self,
        connection: AgentConnection,
        entry: BenchBoard,
        owner: str,
        images: ImageStore,
        note: Callable[[str, str], None],
        switch: Callable[[str], str],
    ) -> None:
        """
        Args:
            connection: to the holder.
            entry: the board's.
            owner: the holder's name.
            images: sent before.
            note: called with ("load", ""), ("good", ""), or the code and text of a trouble.
            switch: switches the board's supply: on, off, cycle or get.
        """
        self.owner = owner
        self.since = time.monotonic()
        self._connection = connection
        self._entry = entry
        self._images = images
        self._told = note
        self._troubled = False  # since the last load: what ends a run is seen at both ends, and is one trouble
        self._switch = switch
        self._resolved: Resolved = resolve_entry(entry)
        self._session: Session | None = None
        self._stream: Transport | None = None
        self._heard = time.monotonic()
        self._over = False
        self.troubles = 0

    def end(self) -> None:
        """Ends it from another thread: the holder's connection is closed."""
        self._over = True
        self._connection.close()

    def facts(self) -> dict[str, Any]:
        """The board that runs, for the holder."""
        found = self._resolved
        return {
            "asked": found.asked.name, "runs_on": found.runs_on.name, "backend": found.runs_on.backend,
            "stand_in": found.stand_in, "reason": found.reason, "entry": entry_hash(found),
            "probe": None if found.probe is None else [found.probe.unique_id, found.probe.description],
        }  # fmt: skip

    def serve(self) -> None:
        """Answers requests and relays the link until the holder goes or is silent for too long."""
        try:
            while not self._over:
                while (message := self._connection.receive(0.0)) is not None:
                    self._heard = time.monotonic()
                    self._take(*message)
                self._relay()
                if time.monotonic() - self._heard > DEAD_S:
                    break
                self._wait()
        except (OSError, ValueError):  # the holder is gone, or its connection was closed by end()
            pass
        finally:
            self._close()

    def _note(self, code: str, text: str) -> None:
        if code == "load":
            self._troubled = False
        elif code != "good":
            if self._troubled:
                return
            self._troubled = True
            self.troubles += 1
        self._told(code, text)

    def _wait(self) -> None:
        """Until there is something to do."""
        poll = select.poll()
        poll.register(self._connection.fileno(), select.POLLIN)
        timeout = BEAT_S
        if self._stream is not None:
            try:
                poll.register(self._stream.fileno(), select.POLLIN)  # type: ignore[attr-defined]
            except (OSError, AttributeError, TinyhilError):
                timeout = _POLL_S
        poll.poll(timeout * 1000.0)

    def _relay(self) -> None:
        """Passes on what the device has sent."""
        if self._stream is None:
            return
        try:
            data = self._stream.read(0.0)
        except TinyhilError as error:
            self._stream = None
            self._note(error.code, error.message)
            self._connection.send({"event": "lost", **error_message(error)})
            return
        if data:
            self._connection.send({"event": "bytes"}, data)

    def _take(self, request: dict[str, Any], data: bytes) -> None:
        """Does one request; answers it if it has a number."""
        do = str(request.get("do"))
        try:
            method = getattr(self, f"_do_{do}", None)
            if method is None:
                raise FarmError(f"the agent knows no request '{do}'", hint="use the same tinyhil at both ends")
            answer, payload = method(request, data)
        except TinyhilError as error:
            answer, payload = error_message(error), b""
            if do in ("load", "reset", "write"):
                self._note(error.code, error.message)
        except (KeyError, TypeError, ValueError, OSError) as error:
            answer, payload = error_message(FarmError(f"request {do}: {type(error).__name__}: {error}", hint="")), b""
        self._heard = time.monotonic()  # a request may take longer than a silence may last
        if "id" in request:
            self._connection.send({"id": request["id"], **answer}, payload)

    # --- requests; each returns (answer, bytes) ---

    def _do_beat(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        return {}, b""

    def _do_has(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        return {"has": self._images.find(str(request["sha256"])) is not None}, b""

    def _do_put(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        self._images.put(hashlib.sha256(data).hexdigest(), data)
        return {"sha256": hashlib.sha256(data).hexdigest()}, b""

    def _do_load(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        from harness.boards import open_session

        self._close()
        elf = self._images.find(str(request["sha256"]))
        if elf is None:
            raise FarmError("the agent does not have this image", hint="send it first")
        image = image_of(request["image"], elf)
        self._note("load", "")
        session = open_session(self._resolved, image, icount=bool(request.get("icount", True)))
        self._session = session
        try:
            session.open()
            session.load()
            self._stream = session.stream()
            scale = session.tick_scale()
        except BaseException:
            self._close()
            raise
        told = None if scale is None else [scale[0].value, scale[1].numerator, scale[1].denominator]
        return {"baud": session.baud, "tick_scale": told}, b""

    def _do_reset(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        session = self._opened()
        self._stream = None
        session.reset()
        self._stream = session.stream()
        return {"baud": session.baud}, b""

    def _do_write(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        if self._stream is None:
            return {}, b""  # it was lost, and the holder was told
        try:
            self._stream.write(data)
        except TinyhilError as error:
            self._stream = None
            self._connection.send({"event": "lost", **error_message(error)})
            raise
        return {}, b""

    def _do_baud(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        session = self._opened()
        session.stream().set_baud(int(request["baud"]))  # type: ignore[attr-defined]
        session.baud = int(request["baud"])
        return {}, b""

    def _do_read(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        length = int(request["length"])
        if not 0 <= length <= _MOST_MEMORY:
            raise ValueError(f"{length} bytes of memory")
        return {}, self._opened().read_memory(int(request["address"]), length)

    def _do_marks(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        from harness.link.records import Watermarks

        self._opened().compare_marks(Watermarks(**request["marks"]), int(request["seed"]))
        return {}, b""

    def _do_unload(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """Ends the session; the holder keeps the board."""
        session = self._session
        self._close()
        if session is None:
            return {"notes": [], "stderr": ""}, b""
        return {"notes": list(session.notes()), "stderr": session.stderr()}, b""

    def _do_said(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        return {"stderr": "" if self._session is None else self._session.stderr()}, b""

    def _do_good(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        self._note("good", "")
        return {}, b""

    def _do_trouble(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        self._note(str(request["code"]), str(request["text"])[:500])
        return {}, b""

    def _do_power(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        self._close()
        return {"state": self._switch(str(request["action"]))}, b""

    def _opened(self) -> Session:
        if self._session is None:
            raise FarmError("no image is loaded on the farm's board", hint="this is a bug, please report it")
        return self._session

    def _close(self) -> None:
        session, self._session, self._stream = self._session, None, None
        if session is not None:
            with contextlib.suppress(TinyhilError, OSError):
                session.close()


def entry_hash(resolved: Resolved) -> str:
    """A hash of the boards.yaml entry of the board that runs: both ends must mean the same board."""
    return hashlib.sha256(repr(resolved.runs_on).encode()).hexdigest()[:16]
