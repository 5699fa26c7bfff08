"""Leases through labgrid's coordinator: one holder a board, dead holders, dead exporters, power ports."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import FarmError, FarmFullError, NoBytesError
from harness.farm.address import FarmAddress, parse_farm
from harness.farm.bridge import Bridge
from harness.farm.environment import find_environment, labgrid_command
from harness.farm.leases import holder_name
from harness.farm.overview import manage, power
from harness.farm.remote import RemoteLeases
from tests.support.farm import LoopbackFarm, bench_text, loopback_farm, run_python
from tests.support.patience import PATIENCE_S

BENCHES = {"bench-a": {"a0": "mps2-an386", "a1": "mps2-an500"}, "bench-b": {"b0": "mps2-an386"}}
HOLD = (
    "import sys, time; from harness.farm.address import parse_farm; from harness.farm.remote import RemoteLeases\n"
    "lease = RemoteLeases(parse_farm(sys.argv[1])).lease(sys.argv[2], 60)\n"
    "print(lease.name, flush=True); time.sleep(120)"
)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackFarm]:
    with loopback_farm(tmp_path_factory.mktemp("farm"), BENCHES, ("--reap", "2")) as farm:
        yield farm


def address(farm: LoopbackFarm, more: str = "") -> FarmAddress:
    return parse_farm(f"{farm.address}{more}")


def started(farm: LoopbackFarm) -> RemoteLeases:
    """Leases of a coordinator that may be starting."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return RemoteLeases(address(farm))
        except FarmError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_labgrid_is_in_an_environment_of_its_own() -> None:
    """It must never be imported here: its fork of pyserial replaces pyserial."""
    assert find_environment() != Path(sys.prefix)
    with pytest.raises(ModuleNotFoundError):
        __import__("labgrid")


def test_leases_by_type_tag_and_name(farm: LoopbackFarm) -> None:
    leases = RemoteLeases(address(farm))
    first = leases.lease("mps2-an386", 20.0)
    second = leases.lease("mps2-an386", 20.0)
    assert {first.name, second.name} == {"a0", "b0"}
    with pytest.raises(FarmFullError, match="became free"):
        leases.lease("mps2-an386", 0.5)
    first.release()
    second.release()
    assert second.alive is False
    lease = leases.lease("mps2-an386", 20.0, avoid="a0")
    assert lease.name == "b0"
    lease.release()
    with pytest.raises(FarmFullError, match="besides a1"):
        leases.lease("mps2-an500", 20.0, avoid="a1")
    with pytest.raises(FarmFullError, match="no board nucleo-l476"):
        leases.lease("nucleo-l476", 60.0)
    leases.close()
    with pytest.raises(FarmFullError):
        RemoteLeases(address(farm, ",kind=real")).lease("mps2-an386", 0.5)
    farm.wait_ready()


def test_a_killed_holders_board_is_free_again(farm: LoopbackFarm) -> None:
    holder = run_python(HOLD, farm.address, "mps2-an500")
    assert holder.stdout is not None and holder.stdout.readline() == "a1\n"
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    leases = RemoteLeases(address(farm))
    lease = leases.lease("mps2-an500", PATIENCE_S)
    lease.release()
    leases.close()


def test_a_waiter_killed_when_its_turn_comes_holds_nothing(farm: LoopbackFarm) -> None:
    leases = RemoteLeases(address(farm))
    lease = leases.lease("mps2-an500", 30.0)
    waiters = [run_python(HOLD, farm.address, "mps2-an500") for _ in range(2)]
    deadline = time.monotonic() + 20
    while len(farm.look().queue) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    lease.release()
    for waiter in waiters:
        waiter.kill()
        waiter.communicate()
    leases.lease("mps2-an500", 30.0).release()
    leases.close()
    farm.wait_ready()


def test_an_exporter_that_is_gone_is_seen_though_its_place_can_be_acquired(farm: LoopbackFarm) -> None:
    farm.kill("bench-b")
    leases = RemoteLeases(address(farm))
    names = []
    for _ in range(3):
        lease = leases.lease("mps2-an386", 30.0)
        names.append(lease.name)
        lease.release()
    assert set(names) == {"a0"}
    states = {board.name: board.state for board in farm.look().boards}
    assert states["b0"] == "lost"
    farm.start_agent("bench-b")
    farm.wait_ready()
    leases.close()


def test_a_coordinator_that_forgot_its_leases_gives_no_board_to_two(farm: LoopbackFarm) -> None:
    mine = RemoteLeases(address(farm))
    lease = mine.lease("mps2-an500", 30.0)
    farm.kill("coordinator")
    farm.start_coordinator()
    other = started(farm)
    with pytest.raises(FarmError):
        other.lease("mps2-an500", 4.0)
    assert lease.alive
    lease.release()
    lease = other.lease("mps2-an500", 30.0)
    assert lease.name == "a1"
    lease.release()
    other.close()
    mine.close()


def test_a_person_who_locked_a_board_by_hand_keeps_it(farm: LoopbackFarm) -> None:
    environment = {**os.environ, "LG_COORDINATOR": farm.address, "LG_HOSTNAME": "desk", "LG_USERNAME": "ada"}
    farm.wait_ready()

    def client(*arguments: str) -> None:
        command = labgrid_command("labgrid.remote.client", "-p", "a1", *arguments)
        subprocess.run(command, env=environment, check=True, capture_output=True)

    client("lock")
    leases = RemoteLeases(address(farm))
    with pytest.raises(FarmFullError):
        leases.lease("mps2-an500", 4.0)  # longer than a reaper waits
    client("unlock")
    leases.lease("mps2-an500", 20.0).release()
    leases.close()


def test_quarantine_survives_the_agent_and_leases_can_be_ended(farm: LoopbackFarm) -> None:
    assert manage(address(farm), "a1", "quarantine", reason="loose cable")["quarantined"] == "loose cable"
    leases = RemoteLeases(address(farm))
    with pytest.raises(FarmFullError):
        leases.lease("mps2-an500", 1.0)
    farm.kill("bench-a")  # it remembers
    farm.start_agent("bench-a")
    farm.wait_ready(boards=2)
    line = [sys.executable, "-m", "harness.cli", "farm", "status", "--farm", farm.address, "--json"]
    told = json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)
    assert {board["name"]: board["state"] for board in told["boards"]}["a1"] == "quarantined"
    manage(address(farm), "a1", "release")
    held = leases.lease("mps2-an500", 30.0)
    assert manage(address(farm), "a1", "end")["ended"] is True
    other = RemoteLeases(address(farm))
    lease = other.lease("mps2-an500", 30.0)
    assert not held.alive and lease.alive
    held.release()  # of one that is not ours any more, which takes nothing from its new holder
    assert lease.alive
    lease.release()
    for each in (leases, other):
        each.close()
    with pytest.raises(FarmError, match="has no board zz"):
        manage(address(farm), "zz", "release")


def test_power_ports_are_switched_through_labgrids_drivers(tmp_path: Path) -> None:
    asked: list[str] = []

    class Port(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"1")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/relay/{{index}}/{{value}}"
    port = f", power: {{cls: NetworkPowerPort, params: {{model: simplerest, host: '{url}', index: 3}}}}"
    farm = LoopbackFarm(tmp_path, {"bench": {"p0": "mps2-an386"}})
    (tmp_path / "bench.yaml").write_text(bench_text("bench", {"p0": "mps2-an386"}, port))
    try:
        farm.start()
        assert power(parse_farm(farm.address), "p0", "get") == "True"
        power(parse_farm(farm.address), "p0", "off")
        with pytest.raises(FarmError, match="no power action"):
            power(parse_farm(farm.address), "p0", "explode")
        leases = RemoteLeases(parse_farm(farm.address))
        lease = leases.lease("mps2-an386", 30.0)
        lease.trouble(NoBytesError("silence", hint=""))
        lease.release()
        deadline = time.monotonic() + 20
        while len(asked) < 4 and time.monotonic() < deadline:
            time.sleep(0.1)
        leases.close()
    finally:
        farm.close()
        server.shutdown()
    assert asked == ["/relay/3", "/relay/3/0", "/relay/3/0", "/relay/3/1"]  # after a trouble it is cycled


def test_a_bridge_says_what_is_wrong(farm: LoopbackFarm) -> None:
    with pytest.raises(FarmError, match="no coordinator of labgrid answers"):
        Bridge("127.0.0.1:1", holder_name())
    bridge = Bridge(farm.address, holder_name())
    with pytest.raises(FarmError, match="does not exist"):
        bridge.ask("tag", place="no-such-place", tags={"state": "ready"})
    with pytest.raises(FarmError):
        bridge.ask("dance")
    bridge.close()
    assert bridge.ask("connect", address=farm.address, name=bridge.name)["id"] > 0
    bridge.close()
