"""The FVP backend, against an executable that keeps the FVP's contract over QEMU: no FVP can be had in tests."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.boards import Resolved, find_board, load_boards, open_session, resolve
from harness.boards.backends.fvp import session as backend
from harness.build import build_image
from harness.elf.sections import read_sections
from harness.errors import (
    BoardConfigError,
    BoardError,
    BoardLostError,
    EmulatorLicenseError,
    EmulatorMissingError,
)
from harness.link.client import Client
from harness.validate.card import load_card
from harness.validate.measurement import measure
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support import fake_fvp
from tests.support.paths import FIXTURES, REPOSITORY
from tests.support.processes import alive
from tests.support.tiny import check_tiny, tiny_package, tiny_vectors

PROGRAM = "FVP_Corstone_SSE-300_Ethos-U55"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc, and the kernel's help, are Linux's")


class Fake:
    """The stand-in executable on PATH."""

    def __init__(self, folder, monkeypatch):
        self._monkeypatch = monkeypatch
        self._log = folder / "called.json"
        (folder / PROGRAM).symlink_to(fake_fvp.__file__)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
        monkeypatch.setenv("FAKE_FVP_LOG", str(self._log))
        monkeypatch.delenv(backend.VARIABLE, raising=False)

    def misbehave(self, mode):
        self._monkeypatch.setenv("FAKE_FVP_MODE", mode)

    def called(self):
        """What the last call said of itself."""
        return json.loads(self._log.read_text())

    def up(self):
        """The same, once its emulator runs."""
        deadline = time.monotonic() + 10
        while "port" not in self.called() and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.called()

    def left_behind(self):
        """Processes of the last call that still run."""
        deadline = time.monotonic() + 5
        while True:
            left = [pid for pid in self.called()["pids"] if alive(pid)]
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.02)


@pytest.fixture
def fake(tmp_path, monkeypatch):
    return Fake(tmp_path, monkeypatch)


def image_of(board="corstone-300"):
    package = tiny_package(core="cortex-m55")
    return package, build_image([package], find_board(board))


def as_itself(**changes):
    board = replace(find_board("corstone-300"), **changes)
    return Resolved(board, board, False, "")


def test_outputs_and_layers_are_exact_and_time_has_no_unit(fake):
    package, image = image_of()
    resolved = resolve("corstone-300")
    assert not resolved.stand_in and resolved.runs_on.backend == "fvp"
    given = tiny_vectors(3)
    with open_session(resolved, image) as session:
        measured = measure(session, image, package, given, layers=True)
        assert session.notes() == (), "the model has not ended yet"
    check_tiny(measured, package, given)
    assert (measured.unit, measured.total, measured.layer_ticks) == (None, None, None)
    (note,) = session.notes()
    assert "no measurement" in note and re.search(r"Simulated time [\d.]+s, .*cpu0 .* Inst\)", note)
    assert not fake.left_behind()


def test_the_command_line_is_the_boards_entry(fake):
    _, image = image_of()
    with open_session(resolve("corstone-300"), image) as session:
        Client(session.stream()).hello(image.build_id)
    argv = fake.called()["argv"]
    assert argv[:2] == ["-a", str(image.elf)]
    assert argv[2:-2] == list(find_board("corstone-300").arguments)
    assert argv[-2:] == ["--simlimit", "3600"]
    assert fake.called()["parameters"]["mps3_board.telnetterminal0.mode"] == "raw"
    assert not any("shutdown" in word for word in argv)


def test_arguments_are_overridden_in_a_boards_file(fake, tmp_path):
    entry = (REPOSITORY / "boards.yaml").read_text().partition("\ncorstone-300:\n")[2].partition("\n\n")[0]
    mine = tmp_path / "mine.yaml"
    mine.write_text("corstone-300:\n" + entry.replace("num_macs=128", "num_macs=256") + "\n  time_limit: 77\n")
    _, image = image_of()
    with open_session(resolve("corstone-300", load_boards(mine)), image) as session:
        Client(session.stream()).hello(image.build_id)
    called = fake.called()
    assert called["parameters"]["ethosu.num_macs"] == "256" and called["argv"][-1] == "77"


@pytest.mark.parametrize("argument", ["mps3_board.uart0.shutdown_on_eot=1", "mps3_board.uart0.shutdown_tag=END"])
def test_an_argument_that_ends_runs_at_binary_bytes_is_refused(tmp_path, argument):
    entry = (REPOSITORY / "boards.yaml").read_text().partition("\ncorstone-300:\n")[2].partition("\n\n")[0]
    mine = tmp_path / "mine.yaml"
    mine.write_text("corstone-300:\n" + entry.replace("ethosu.num_macs=128", argument))
    with pytest.raises(BoardConfigError, match="corstone-300.*would end the run"):
        load_boards(mine)


def test_the_port_moves_when_it_is_taken_and_two_models_run_side_by_side(fake):
    package, image = image_of()
    taken = socket.socket()
    with taken:
        try:
            taken.bind(("127.0.0.1", fake_fvp.FIRST_PORT))
            taken.listen(1)
        except OSError:
            pass  # somebody else has it, which is as good
        with open_session(as_itself(), image) as one:
            first = fake.up()["port"]
            with open_session(as_itself(), image) as two:
                second = fake.up()["port"]
                for session in (one, two):
                    measure(session, image, package, tiny_vectors(1), layers=False)
    assert len({fake_fvp.FIRST_PORT, first, second}) == 3


def test_reset_starts_a_new_model(fake):
    package, image = image_of()
    with open_session(as_itself(), image) as session:
        measure(session, image, package, tiny_vectors(1), layers=False)
        first, pid = fake.up()["pids"], session.pid
        session.reset()
        assert session.pid != pid and not any(map(alive, first))
        measure(session, image, package, tiny_vectors(1), layers=False)


def test_memory_cannot_be_read_from_outside(fake):
    _, image = image_of()
    with (
        open_session(as_itself(), image) as session,
        pytest.raises(BoardError, match="cannot be read from outside") as caught,
    ):
        session.read_memory(0x2100_0000, 4)
    assert "mps3-an547" in caught.value.hint


def test_without_it_the_same_core_stands_in_and_the_reason_is_told(monkeypatch):
    monkeypatch.delenv(backend.VARIABLE, raising=False)
    monkeypatch.setattr(backend.shutil, "which", lambda name: None)
    resolved = resolve("corstone-300")
    assert resolved.stand_in and resolved.runs_on.name == "mps3-an547"
    assert PROGRAM in resolved.reason and "stands in for corstone-300" in resolved.reason
    with pytest.raises(EmulatorMissingError, match=f"no {PROGRAM} on PATH") as caught:
        backend.find_fvp(find_board("corstone-300"))
    assert "developer.arm.com" in caught.value.hint and backend.VARIABLE in caught.value.hint


def test_without_it_and_a_stand_in_there_is_an_error(monkeypatch):
    monkeypatch.delenv(backend.VARIABLE, raising=False)
    monkeypatch.setattr(backend.shutil, "which", lambda name: None)
    with pytest.raises(EmulatorMissingError):
        resolve("alone", {"alone": replace(find_board("corstone-300"), name="alone", stand_ins=())})


def test_a_program_that_is_named_is_taken_or_refused_and_never_passed_over(fake, monkeypatch, tmp_path):
    monkeypatch.setenv(backend.VARIABLE, str(tmp_path / "nothing"))
    with pytest.raises(EmulatorMissingError, match="nothing is not a program"):
        resolve("corstone-300")
    monkeypatch.setenv(backend.VARIABLE, fake_fvp.__file__)
    assert not resolve("corstone-300").stand_in
    assert backend.find_fvp(find_board("corstone-300")) == Path(fake_fvp.__file__)


@pytest.mark.parametrize(
    ("mode", "kind", "message", "hint"),
    [
        ("license", EmulatorLicenseError, "has no license: Error: license checkout", "Ecosystem FVPs need none"),
        ("library", BoardError, "ended at start", r"lacks a library \(.*libpython3"),
        ("parameter", BoardError, "ended at start", r"correct `arguments`.*mps3_board.nothing"),
        ("dies", BoardError, "ended at start", "try it by hand: .*-a"),
        ("silent", BoardError, "did not open the port of its first UART in 2 s", "telnetterminal0"),
        ("refuses", BoardError, "does not answer at its port", "does another program"),
    ],
)
def test_every_way_not_to_start_has_its_own_error(fake, monkeypatch, mode, kind, message, hint):
    _, image = image_of()
    fake.misbehave(mode)
    monkeypatch.setattr(backend, "CONNECT_TIMEOUT_S", 0.2)
    if mode == "silent":
        monkeypatch.setattr(backend, "START_TIMEOUT_S", 2.0)
    session = open_session(as_itself(), image)
    with pytest.raises(kind, match=message) as caught, session:
        pass
    assert re.search(hint, caught.value.hint)
    assert type(caught.value) is kind and fake_fvp.MISBEHAVIOUR[mode] in caught.value.details
    assert not fake.left_behind()


def test_a_model_that_vanishes_is_a_lost_board_and_its_status_0_is_not_believed(fake):
    _, image = image_of()
    fake.misbehave("vanishes")
    message = f"{PROGRAM} ended before it sent a byte"
    with pytest.raises(BoardError, match=message) as caught, open_session(as_itself(), image) as session:
        Client(session.stream()).hello(image.build_id)
    assert "Segmentation fault" in caught.value.details and "status" not in caught.value.message


def test_the_time_limit_ends_a_run_that_nobody_ends(fake):
    _, image = image_of()
    message = r"end of its 1 simulated seconds \(time_limit in boards.yaml\)"
    with pytest.raises(BoardLostError, match=message), open_session(as_itself(time_limit=1), image) as session:
        client = Client(session.stream())
        client.hello(image.build_id)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            client.init(0, 1)
    assert not fake.left_behind()


def test_a_stubborn_model_is_killed_with_all_it_started(fake, monkeypatch):
    package, image = image_of()
    fake.misbehave("stubborn")
    monkeypatch.setattr(backend, "STOP_TIMEOUT_S", 0.2)
    with open_session(as_itself(), image) as session:
        measure(session, image, package, tiny_vectors(1), layers=False)
    assert session.notes() == ()
    assert not fake.left_behind()


def test_nothing_is_left_when_the_test_around_it_fails(fake):
    _, image = image_of()
    with pytest.raises(ZeroDivisionError), open_session(as_itself(), image):
        raise ZeroDivisionError
    assert not fake.left_behind()


@LINUX
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_the_harness_is_killed(fake, tmp_path, number):
    script = textwrap.dedent(
        """
        import time
        from harness.boards import find_board, open_session
        from tests.boards.emulator.test_fvp import as_itself, image_of
        with open_session(as_itself(), image_of()[1]):
            print("up", flush=True)
            time.sleep(60)
        """
    )
    image_of()
    child = subprocess.Popen([sys.executable, "-c", script], cwd=REPOSITORY, stdout=subprocess.PIPE)
    try:
        assert child.stdout.readline() == b"up\n"
        assert len(fake.up()["pids"]) == 2 and all(map(alive, fake.up()["pids"]))
        child.send_signal(number)
    finally:
        child.wait(10)
        child.stdout.close()
    assert not fake.left_behind()


def test_the_image_lies_within_the_memories_of_the_boards_file():
    _, image = image_of()
    board = find_board("corstone-300")
    sections = read_sections(image.elf)
    assert {section.name for section in sections} >= {".vectors", ".text", ".stack", ".bss"}
    for section in sections:
        assert any(region.contains(section.address, section.size) for region in board.memory), section.name


def test_a_report_has_the_models_statistics_and_no_time(fake):
    card = load_card(FIXTURES / "digits.hil.yaml")
    from harness.report.document import run_document
    from harness.validate.card import RandomVectors

    options = Options(vectors=RandomVectors(random=2, seed=0), opinions=())
    outcome = Workbench().validate(card, "corstone-300", options)
    assert outcome.passed and outcome.resolved.runs_on.name == "corstone-300"
    document = run_document(outcome)
    assert document["time"] == {"unit": None, "total": None, "layers_sum": 0}
    assert document["notes"] == list(outcome.notes) and "Simulated time" in document["notes"][0]
    assert document["baselines"] == [] and not any(layer.get("value") for layer in document["layers"])
    from rich.console import Console

    from harness.report import console, html
    from harness.report.bundle import Invocation, results_document

    page = Console(width=300, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    for part in (*console.validation([document]), *console.profile(document)):
        page.print(part)
    text = page.export_text()
    assert "no measurement of the model" in text and "cycles" not in text and "None" not in text
    page_of_results = html.render(results_document([document], Invocation(["tinyhil"], {})))
    assert "no measurement of the model" in page_of_results
