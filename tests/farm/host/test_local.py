"""Leases by lock files: one holder at a time, a fair queue, priorities, and nothing left by those who die."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.errors import FarmFullError, NoBytesError
from harness.farm.address import FarmAddress, parse_farm
from harness.farm.local import LocalLeases
from harness.farm.overview import look, manage
from harness.farm.source import FarmBoards
from tests.support.farm import bench_text, run_python


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TINYHIL_LEASES", str(tmp_path / "leases"))
    file = tmp_path / "bench.yaml"
    file.write_text(bench_text("bench", {"one": "host", "two": "host", "three": "mps2-an386"}))
    return file


def farm(bench: Path, more: str = "") -> FarmAddress:
    return parse_farm(f"{bench}{more}")


def test_each_board_has_one_holder(bench: Path) -> None:
    leases = LocalLeases(farm(bench))
    first, second = leases.lease("host", 0.0), leases.lease("host", 0.0)
    assert {first.name, second.name} == {"one", "two"}
    with pytest.raises(FarmFullError, match="became free in 0 s"):
        leases.lease("host", 0.2)
    first.release()
    first.release()
    assert leases.lease("host", 0.0).name == first.name
    second.release()


def test_avoid_prefer_and_tags(bench: Path) -> None:
    leases = LocalLeases(farm(bench))
    lease = leases.lease("host", 0.0, avoid="one")
    assert lease.name == "two"
    lease.release()
    assert leases.lease("host", 0.0, prefer="two").name == "two"
    with pytest.raises(FarmFullError, match="besides three"):
        leases.lease("mps2-an386", 0.0, avoid="three")
    with pytest.raises(FarmFullError, match="no board nucleo-l476"):
        leases.lease("nucleo-l476", 5.0)
    with pytest.raises(FarmFullError, match="no board host"):
        LocalLeases(farm(bench, ",rack=a")).lease("host", 5.0)


def test_turns_come_by_priority_then_by_asking(bench: Path) -> None:
    holder = LocalLeases(farm(bench))
    held = holder.lease("mps2-an386", 0.0)
    order: list[str] = []

    def wait(name: str, priority: str) -> None:
        lease = LocalLeases(farm(bench, priority)).lease("mps2-an386", 20.0)
        order.append(name)
        time.sleep(0.02)
        lease.release()

    threads = []
    for name, priority in (("first", ""), ("second", ""), ("urgent", ",priority=1"), ("last", ",priority=-1")):
        threads.append(threading.Thread(target=wait, args=(name, priority)))
        threads[-1].start()
        time.sleep(0.15)
    held.release()
    for thread in threads:
        thread.join(20)
    assert order == ["urgent", "first", "second", "last"]


def test_a_killed_holder_and_a_killed_waiter_leave_nothing(bench: Path) -> None:
    code = (
        "import sys, time; from harness.farm.address import parse_farm; from harness.farm.local import LocalLeases\n"
        "lease = LocalLeases(parse_farm(sys.argv[1])).lease('mps2-an386', 60)\n"
        "print(lease.name, flush=True); time.sleep(60)"
    )
    holder = run_python(code, str(bench))
    assert holder.stdout is not None and holder.stdout.readline() == "three\n"
    waiter = run_python(code, str(bench))
    time.sleep(1.0)
    seen = {board.name: board for board in look(farm(bench)).boards}
    assert seen["three"].state == "held" and f"process {holder.pid}" in seen["three"].holder
    for process in (waiter, holder):
        process.kill()
        process.communicate()
    lease = LocalLeases(farm(bench)).lease("mps2-an386", 5.0)
    assert lease.name == "three"
    lease.release()


def test_four_processes_never_share_a_board(bench: Path, tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from harness.farm.address import parse_farm\n"
        "from harness.farm.local import LocalLeases\n"
        "leases = LocalLeases(parse_farm(sys.argv[1]))\n"
        "for n in range(10):\n"
        "    lease = leases.lease('host', 60)\n"
        "    path = os.path.join(sys.argv[2], lease.name)\n"
        "    os.close(os.open(path, os.O_CREAT | os.O_EXCL)); time.sleep(0.005); os.unlink(path)\n"
        "    lease.release()\n"
    )
    processes = [run_python(code, str(bench), str(tmp_path)) for _ in range(4)]
    for process in processes:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said


def test_a_board_in_quarantine_is_given_to_nobody(bench: Path) -> None:
    address = farm(bench)
    manage(address, "three", "quarantine", reason="loose cable")
    with pytest.raises(FarmFullError, match="in quarantine"):
        LocalLeases(address).lease("mps2-an386", 5.0)
    assert {board.name: board.state for board in look(address).boards}["three"] == "quarantined"
    manage(address, "three", "release")
    LocalLeases(address).lease("mps2-an386", 0.0).release()


def test_work_runs_again_on_another_board_and_the_bad_one_is_quarantined(bench: Path) -> None:
    ran: list[str] = []
    said: list[str] = []

    def work() -> str:
        boards.resolve("host")
        assert boards.lease is not None
        ran.append(boards.lease.name)
        if boards.lease.name == "one":
            raise NoBytesError("silence", hint="")
        return boards.lease.name

    with FarmBoards(farm(bench)) as boards:
        assert boards.again(work, said.append) == "two"
    assert ran == ["one", "one", "two"]  # one trouble may be bad luck, two in a row are the board's
    assert len(said) == 2 and "farm board one" in said[0]
    states = {board.name: board.state for board in look(farm(bench)).boards}
    assert states == {"one": "quarantined", "two": "ready", "three": "ready"}


def test_a_mistake_runs_once(bench: Path) -> None:
    from harness.errors import CardError

    ran = []

    def work() -> None:
        boards.resolve("host")
        ran.append(1)
        raise CardError("wrong", hint="")

    with FarmBoards(farm(bench)) as boards, pytest.raises(CardError):
        boards.again(work, lambda _: None)
    assert ran == [1]


def test_the_command_tells_status_in_json(bench: Path) -> None:
    command = [sys.executable, "-m", "harness.cli", "farm", "status", "--farm", str(bench), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert '"three"' in done.stdout
