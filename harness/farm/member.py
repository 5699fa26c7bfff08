"""An agent's part in a coordinator of labgrid: it makes the places of its boards, keeps their tags true, runs labgrid's
exporter for them, and frees places whose holder is gone.

State lives beside the boards, not in the coordinator, which forgets leases when it is restarted and writes places only
every 15 seconds: whatever it has lost, its agents tell it again within a second.

The reaper needs no clock but its own. A place of ours that is acquired or reserved by a worker of tinyhil, while nobody
holds the board at the agent, is freed after some seconds, and only from the very holder that was seen.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from pathlib import Path
from typing import Any

from harness.errors import FarmError, FarmLostError
from harness.farm.agent import Agent
from harness.farm.bench import BenchBoard, resolve_entry
from harness.farm.bridge import Bridge
from harness.farm.environment import labgrid_command
from harness.farm.leases import holder_name, is_ours
from harness.farm.remote import RESOURCE
from harness.files.writing import write_whole
from harness.link.subprocess import Subprocess

STEP_S = 0.5
REAP_S = 6.0
_EXPORTER_PAUSE_S = 2.0
_GROUP_MATCH = "{bench}/{board}/" + RESOURCE


class Member:
    """Keeps the places of an agent's boards in a coordinator, until close()."""

    def __init__(self, agent: Agent, coordinator: str, state: Path, *, publish: str, reap_s: float = REAP_S) -> None:
        """Starts the exporter and registers the places.

        Args:
            agent: whose boards.
            coordinator: HOST:PORT.
            state: folder for the exporter's configuration.
            publish: name or address under which workers reach this host.
            reap_s: seconds after which a place whose holder is gone is freed.

        Raises:
            LabgridMissingError: there is no environment with labgrid.
            FarmError: the configuration cannot be written.
        """
        self._agent = agent
        self._bench = agent.bench.name
        self._coordinator = coordinator
        self._config = state / f"{self._bench}-exporter.yaml"
        self._publish = publish
        self._reap_s = reap_s
        self._write_config()
        self._exporter: Subprocess | None = None
        self._exporter_since = 0.0
        self._kinds = {name: _kind(entry) for name, entry in agent.bench.boards.items()}
        self._bridge: Bridge | None = None
        self._registered = False
        self._seen: dict[str, tuple[Any, float]] = {}  # place -> (who had it, since when nobody holds it at the agent)
        self._over = threading.Event()
        labgrid_command("labgrid.remote.exporter")  # raises what is missing now, not in the thread
        agent.power = self.power
        self._thread = threading.Thread(target=self._run, name="tinyhil-member", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Takes the boards out of the farm, ends the exporter; may be called again."""
        self._over.set()
        self._thread.join(10.0)
        bridge = self._bridge
        if bridge is not None:
            with contextlib.suppress(FarmError):
                for name in self._agent.bench.boards:
                    bridge.ask("tag", place=name, tags={"state": "lost"}, within_s=3.0)
            bridge.close()
        if self._exporter is not None:
            self._exporter.close()

    def power(self, board: str, action: str) -> str:
        """Switches a board's supply through labgrid's driver: on, off, cycle or get. Raises FarmError."""
        port = self._agent.bench.boards[board].power
        if port is None:
            raise FarmError(f"board {board} has no power port", hint="give it `power` in the bench's file")
        if action not in ("on", "off", "cycle", "get"):
            raise FarmError(f"no power action is named '{action}'", hint="one of: on, off, cycle, get")
        if self._bridge is None:
            raise FarmLostError("the agent has no session with its coordinator", hint="does the coordinator run?")
        return str(self._bridge.ask("power", cls=port.cls, params=port.params, action=action)["state"])

    # --- the thread ---

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._keep_exporter()
                self._keep_places()
            except FarmError:
                self._registered = False
                with contextlib.suppress(FarmError):
                    if self._bridge is not None:
                        self._bridge.connect()
            self._over.wait(STEP_S)

    def _keep_exporter(self) -> None:
        """Starts the exporter, again where it has ended: it ends whenever its coordinator does."""
        if self._exporter is not None and not self._exporter.ended():
            return
        if time.monotonic() - self._exporter_since < _EXPORTER_PAUSE_S:
            return
        self._exporter_since = time.monotonic()
        if self._exporter is not None:
            self._exporter.close()
        options = ("-c", self._coordinator, "-n", self._bench, "--hostname", self._publish, str(self._config))
        self._exporter = Subprocess(
            "labgrid's exporter", labgrid_command("labgrid.remote.exporter", *options), pipes=False
        )

    def _keep_places(self) -> None:
        if self._bridge is None:
            self._bridge = Bridge(self._coordinator, holder_name())
        places = {place["name"]: place for place in self._bridge.ask("places")["places"]}
        for name, entry in self._agent.bench.boards.items():
            place = places.get(name)
            if place is None or not self._registered:
                self._register(name, entry, place)
                continue
            self._keep_tags(name, place)
            self._reap(name, place)
        self._registered = True

    def _register(self, name: str, entry: BenchBoard, place: dict[str, Any] | None) -> None:
        assert self._bridge is not None
        known = "" if place is None else str(place["tags"].get("bench", ""))
        if known not in ("", self._bench) and place is not None and place["resources"]:
            raise FarmError(f"board {name} is of bench {known} as well", hint="give one of them another name")
        tags = {"board": entry.board, "kind": self._kinds[name], "bench": self._bench, **entry.tags}
        match = _GROUP_MATCH.format(bench=self._bench, board=name)
        state = self._state(name, place or {"acquired": None, "resources": []})
        self._bridge.ask("add", place=name, match=match, tags={**tags, "state": state}, comment=self._comment(name))

    def _keep_tags(self, name: str, place: dict[str, Any]) -> None:
        assert self._bridge is not None
        state, comment = self._state(name, place), self._comment(name)
        if place["tags"].get("state") != state or place["comment"] != comment:
            self._bridge.ask("tag", place=name, tags={"state": state}, comment=comment)

    def _state(self, name: str, place: dict[str, Any]) -> str:
        """The value of the tag that leases ask for: only a board that is "ready" is given to anybody."""
        if self._agent.records[name].quarantined:
            return "quarantined"
        if not any(resource["avail"] for resource in place["resources"]):
            return "down"
        if self._agent.holder(name) and not place["acquired"]:
            return "held"  # the coordinator has forgotten the lease; the holder has not
        return "ready"

    def _comment(self, name: str) -> str:
        record = self._agent.records[name]
        return json.dumps({"quarantined": record.quarantined, "since": record.since}) if record.quarantined else ""

    def _reap(self, name: str, place: dict[str, Any]) -> None:
        """Frees a place whose holder is gone."""
        assert self._bridge is not None
        owner, token = place["acquired"] or "", place["reservation"] or ""
        if self._agent.holder(name) or not (is_ours(owner) if owner else token):
            self._seen.pop(name, None)
            return
        who, since = self._seen.setdefault(name, ((owner, token), time.monotonic()))
        if who != (owner, token):
            self._seen[name] = ((owner, token), time.monotonic())
        elif time.monotonic() - since > self._reap_s:
            del self._seen[name]
            if owner:
                self._bridge.ask("free", place=name, owner=owner, token=token)
            else:
                self._bridge.ask("cancel", token=token)

    def _write_config(self) -> None:
        import yaml

        params = {"host": self._publish, "port": self._agent.port}
        content = {name: {RESOURCE: dict(params)} for name in self._agent.bench.boards}
        try:
            write_whole(self._config, yaml.safe_dump(content))
        except OSError as error:
            raise FarmError(
                f"{self._config}: {error.strerror or error}", hint="name a folder of your own with --state"
            ) from error


def _kind(entry: BenchBoard) -> str:
    """The value of the tag "kind": "real", "virtual" or the name of another emulator."""
    found = resolve_entry(entry)
    return "real" if found.probe is not None and not found.probe.virtual else found.runs_on.backend
