"""docs/new-board.md, followed to the letter on a made-up board."""

import re
import shutil
import sys

import numpy as np
import pytest

from harness import resources
from harness.boards import open_session, resolve
from harness.boards.bringup import bring_up
from harness.build import build_image
from harness.ir.interpreter import run
from harness.validate.measurement import measure
from tests.support.paths import REPOSITORY
from tests.support.tiny import TINY_VECTOR, tiny_graph, tiny_package

PAGE = REPOSITORY / "docs" / "new-board.md"
NAME = "my-l476"


@pytest.fixture
def followed(tmp_path, monkeypatch):
    """The page's files in a copy of the firmware, and its boards file named."""
    files = dict(re.findall(r"^`([^`\n]+)`\n\n```\w+\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    assert len(files) == 3
    shutil.copytree(resources.firmware(), tmp_path / "firmware")
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(resources, "firmware", lambda: tmp_path / "firmware")
    monkeypatch.setenv("TINYHIL_BOARDS", str(tmp_path / "my-boards.yaml"))
    monkeypatch.delenv("TINYHIL_VIRTUAL_PROBE", raising=False)
    return tmp_path


def test_without_the_board_bring_up_stops_at_the_probe(followed):
    checks = {check.name: check for check in bring_up(NAME)}
    assert checks["image"].ok
    assert (checks["probe"].ok, checks["probe"].code) == (False, "probe-missing")
    assert checks["connect"].ok is None
    assert f"TINYHIL_VIRTUAL_PROBE={NAME}" in checks["probe"].hint


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
def test_all_bring_up_checks_of_the_virtual_board_pass(followed, attach):
    attach(NAME)
    checks = bring_up(NAME)
    assert all(check.ok for check in checks), checks


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
def test_the_made_up_board_runs_on_the_virtual_chip(followed):
    resolved = resolve(NAME)
    assert resolved.stand_in and resolved.runs_on.name == NAME
    package, graph = tiny_package(core="cortex-m4"), tiny_graph()
    image = build_image([package], resolved.runs_on)
    vectors = [TINY_VECTOR]
    with open_session(resolved, image) as session:
        measured = measure(session, image, package, vectors, layers=True)
        assert session.baud == 921_600
    assert measured.device.board == NAME
    np.testing.assert_array_equal(measured.outputs[0][0], run(graph, vectors[0]).outputs[0])


def test_every_check_of_the_page_is_a_check():
    from harness.boards.backends import find_backend

    table = re.findall(r"^\| (\w+) \|", PAGE.read_text(), re.MULTILINE)
    assert tuple(table[1:]) == find_backend("pyocd").bring_up_checks
