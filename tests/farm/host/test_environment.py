"""Where labgrid's own environment is looked for, and what is said where there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.errors import FarmError, LabgridMissingError
from harness.farm.environment import bridge_command, find_environment, labgrid_command, make_environment
from tests.support.paths import REPOSITORY


def pretend(folder: Path) -> Path:
    """A folder that looks like an environment with labgrid."""
    module = folder / "lib" / "python3.11" / "site-packages" / "labgrid" / "remote" / "coordinator.py"
    for file in (folder / "bin" / "python", module):
        file.parent.mkdir(parents=True)
        file.write_text("")
    return folder


def test_the_variable_then_this_environment_then_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TINYHIL_LABGRID", raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(LabgridMissingError, match="no environment with labgrid") as caught:
        find_environment()
    assert "tinyhil farm setup" in caught.value.hint
    users = pretend(tmp_path / "cache" / "tinyhil" / "labgrid")
    assert find_environment() == users
    within = pretend(tmp_path / "venv" / "labgrid")
    assert find_environment() == within
    named = pretend(tmp_path / "named")
    monkeypatch.setenv("TINYHIL_LABGRID", str(named))
    assert find_environment() == named
    assert labgrid_command("labgrid.remote.exporter", "x") == [
        str(named / "bin" / "python"), "-m", "labgrid.remote.exporter", "x",
    ]  # fmt: skip
    assert bridge_command()[0] == str(named / "bin" / "python")


def test_a_variable_that_names_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYHIL_LABGRID", str(tmp_path / "gone"))
    with pytest.raises(LabgridMissingError, match="gone"):
        find_environment()


def test_a_place_where_none_can_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FarmError, match="cannot be made"):
        make_environment(tmp_path / "file" / "labgrid")


def test_set_up_and_command_install_the_same_labgrid() -> None:
    wanted = (REPOSITORY / "harness" / "data" / "labgrid.txt").read_text().strip()
    assert wanted == "labgrid==26.0.1"
    assert "harness/data/labgrid.txt" in (REPOSITORY / "scripts" / "setup.sh").read_text()


def test_the_bridge_imports_nothing_of_ours() -> None:
    source = (REPOSITORY / "harness" / "farm" / "labgrid_bridge.py").read_text()
    assert "import harness" not in source and "from harness" not in source
