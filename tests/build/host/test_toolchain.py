"""Compilers: where they are looked for, which are refused, and what is told."""

import stat
import sys
from pathlib import Path

import pytest

from harness.build import toolchain
from harness.errors import ToolchainMissingError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="makes shell scripts")


def fake_compiler(folder: Path, first_line: str, name: str = "arm-none-eabi-gcc", status: int = 0) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{first_line}'\nexit {status}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch, tmp_path):
    monkeypatch.setattr(toolchain, "USUAL_PLACES", ())
    for variable in toolchain.VARIABLE.values():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize("kind", ["arm", "host"])
def test_no_compiler_is_said_with_a_hint(kind):
    with pytest.raises(ToolchainMissingError, match="PATH") as caught:
        toolchain.find(kind)
    assert toolchain.VARIABLE[kind] in caught.value.hint
    assert "install" in caught.value.hint
    assert caught.value.stage == "build"


@pytest.mark.parametrize(
    ("line", "major"),
    [
        ("arm-none-eabi-gcc (15:12.2.rel1-1) 12.2.1 20221205", 12),
        ("arm-none-eabi-gcc (GNU Arm Embedded Toolchain 10.3-2021.10) 10.3.1 20210824 (release)", 10),
        ("arm-none-eabi-gcc (Arm GNU Toolchain 13.2.rel1 (Build arm-13.7)) 13.2.1 20231009", 13),
    ],
)
def test_versions_of_real_compilers_are_read(tmp_path, line, major):
    fake_compiler(tmp_path, line)
    assert toolchain.find("arm").major == major


def test_clang_in_the_place_of_gcc_is_told_apart(tmp_path):
    fake_compiler(tmp_path, "Apple clang version 15.0.0 (clang-1500.1.0.2.5)", "gcc")
    found = toolchain.find("host")
    assert (found.family, found.major) == ("clang", 15)


def test_an_old_compiler_is_refused_by_version(tmp_path):
    fake_compiler(tmp_path, "arm-none-eabi-gcc (GNU Tools) 7.3.1 20180622 (release)")
    with pytest.raises(ToolchainMissingError, match="gcc 7, and gcc 10 or later"):
        toolchain.find("arm")


def test_a_newer_compiler_is_taken_after_an_old_one(tmp_path, monkeypatch):
    fake_compiler(tmp_path, "arm-none-eabi-gcc (GNU Tools) 7.3.1 20180622 (release)")
    newer = tmp_path / "newer"
    newer.mkdir()
    path = fake_compiler(newer, "arm-none-eabi-gcc (x) 12.2.1")
    monkeypatch.setattr(toolchain, "USUAL_PLACES", (str(newer),))
    assert toolchain.find("arm").cc == path


def test_the_variable_wins_and_is_never_passed_over(tmp_path, monkeypatch):
    fake_compiler(tmp_path, "arm-none-eabi-gcc (x) 12.2.1")
    monkeypatch.setenv("TINYHIL_ARM_GCC", "/nowhere/gcc")
    with pytest.raises(ToolchainMissingError, match="TINYHIL_ARM_GCC=/nowhere/gcc"):
        toolchain.find("arm")


@pytest.mark.parametrize(("line", "status"), [("hello", 0), ("arm-none-eabi-gcc (x) 12.2.1", 1)])
def test_a_program_that_is_no_compiler_is_refused(tmp_path, line, status):
    fake_compiler(tmp_path, line, status=status)
    with pytest.raises(ToolchainMissingError, match="version"):
        toolchain.find("arm")


@pytest.mark.parametrize(("platform", "word"), [("linux", "apt"), ("darwin", "brew"), ("win32", "winget")])
def test_the_hint_fits_the_system(platform, word):
    assert word in toolchain.install_hint("arm", platform)
