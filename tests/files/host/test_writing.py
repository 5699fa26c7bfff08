"""Packages and reports on full disks: the old one stays until the new one is whole, and the error says where."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.app import app
from harness.compiler.emit.package import Package, write_package
from harness.errors import BoardLostError, Category, CompileError, OutputError, ResultsError, TinyhilError
from harness.files.writing import publish, staging, write_new, write_whole, writing_hint
from harness.report.bundle import Invocation, read_bundle, write_bundle
from harness.report.document import Document, error_document
from harness.validate.workbench import Workbench
from tests.support.paths import FIXTURES

MODEL = FIXTURES / "digits.tflite"

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from harness.cli import main
sys.argv = ["tinyhil", *sys.argv[2:]]
main()
"""
"""Runs the command where no file may be longer than so many bytes."""


def package(core: str = "cortex-m4") -> Package:
    bench = Workbench()
    return bench.package(bench.graph(MODEL), core)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class FullDisk:
    """Lets `room` renames or flushes through, and has no room for the next."""

    def __init__(self, room: int) -> None:
        self.room = room

    def take(self) -> None:
        self.room -= 1
        if self.room == -1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fill(monkeypatch: pytest.MonkeyPatch, what: str, room: int) -> None:
    disk, real = FullDisk(room), getattr(os, what)

    def limited(*given: object, **named: object) -> object:
        disk.take()
        return real(*given, **named)

    monkeypatch.setattr(f"harness.files.writing.os.{what}", limited)


@pytest.mark.parametrize("room", [0, 1, 5])
@pytest.mark.parametrize("what", ["fsync", "replace"])
def test_a_package_on_a_full_disk_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, room: int
) -> None:
    write_package(package("cortex-m3"), tmp_path)
    before = everything(tmp_path)
    with monkeypatch.context() as patch:
        fill(patch, what, room)
        with pytest.raises(OutputError, match="No space left") as caught:
            write_package(package(), tmp_path)
    assert caught.value.category is Category.INFRASTRUCTURE
    assert str(tmp_path) in caught.value.message
    assert everything(tmp_path) == before
    write_package(package(), tmp_path)
    assert everything(tmp_path) != before


def failed(name: str) -> list[Document]:
    return [error_document(name, "host", BoardLostError("gone", hint="try"))]


@pytest.mark.parametrize("room", [0, 1, 2])
@pytest.mark.parametrize("what", ["fsync", "replace"])
def test_a_report_on_a_full_disk_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, room: int
) -> None:
    session = Invocation(["x"], {})
    write_bundle(tmp_path, failed("old"), session)
    before = everything(tmp_path)
    with monkeypatch.context() as patch:
        fill(patch, what, room)
        with pytest.raises(ResultsError, match="No space left") as caught:
            write_bundle(tmp_path, failed("new"), session)
    assert str(tmp_path) in caught.value.message and "space" in caught.value.hint
    assert everything(tmp_path) == before and read_bundle(tmp_path)["runs"][0]["name"] == "old"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of a file's size")
def test_generate_on_a_full_disk_exits_4_and_names_file_and_folder(tmp_path: Path) -> None:
    folder = tmp_path / "firmware"
    command = [sys.executable, "-c", LIMITED, "9000", "generate", str(MODEL), "-o", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 4, ran.stderr
    assert str(folder) in ran.stderr and "digits_weights.c" in ran.stderr
    assert everything(tmp_path) == {}


def test_no_permission_is_not_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "digits.c").mkdir()
    with pytest.raises(CompileError, match="cannot write"):
        write_package(package(), tmp_path)
    assert everything(tmp_path) == {}


def test_one_file_is_replaced_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.yaml"
    write_whole(path, "old")
    with monkeypatch.context() as patch:
        fill(patch, "fsync", 0)
        with pytest.raises(OSError, match="No space left") as caught:
            write_whole(path, "new")
    assert caught.value.filename is not None and path.read_text() == "old"
    write_whole(path, "new")
    assert everything(tmp_path) == {"table.yaml": b"new"}


def test_what_cannot_be_published_is_taken_back(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")
    with staging(tmp_path) as staged:
        (staged / "sub").mkdir()
        for name in ("a", "sub/b"):
            write_new(staged / name, "new")
        with pytest.raises(OSError, match="No such file"):
            publish(staged, tmp_path, ["a", "sub/b", "absent"])
    assert everything(tmp_path) == {"a": b"mine"} and not (tmp_path / "sub").exists()


def test_a_report_is_a_tinyhil_error_on_any_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TinyhilError, match="cannot write the result bundle"):
        write_bundle(tmp_path / "file", [], Invocation([], {}))


@pytest.mark.parametrize("below", ["file", "file/state", "file/state/more"])
def test_a_file_where_a_folder_must_be_is_named(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    path = tmp_path / below
    with pytest.raises(OSError) as caught:
        path.mkdir(parents=True)
    assert writing_hint(path, caught.value) == f"{file} is a file: name a folder, or move the file away"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EACCES, "that you may write to"),
        (errno.EROFS, "that you may write to"),
        (errno.EISDIR, "is a folder: name a file"),
        (errno.ENAMETOOLONG, "choose another folder"),
    ],
)
def test_the_hint_is_about_what_stands_in_the_way(tmp_path: Path, number: int, said: str) -> None:
    assert said in writing_hint(tmp_path, OSError(number, os.strerror(number)))


@pytest.mark.parametrize("command", [["generate", str(MODEL)], ["search", "digits", "-b", "nucleo-l4r5"]])
def test_commands_say_that_their_folder_is_a_file(tmp_path: Path, command: list[str]) -> None:
    file = tmp_path / "taken"
    file.write_text("mine")
    found = CliRunner().invoke(app, [*command, "-o", str(file)])
    assert isinstance(found.exception, TinyhilError) and file.read_text() == "mine"
    assert found.exception.hint == f"{file} is a file: name a folder, or move the file away"
