"""Runs in labgrid's environment: one session with its coordinator, asked through lines of JSON on stdin and stdout.

A request is {"id": N, "do": NAME, ...}, its answer {"id": N, ...} or {"id": N, "error": KIND, "text": ...}. Requests
are answered as they are done, in any order. Imports nothing of tinyhil. Ends when stdin does.

Kinds of errors: "lost", the coordinator is gone or not reached (connect again); "refused", it says no; "timeout";
"dead", the exporter of a board is gone; "bug".
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from labgrid.remote.client import ClientSession
from labgrid.remote.generated import labgrid_coordinator_pb2 as pb

CALL_TIMEOUT_S = 15.0
POLL_S = 1.0
STATES = {0: "waiting", 1: "allocated", 2: "acquired", 3: "expired", 4: "invalid"}


Answer = dict[str, Any]


class Refused(Exception):  # noqa: N818
    """An answer that is no result: (kind, text)."""


class CoordinatorSession:
    """One session with a coordinator."""

    def __init__(self) -> None:
        self.session: Any = None
        self.changed = asyncio.Condition()
        self.name = ""

    # --- the session ---

    async def do_connect(self, address: str, name: str, **_: Any) -> Answer:
        """Starts a session under a name, which leases are held by; ends the one before."""
        await self.end()
        os.environ["LG_HOSTNAME"], _slash, os.environ["LG_USERNAME"] = name.partition("/")
        self.name = name
        session = ClientSession(address, asyncio.get_running_loop())
        session.on_place_changed = self._noting(session.on_place_changed)
        try:
            await asyncio.wait_for(session.start(), CALL_TIMEOUT_S)
        except Exception as error:
            session.stopping.set()
            with contextlib.suppress(Exception):
                await session.close()
            raise Refused("lost", f"no coordinator of labgrid answers at {address}: {error}") from None
        self.session = session
        return {}

    def _noting(self, changed: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        async def on_place_changed(place: Any) -> None:
            await changed(place)
            async with self.changed:
                self.changed.notify_all()

        return on_place_changed

    async def end(self) -> None:
        """Ends the session."""
        session, self.session = self.session, None
        if session is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(session.stop(), 2.0)
            with contextlib.suppress(Exception):
                await asyncio.wait_for(session.close(), 2.0)

    def _live(self) -> Any:
        if self.session is None or self.session.stopping.is_set():
            raise Refused("lost", "the coordinator is gone")
        return self.session

    async def _call(self, method: str, request: Any) -> Any:
        try:
            return await getattr(self._live().stub, method)(request, timeout=CALL_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            gone = error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
            late = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            raise Refused("lost" if gone else "timeout" if late else "refused", error.details() or "") from None

    # --- leases ---

    async def do_lease(self, filters: dict[str, str], priority: float, wait_s: float, **_: Any) -> Answer:
        """Reserves a board by its tags, waits for its turn, and acquires it."""
        session = self._live()
        wanted = {"main": pb.Reservation.Filter(filter=filters)}
        made = await self._call("CreateReservation", pb.CreateReservationRequest(filters=wanted, prio=priority))
        token, place = made.reservation.token, ""
        try:
            place = await self._turn(made.reservation, time.monotonic() + wait_s)
            await self._call("AcquirePlace", pb.AcquirePlaceRequest(placename=place))
        except BaseException:
            with contextlib.suppress(Refused):
                if place:  # the answer may be what was lost
                    await asyncio.shield(self._call("ReleasePlace", self._release(place)))
                await asyncio.shield(self._call("CancelReservation", pb.CancelReservationRequest(token=token)))
            raise
        if not await session.sync_with_coordinator():  # what the acquisition changed has reached us
            raise Refused("lost", "the coordinator is gone")
        found = self._resources(session.places[place])
        if not any(resource["avail"] for resource in found):
            await self.do_free(place, token)
            raise Refused("dead", place)
        return {"place": place, "token": token, "tags": dict(session.places[place].tags), "resources": found}

    async def _turn(self, reservation: Any, deadline: float) -> str:
        """The place that the coordinator allocates."""
        session = self._live()
        while STATES.get(reservation.state) == "waiting":
            left = deadline - time.monotonic()
            if left <= 0:
                raise Refused("timeout", f"no board was free ({dict(reservation.filters['main'].filter)})")
            async with self.changed:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.changed.wait(), min(POLL_S, left))
            ours = [p.name for p in session.places.values() if p.reservation == reservation.token]
            if ours:
                return str(ours[0])
            reservation = (
                await self._call("PollReservation", pb.PollReservationRequest(token=reservation.token))
            ).reservation
        if STATES.get(reservation.state) != "allocated":
            raise Refused("refused", f"the reservation is {STATES.get(reservation.state)}")
        return str(next(iter(reservation.allocations.values())))

    async def do_free(self, place: str, token: str = "", owner: str | None = None, **_: Any) -> Answer:
        """Gives a place back that we hold, or that `owner` does and no other; whatever is free already is no error."""
        await self._call("ReleasePlace", self._release(place, owner))
        if token:
            await self.do_cancel(token)
        return {}

    def _release(self, place: str, owner: str | None = None) -> Any:
        return pb.ReleasePlaceRequest(placename=place, fromuser=owner or self.name)

    async def do_cancel(self, token: str, **_: Any) -> Answer:
        """Takes a reservation back; one that is gone is no error."""
        try:
            await self._call("CancelReservation", pb.CancelReservationRequest(token=token))
        except Refused as error:
            if error.args[0] != "refused":
                raise
        return {}

    # --- places ---

    async def do_add(self, place: str, match: str, tags: dict[str, str], comment: str, **_: Any) -> Answer:
        """Makes a place with its match, tags and comment, or brings one that is there to that state."""
        session = self._live()
        if place not in session.places:
            with contextlib.suppress(Refused):
                await self._call("AddPlace", pb.AddPlaceRequest(name=place))
        known = session.places.get(place)
        if known is None or not any(match == "/".join((m.exporter, m.group, m.cls)) for m in known.matches):
            with contextlib.suppress(Refused):
                await self._call("AddPlaceMatch", pb.AddPlaceMatchRequest(placename=place, pattern=match))
        return await self.do_tag(place, tags, comment)

    async def do_tag(self, place: str, tags: dict[str, str], comment: str | None = None, **_: Any) -> Answer:
        """Sets tags ("" removes one) and the comment of a place."""
        await self._call("SetPlaceTags", pb.SetPlaceTagsRequest(placename=place, tags=tags))
        if comment is not None:
            await self._call("SetPlaceComment", pb.SetPlaceCommentRequest(placename=place, comment=comment))
        return {}

    async def do_places(self, **_: Any) -> Answer:
        """All places with their resources, as the coordinator has told so far."""
        session = self._live()
        return {"places": [self._place(place) for place in session.places.values()]}

    async def do_queue(self, **_: Any) -> Answer:
        """All reservations, oldest first."""
        found = (await self._call("GetReservations", pb.GetReservationsRequest())).reservations
        fields = [
            {
                "token": each.token, "owner": each.owner, "state": STATES.get(each.state, "?"), "priority": each.prio,
                "created": each.created, "filter": dict(each.filters["main"].filter),
            }
            for each in found
        ]  # fmt: skip
        return {"queue": sorted(fields, key=lambda each: each["created"])}

    def _place(self, place: Any) -> Answer:
        return {
            "name": place.name, "tags": dict(place.tags), "comment": place.comment, "acquired": place.acquired,
            "reservation": place.reservation, "changed": place.changed, "resources": self._resources(place),
        }  # fmt: skip

    def _resources(self, place: Any) -> list[Answer]:
        found = []
        for exporter, groups in self._live().resources.items():
            for group, entries in groups.items():
                for name, entry in entries.items():
                    data = entry.data
                    if "cls" in data and place.hasmatch((exporter, group, data["cls"], name)):
                        plain = {key: data[key] for key in ("cls", "params", "avail")}
                        found.append({"exporter": exporter, "group": group, "name": name, **plain})
        return found

    # --- power ---

    async def do_power(self, cls: str, params: dict[str, Any], action: str, **_: Any) -> Answer:
        """Switches a power port through labgrid's driver for it: on, off, cycle or get."""
        return {"state": await asyncio.get_running_loop().run_in_executor(None, power, cls, params, action)}


def power(cls: str, params: dict[str, Any], action: str) -> Any:
    """The driver's answer to an action; blocks."""
    from labgrid import Target
    from labgrid.driver.powerdriver import PowerProtocol
    from labgrid.factory import target_factory

    target = Target("board")
    try:
        target_factory.make_resource(target, cls, None, dict(params))
        driver = {"PDUDaemonPort": "PDUDaemonDriver", "USBPowerPort": "USBPowerDriver"}.get(
            cls, cls.removesuffix("Port") + "Driver"
        )
        target_factory.make_driver(target, driver, None, {})
        port = target.get_driver(PowerProtocol)
        return getattr(port, action)()
    except Exception as error:
        raise Refused("refused", f"{type(error).__name__}: {error}") from None
    finally:
        with contextlib.suppress(Exception):
            target.cleanup()


async def answer(bridge: CoordinatorSession, request: Answer, write: Callable[[bytes], None]) -> None:
    """Does one request and writes its answer."""
    number = request.pop("id", None)
    try:
        result = await getattr(bridge, "do_" + str(request.pop("do", "")))(**request)
    except Refused as error:
        kind, text = error.args
        result = {"error": kind, "text": text}
    except asyncio.CancelledError:
        raise
    except Exception as error:
        result = {"error": "bug", "text": f"{type(error).__name__}: {error}"}
    write(json.dumps({"id": number, **result}).encode() + b"\n")


async def main() -> None:
    """Answers requests until stdin ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 22)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    out = os.dup(1)
    os.dup2(2, 1)  # whatever labgrid prints goes to stderr

    def write(data: bytes) -> None:
        while data:
            data = data[os.write(out, data) :]

    bridge = CoordinatorSession()
    running: set[asyncio.Task[None]] = set()
    while line := await reader.readline():
        task = loop.create_task(answer(bridge, json.loads(line), write))
        running.add(task)
        task.add_done_callback(running.discard)
    for task in running:
        task.cancel()
    await bridge.end()


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        asyncio.run(main())
