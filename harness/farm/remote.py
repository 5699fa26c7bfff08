"""Leases through labgrid's coordinator: its queue and its places, and the agents beside the boards for the rest.

A lease is three things in a row: a reservation by tags, whose turn comes by priority and age; the place, acquired; and
the board, held at its agent. Only the last excludes others for certain: a coordinator that was restarted has forgotten
its leases, and gives places that are in use to others, whom the agents then turn away.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.errors import FarmError, FarmFullError, FarmLostError, LeasedError, TinyhilError
from harness.farm.bridge import Bridge, DeadBoardError
from harness.farm.client import Holding
from harness.farm.hold import entry_hash
from harness.farm.leases import holder_name, tags_for
from harness.farm.session import FarmSession

if TYPE_CHECKING:
    from harness.boards import Resolved, Session
    from harness.build.image import Image
    from harness.farm.address import FarmAddress

RESOURCE = "TinyhilBoard"
"""The class of the resource that an exporter offers for each board."""
_MARGIN_S = 30.0  # for an answer, beyond the wait for a board
_CONNECT_S = 5.0
_KNOWN_S = 5.0  # a coordinator that has just started learns of its places within that time
_AGAIN_S = 0.2


class RemoteLease:
    """A lease of a board behind an agent."""

    def __init__(self, bridge: Bridge, granted: dict[str, Any], holding: Holding, resolved: Resolved) -> None:
        self.name = str(granted["place"])
        self.resolved = resolved
        self._bridge = bridge
        self._token = str(granted["token"])
        self._holding = holding
        self._released = False

    @property
    def alive(self) -> bool:
        """Whether the agent still holds the board for us."""
        return not self._released and self._holding.alive

    def open(self, image: Image, *, icount: bool = True) -> Session:
        """A session through the agent."""
        return FarmSession(self.resolved, image, self._holding, icount=icount)

    def good(self) -> None:
        """Notes a good job."""
        with contextlib.suppress(TinyhilError):
            self._holding.ask("good")

    def trouble(self, error: TinyhilError) -> None:
        """Notes a trouble that the agent cannot see."""
        with contextlib.suppress(TinyhilError):
            self._holding.ask("trouble", code=error.code, text=error.message)

    def power(self, action: str) -> str:
        """Switches the board's supply: on, off, cycle or get. Raises FarmError."""
        return str(self._holding.ask("power", action=action)[0].get("state"))

    def release(self) -> None:
        """Gives the board back to the agent, then to the coordinator."""
        if self._released:
            return
        self._released = True
        self._holding.close()
        with contextlib.suppress(FarmError):  # a reaper frees it
            self._bridge.ask("free", place=self.name, token=self._token)


class RemoteLeases:
    """Leases of one worker. It holds one session with the coordinator; not for several threads."""

    def __init__(self, farm: FarmAddress, *, patient: bool = False) -> None:
        """Connects.

        Args:
            farm: with a coordinator.
            patient: wait for a coordinator that is away as long as for a board; otherwise some seconds.

        Raises:
            LabgridMissingError: there is no environment with labgrid.
            FarmLostError: the coordinator is not reached.
        """
        self._farm = farm
        self._bridge = Bridge(farm.coordinator, holder_name(), wait_s=farm.wait_s if patient else _CONNECT_S)

    def lease(self, board: str, wait_s: float, *, avoid: str = "", prefer: str = "") -> RemoteLease:
        """See harness.farm.leases.Leases."""
        start = time.monotonic()
        name = prefer or (avoid and self._other(board, avoid))
        while True:
            left = start + wait_s - time.monotonic()
            try:
                return self._try(board, max(left, 0.0), name)
            except DeadBoardError as error:  # nobody is given it until its agent is back
                with contextlib.suppress(FarmError):
                    self._bridge.ask("tag", place=error.place, tags={"state": "lost"})
            except FarmFullError:
                if left <= 0:
                    raise self._full(board, wait_s) from None
                self._known(board, time.monotonic() - start > _KNOWN_S)
            except LeasedError:  # the coordinator did not know that it is in use
                if left <= 0:
                    raise
                time.sleep(_AGAIN_S)
            except FarmLostError:
                if left <= 0:
                    raise
                time.sleep(_AGAIN_S)
                self._bridge.reconnect(left)

    def _other(self, board: str, avoid: str) -> str:
        """The name of a board of a type that is not `avoid`: a reservation cannot say what it does not want.

        Raises:
            FarmFullError: there is none.
        """
        wanted = tags_for(board, self._farm.tags)
        places = [
            place
            for place in self._bridge.ask("places")["places"]
            if place["name"] != avoid and wanted.items() <= place["tags"].items()
        ]
        if not places:
            raise FarmFullError(
                f"the farm at {self._farm.coordinator} has no board {board} besides {avoid}",
                hint="a second board of the type tells a flaky board from a flaky figure",
            )
        return str(min(places, key=lambda place: bool(place["acquired"] or place["reservation"]))["name"])

    def _try(self, board: str, wait_s: float, name: str) -> RemoteLease:
        # in turns of a few seconds: a farm that has no such board at all is not waited for
        turn = min(wait_s, _KNOWN_S)
        filters = {**tags_for(board, self._farm.tags), **({"name": name} if name else {})}
        granted = self._bridge.ask(
            "lease", filters=filters, priority=self._farm.priority, wait_s=turn, within_s=turn + _MARGIN_S
        )
        try:
            agent = next(each for each in granted["resources"] if each["cls"] == RESOURCE)["params"]
            holding = Holding(str(agent["host"]), int(agent["port"]), granted["place"], self._bridge.name)
        except (StopIteration, KeyError, ValueError) as error:
            self._give_back(granted)
            raise FarmError(
                f"place {granted['place']} offers no {RESOURCE}",
                hint="is its host's agent (`tinyhil farm serve`) of this version?",
            ) from error
        except BaseException:
            self._give_back(granted)
            raise
        try:
            resolved = resolved_of(holding.facts, granted["place"])
        except BaseException:
            holding.close()
            self._give_back(granted)
            raise
        return RemoteLease(self._bridge, granted, holding, resolved)

    def _give_back(self, granted: dict[str, Any]) -> None:
        with contextlib.suppress(FarmError):
            self._bridge.ask("free", place=granted["place"], token=granted["token"])

    def _known(self, board: str, for_certain: bool) -> None:
        """Raises FarmFullError if the farm has no board of the type, in whatever state."""
        places = self._bridge.ask("places")["places"]
        types = {str(place["tags"].get("board")) for place in places}
        if for_certain and board not in types:
            has = ", ".join(sorted(types - {"None"})) or "none"
            raise FarmFullError(
                f"the farm at {self._farm.coordinator} has no board {board}", hint=f"its types of boards: {has}"
            )

    def _full(self, board: str, wait_s: float) -> FarmFullError:
        with_tags = "".join(f", {key}={value}" for key, value in self._farm.tags.items())
        return FarmFullError(
            f"no board {board}{with_tags} of the farm at {self._farm.coordinator} became free in {wait_s:.0f} s",
            hint="`tinyhil farm status` shows who has them; --farm ...,wait=SECONDS waits longer",
        )

    def close(self) -> None:
        """Ends the session with the coordinator."""
        self._bridge.close()


def resolved_of(facts: dict[str, Any], place: str) -> Resolved:
    """The board that an agent says it runs, by our own boards.yaml.

    Raises:
        FarmError: ours has another entry for it.
        BoardConfigError: ours has none.
    """
    from harness.boards import Probe, Resolved, find_board, load_boards

    known = load_boards()
    asked = find_board(str(facts["asked"]), known)
    runs_on = replace(find_board(str(facts["runs_on"]), known), backend=str(facts["backend"]))
    probe = None if facts.get("probe") is None else Probe(str(facts["probe"][0]), str(facts["probe"][1]))
    found = Resolved(asked, runs_on, bool(facts["stand_in"]), str(facts["reason"]), probe)
    if entry_hash(found) != facts["entry"]:
        raise FarmError(
            f"board {place}: its host's boards.yaml has another entry for {runs_on.name} than this host's",
            hint="use the same version of tinyhil, and the same file of your own boards, at both ends",
        )
    return found
