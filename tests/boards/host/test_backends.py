"""Backends: what they say of themselves, and one of another package that joins by an entry point."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import harness
from harness.boards import find_board, load_boards, open_session, resolve
from harness.boards.backends import BACKENDS, Backend, find_backend
from harness.build import build_image
from harness.errors import BoardConfigError, ToolError
from harness.hardware.boards_file import EXTRA_VARIABLE
from harness.units import Unit
from harness.validate.checks import Status
from harness.validate.options import choose_boards
from tests.support import installed
from tests.support.paths import FIXTURES
from tests.support.tiny import tiny_package

FARM = """
from harness.boards.backends.backend import Absent
from harness.boards.backends.host.backend import HostBackend
from harness.boards.backends.host.session import HostSession

class FarmSession(HostSession):
    def notes(self):
        return (*super().notes(), "desk 7 of the farm")

class FarmBackend(HostBackend):
    name = "farm"
    always_runs = False
    measures_memory = True

    def check(self, board):
        return () if board.machine else ("backend farm needs `machine`, the desk",)

    def candidate(self, board, probe):
        if board.machine == "desk-0":
            return Absent("desk-0 is taken", "ask for another desk")
        return super().candidate(board, probe)

    def open(self, resolved, image, *, icount=True):
        return FarmSession(resolved, image)

FARM = FarmBackend()
"""
BOARD = """
farm-7:
  title: A desk of the farm
  core: host
  port: host
  backend: farm
  machine: desk-7
  clock_hz: 1_000_000_000
  tick: {source: clock_gettime, hz: 1_000_000_000}
  stack_size: 65_536
  stand_ins: [host]
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a package with an entry point on sys.path, and a board that names the backend into $TINYHIL_BOARDS."""
    find_backend.cache_clear()

    def _install(target="farm_code:FARM", board=BOARD):
        installed.install(tmp_path, "farm", BACKENDS.group, f"farm = {target}", FARM)
        monkeypatch.syspath_prepend(tmp_path)
        boards = tmp_path / "boards.yaml"
        boards.write_text(board)
        monkeypatch.setenv(EXTRA_VARIABLE, str(boards))

    yield _install
    find_backend.cache_clear()
    sys.modules.pop("farm_code", None)


def test_a_backend_of_another_package_runs_a_card(install) -> None:
    install()
    outcome = harness.Workbench().validate(harness.load_card(FIXTURES / "digits.hil.yaml"), "farm-7")
    assert outcome.passed and outcome.measurement.unit is Unit.HOST_NS
    assert outcome.resolved.runs_on.backend == "farm" and "desk 7 of the farm" in outcome.notes
    assert type(find_backend("farm")).__module__ == "farm_code"
    assert {"host", "qemu", "pyocd", "virtual", "fvp", "farm"} == set(BACKENDS.names())


@pytest.mark.parametrize("target", ["farm_code:FARM", "farm_code:FarmBackend"])
def test_an_entry_point_names_an_object_or_a_class(install, target) -> None:
    install(target)
    assert isinstance(find_backend("farm"), Backend)


def test_it_says_itself_what_an_entry_must_have(install) -> None:
    install(board=BOARD.replace("  machine: desk-7\n", ""))
    with pytest.raises(BoardConfigError, match="farm-7: backend farm needs `machine`, the desk"):
        load_boards()


def test_it_says_itself_when_a_board_is_absent(install) -> None:
    install(board=BOARD.replace("desk-7", "desk-0"))
    resolved = resolve("farm-7")
    assert resolved.runs_on.name == "host" and resolved.stand_in
    assert resolved.reason == "desk-0 is taken: host (host, host) stands in for farm-7"


def test_its_facts_are_asked(install) -> None:
    """--board all leaves it out; `measures_memory` gates the budgets that the host board only shows."""
    install()
    assert "farm-7" not in choose_boards(["all"]) and "host" in choose_boards(["all"])
    card = harness.load_card(FIXTURES / "digits.hil.yaml")
    told = {}
    for board in ("host", "farm-7"):
        outcome = harness.Workbench().validate(card, board)
        told[board] = next(check.status for check in outcome.verdict.checks if check.name == "stack")
    assert told == {"host": Status.NOT_MEASURED, "farm-7": Status.PASS}  # a native program has no mark


def test_the_command_lists_its_boards(install) -> None:
    install()
    command = [sys.executable, "-m", "harness.cli", "boards", "--json"]
    path = os.pathsep.join(sys.path)
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path})
    boards = {board["name"]: board for board in json.loads(done.stdout)["boards"]}
    assert boards["farm-7"]["backend"] == "farm" and boards["mps2-an500"]["backend"] == "qemu"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("farm_code:NOTHING", "cannot be loaded from farm_code:NOTHING: AttributeError"),
        ("no_such_module:FARM", "cannot be loaded from no_such_module:FARM: ModuleNotFoundError"),
        ("farm_code:FarmSession.notes", "is no Backend"),
    ],
)
def test_an_entry_point_that_gives_no_backend_is_told_as_such(install, target, said) -> None:
    install(target)
    with pytest.raises(ToolError, match=said) as caught:
        load_boards()
    assert caught.value.hint


def test_an_unknown_backend_brings_the_known_names(tmp_path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(BOARD)
    with pytest.raises(BoardConfigError, match="farm-7.backend: no backend is named 'farm'") as caught:
        load_boards(path)
    assert "host, qemu, pyocd, virtual, fvp" in caught.value.message


def test_entry_points_are_not_looked_at_for_built_in_names(monkeypatch) -> None:
    def refuse(**_):
        raise AssertionError("entry points were looked at")

    monkeypatch.setattr(importlib.metadata, "entry_points", refuse)
    assert resolve("mps2-an500").runs_on.backend == "qemu"


def test_knowing_the_backends_imports_none_of_their_tools() -> None:
    sessions = tuple(f"harness.boards.backends.{name}.session" for name in ("host", "qemu", "pyocd", "virtual", "fvp"))
    heavy = ("pyocd", "serial", "unicorn", *sessions)
    code = f"import sys, harness.boards; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["host", "mps2-an386", "nucleo-h743", "corstone-300", "virtual"])
def test_a_sessions_unit_is_its_backends(name) -> None:
    board = replace(find_board("nucleo-h743"), backend="virtual") if name == "virtual" else find_board(name)
    session = open_session(board, build_image([tiny_package(core=board.core)], board))
    scale = session.tick_scale()
    assert (None if scale is None else scale[0]) is find_backend(board.backend).unit


def test_what_the_backends_say_of_themselves() -> None:
    emulated = {name for name in ("host", "qemu", "pyocd", "virtual", "fvp") if find_backend(name).emulated}
    assert emulated == {"qemu", "virtual", "fvp"}
    assert find_backend("pyocd").has_probe and not find_backend("qemu").has_probe
    assert not find_backend("host").measures_memory and find_backend("qemu").measures_memory


def _asks_by_name(tree: ast.AST) -> list[int]:
    """Lines where something called `backend` is compared with a name."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            named = any(ast.unparse(side).rstrip("\"']").endswith("backend") for side in sides)
            constants = [n for side in sides for n in ast.walk(side) if isinstance(n, ast.Constant)]
            if named and any(isinstance(constant.value, str) and constant.value != "backend" for constant in constants):
                lines.append(node.lineno)
    return lines


def test_nobody_asks_for_a_backend_by_name() -> None:
    root = Path(harness.__file__).parent
    files = [path for path in root.rglob("*.py") if "backends" not in path.parts]
    assert len(files) > 100
    asked = [f"{path}:{line}" for path in files for line in _asks_by_name(ast.parse(path.read_text("utf-8")))]
    assert not asked, asked


@pytest.mark.parametrize(
    "code",
    ['board.backend == "qemu"', 'backend in ("host", "qemu")', '"fvp" != asked.backend', 'board["backend"] == "host"'],
)
def test_asking_by_name_would_be_found(code) -> None:
    assert _asks_by_name(ast.parse(code)) == [1]
