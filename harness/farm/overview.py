"""What a farm is doing: boards, holders, the queue; and what a person does about it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import FarmError, TinyhilError
from harness.farm.leases import holder_name, is_ours

if TYPE_CHECKING:
    from harness.farm.address import FarmAddress

_AGENTS_AT_ONCE = 32


@dataclass(frozen=True)
class BoardView:
    """A board of a farm.

    Attributes:
        name: in the farm.
        board: its type.
        bench: that it is of.
        kind: "real", or what emulates it; "" where it is not known.
        state: "ready", "held", "down", "lost" or "quarantined".
        holder: who has it; "" if nobody has.
        record: what its agent knows of it, see harness.farm.health.BoardRecord; empty where the agent is not reached.
        up_s: seconds since its agent started; None where it is not reached.
        problem: why its agent is not reached; "" if it is.
    """

    name: str
    board: str
    bench: str
    kind: str
    state: str
    holder: str
    record: dict[str, Any] = field(default_factory=dict)
    up_s: float | None = None
    problem: str = ""


@dataclass(frozen=True)
class Overview:
    """A farm: its boards by name, and who waits for one: owner, filter, priority, seconds."""

    boards: tuple[BoardView, ...]
    queue: tuple[dict[str, Any], ...] = ()

    def usable(self) -> dict[str, int]:
        """Type -> boards of it that are neither in quarantine nor gone."""
        counts: dict[str, int] = {}
        for board in self.boards:
            if board.state not in ("quarantined", "lost"):
                counts[board.board] = counts.get(board.board, 0) + 1
        return counts


def look(farm: FarmAddress) -> Overview:
    """What a farm is doing now. Raises FarmError, FarmFileError, LabgridMissingError."""
    if farm.bench is not None:
        return _look_here(farm)
    from harness.farm.bridge import Bridge

    bridge = Bridge(farm.coordinator, holder_name())
    try:
        places = bridge.ask("places")["places"]
        queue = bridge.ask("queue")["queue"]
    finally:
        bridge.close()
    agents = {agent for place in places if (agent := _agent(place)) is not None}
    with ThreadPoolExecutor(_AGENTS_AT_ONCE) as pool:
        told = dict(zip(agents, pool.map(_status, agents), strict=True))
    by_name = sorted((place for place in places if _is_ours(place)), key=lambda each: str(each["name"]))
    boards = tuple(_view(place, told) for place in by_name)
    now = time.time()
    waiting = tuple(
        {
            "owner": each["owner"], "filter": each["filter"], "priority": each["priority"],
            "waits_s": max(now - each["created"], 0.0),
        }
        for each in queue
        if each["state"] == "waiting"
    )  # fmt: skip
    return Overview(boards, waiting)


def manage(farm: FarmAddress, board: str, do: str, **arguments: Any) -> dict[str, Any]:
    """Lets a board's agent do something.

    Args:
        farm: the farm.
        board: its name.
        do: "quarantine", "release" (from quarantine), "trouble" (note one) or "end" (take it from its holder).
        arguments: of the request: `reason`, or `code` and `text` of a trouble.

    Raises:
        FarmError: the farm has no such board, or its agent is not reached.
    """
    if farm.bench is not None:
        return _manage_here(farm, board, do, **arguments)
    from harness.farm.bridge import Bridge
    from harness.farm.client import ask_agent

    bridge = Bridge(farm.coordinator, holder_name())
    try:
        places = {place["name"]: place for place in bridge.ask("places")["places"]}
        place = places.get(board)
        if place is None:
            raise _no_board(farm, board, tuple(sorted(places)))
        agent = _agent(place)
        if agent is None:
            raise FarmError(f"board {board}: its exporter is gone", hint="start `tinyhil farm serve` on its host")
        answer = ask_agent(*agent, do, board=board, **arguments)
        if do == "end" and place["acquired"] and is_ours(place["acquired"]):
            bridge.ask("free", place=board, owner=place["acquired"], token=place["reservation"] or "")
        return answer
    finally:
        bridge.close()


def power(farm: FarmAddress, board: str, action: str) -> str:
    """Switches a board's supply while it is leased for that: on, off, cycle or get. Raises FarmError."""
    from harness.farm.remote import RemoteLeases

    if farm.bench is not None:
        raise FarmError("boards of a file have no power port", hint="power ports are switched through a coordinator")
    view = next((each for each in look(farm).boards if each.name == board), None)
    if view is None:
        raise _no_board(farm, board, ())
    leases = RemoteLeases(farm)
    try:
        lease = leases.lease(view.board, farm.wait_s, prefer=board)
        try:
            return lease.power(action)
        finally:
            lease.release()
    finally:
        leases.close()


def _no_board(farm: FarmAddress, board: str, known: tuple[str, ...]) -> FarmError:
    return FarmError(f"the farm at {farm.place} has no board {board}", hint=f"it has: {', '.join(known) or 'others'}")


def _is_ours(place: dict[str, Any]) -> bool:
    return "bench" in place["tags"] and "board" in place["tags"]


def _agent(place: dict[str, Any]) -> tuple[str, int] | None:
    from harness.farm.remote import RESOURCE

    for resource in place["resources"]:
        if resource["cls"] == RESOURCE and resource["avail"]:
            return str(resource["params"]["host"]), int(resource["params"]["port"])
    return None


def _status(agent: tuple[str, int]) -> dict[str, Any] | str:
    from harness.farm.client import ask_agent

    try:
        return ask_agent(*agent, "status")
    except TinyhilError as error:
        return error.message


def _view(place: dict[str, Any], told: dict[tuple[str, int], dict[str, Any] | str]) -> BoardView:
    agent = _agent(place)
    status = "its exporter is gone" if agent is None else told[agent]
    record: dict[str, Any] = {}
    if isinstance(status, dict):
        record = next((each for each in status["boards"] if each["name"] == place["name"]), {})
    tags = place["tags"]
    return BoardView(
        name=place["name"],
        board=tags["board"],
        bench=tags["bench"],
        kind=tags.get("kind", ""),
        state="lost" if agent is None else tags.get("state", ""),
        holder=record.get("holder") or place["acquired"] or "",
        record=record,
        up_s=status["up_s"] if isinstance(status, dict) else None,
        problem="" if isinstance(status, dict) else status,
    )


def _look_here(farm: FarmAddress) -> Overview:
    from dataclasses import asdict

    from harness.farm.bench import load_bench
    from harness.farm.local import local_holder, local_records

    assert farm.bench is not None
    bench = load_bench(farm.bench)
    records = local_records(bench)
    boards = []
    for name, entry in bench.boards.items():
        holder = local_holder(bench, name)
        state = "quarantined" if records[name].quarantined else "held" if holder else "ready"
        boards.append(BoardView(name, entry.board, bench.name, "", state, holder, asdict(records[name])))
    return Overview(tuple(boards))


def _manage_here(farm: FarmAddress, board: str, do: str, **arguments: Any) -> dict[str, Any]:
    from harness.farm.bench import load_bench
    from harness.farm.local import local_records

    assert farm.bench is not None
    bench = load_bench(farm.bench)
    if board not in bench.boards:
        raise _no_board(farm, board, tuple(bench.boards))
    records = local_records(bench)
    if do == "quarantine":
        records[board] = records[board].quarantine(str(arguments.get("reason") or "by hand"), time.time())
    elif do == "release":
        records[board] = records[board].released()
    elif do == "trouble":
        records[board] = records[board].trouble(str(arguments["code"]), str(arguments["text"]), time.time())
    else:
        raise FarmError(
            "a board of this host is taken from its holder by ending that process",
            hint="`tinyhil farm status` names the process",
        )
    return {"quarantined": records[board].quarantined}
