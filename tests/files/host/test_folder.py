"""Packages go into a folder of their own: all at once, over nothing of others, and what tinyhil wrote before goes."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.compiler.emit.folder import check_folder
from harness.compiler.emit.package import Package, write_package
from harness.errors import CompileError, OutputError
from harness.files.folder import replace_files, survey
from tests.compiler.host.test_emit import small_package
from tests.files.host.test_writing import everything, fill
from tests.support.paths import FIXTURES
from tests.support.scale import scaled

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")


def written(package: Package) -> dict[str, bytes]:
    return {name: text.encode() for name, text in package.files.items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "here" / "out"


def theirs(folder: Path) -> dict[str, bytes]:
    """Puts files of a user into a folder."""
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "empty").mkdir()
    for name in ("main.c", "small_notes.c", ".gitignore", "sub/deep/x.c"):
        (folder / name).write_text(f"theirs: {name}")
    (folder / "link.c").symlink_to("main.c")
    return {path: data for path, data in everything(folder).items() if b"theirs" in data}


def state(folder: Path) -> dict[str, str]:
    """Everything about a folder's entries that nobody may change."""
    found = {}
    for path in sorted(folder.rglob("*")):
        what = os.readlink(path) if path.is_symlink() else "" if path.is_dir() else path.read_text()
        found[str(path.relative_to(folder))] = f"{path.lstat().st_mode:o} {what}"
    return found


# --- what goes and what stays ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", [False, True])
def test_stale_files_go_and_those_of_others_stay(folder: Path, inside: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the current folder files are replaced one by one: the folder itself stays."""
    old, new = small_package(core="cortex-m55"), small_package("second", core="cortex-m3")
    assert set(old.files) - set(new.files) and set(old.files) & set(new.files)
    paths = write_package(old, folder)
    assert everything(folder) == written(old) and {path.name for path in paths} == set(old.files)
    (folder.parent / "beside").write_text("theirs")
    kept = theirs(folder)
    nodes = {name: os.lstat(folder / name).st_ino for name in (*kept, "link.c")}
    mode = 0o750
    folder.chmod(mode)
    if inside:
        monkeypatch.chdir(folder / "sub")
        node = folder.stat().st_ino
    write_package(new, folder)
    assert everything(folder) == {**written(new), **kept}
    assert {name: os.lstat(folder / name).st_ino for name in nodes} == nodes and (folder / "empty").is_dir()
    assert folder.stat().st_mode & 0o777 == mode
    assert sorted(path.name for path in folder.parent.iterdir()) == ["beside", "out"]
    assert not inside or folder.stat().st_ino == node
    assert check_folder(folder) == ("second",)


def test_folders_that_held_only_stale_files_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for inside in (False, True):
        replace_files(folder, {"src/a.c": "a", "src/lib/b.c": "b", "c": "c"}, [])
        if inside:
            monkeypatch.chdir(folder)
        replace_files(folder, {"c": "d"}, ["src/a.c", "src/lib/b.c"])
        assert state(folder).keys() == {"c"} and (folder / "c").read_text() == "d"


def test_a_package_is_ours_after_a_checkout_with_other_ends_of_lines(folder: Path) -> None:
    write_package(small_package(core="cortex-m55"), folder)
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    new = small_package(core="cortex-m3")
    write_package(new, folder)
    assert everything(folder) == written(new)


def test_the_same_files_are_nothing_to_refuse(folder: Path) -> None:
    """A package without its manifest, as a copy of some files may be."""
    package = small_package()
    write_package(package, folder)
    (folder / "small.json").unlink()
    write_package(package, folder)
    assert everything(folder) == written(package)


def changed(path: Path) -> None:
    path.write_text(path.read_text() + "/* mine */\n")


@pytest.mark.parametrize("name", ["small.c", "gemm_s8_mve.S", "CMakeLists.txt"])
def test_changed_files_are_refused_unless_forced(folder: Path, name: str) -> None:
    """Also those that would go."""
    write_package(small_package(core="cortex-m55"), folder)
    changed(folder / name)
    before = state(folder)
    new = small_package(core="cortex-m3")
    with pytest.raises(CompileError, match=f"changed since tinyhil wrote them: {name} ") as caught:
        write_package(new, folder)
    assert "--force" in caught.value.hint and state(folder) == before
    write_package(new, folder, force=True)
    assert everything(folder) == written(new)


def a_file(path: Path) -> None:
    path.write_text("theirs")


def a_link(path: Path) -> None:
    path.symlink_to(path.parent.parent / "elsewhere")


def a_link_to_the_same(path: Path) -> None:
    copy = path.parent.parent / "copy"
    copy.write_text(small_package().files[path.name])
    path.symlink_to(copy)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def in_capitals(path: Path) -> None:
    path.with_name(path.name.swapcase()).write_text("theirs")


@POSIX
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("make", [a_file, Path.mkdir, a_link, a_link_to_the_same, a_pipe, in_capitals])
@pytest.mark.parametrize("name", ["small.c", "CMakeLists.txt", "small.json", "scale_s8.h"])
def test_files_of_others_in_the_way_are_refused_and_named(
    folder: Path, name: str, make: Callable[[Path], None], after: bool
) -> None:
    """With and without a package of another name there; --force changes nothing."""
    if after:
        write_package(small_package("before", core="cortex-m0plus"), folder)
        if name in small_package("before", core="cortex-m0plus").files:
            (folder / name).unlink()
            if make is a_file:
                return  # a changed file of ours
    folder.mkdir(parents=True, exist_ok=True)
    make(folder / name)
    before = state(folder.parent) if make is not a_pipe else {}
    for force in (False, True):
        with pytest.raises(CompileError, match=f"(?i)did not write what is in the way: {name} "):
            write_package(small_package(), folder, force=force)
        assert not before or state(folder.parent) == before


def test_a_file_where_a_folder_must_be_is_named(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "src").write_text("theirs")
    (folder / "lib").symlink_to(folder.parent)
    found = survey(folder, {"src/a.c": "", "lib/here": "", "b": ""}, {"lib/beside": "0" * 64})
    assert found.foreign == ("lib", "src") and not found.stale and not found.edited


@pytest.mark.parametrize("path", ["../beside", "/etc/passwd", "sub/../../beside", ".git/config", "a\\..\\b", ""])
def test_a_manifest_rules_only_its_folder(folder: Path, path: str) -> None:
    write_package(small_package(), folder)
    (folder.parent / "beside").write_text("theirs")
    manifest = json.loads((folder / "small.json").read_text())
    manifest["files"][path] = "0" * 64
    (folder / "small.json").write_text(json.dumps(manifest))
    before = state(folder.parent)
    with pytest.raises(CompileError, match="tinyhil did not write what is in the way: .*small.json"):
        write_package(small_package(core="cortex-m3"), folder)
    assert state(folder.parent) == before


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "null", "[" * 99_999, '{"compiler": "tinyhil 1", "files": 3, "name": "x"}']
)
def test_json_of_others_is_theirs(folder: Path, text: str) -> None:
    folder.mkdir(parents=True)
    (folder / "x.json").write_text(text)
    with pytest.raises(CompileError, match="holds files that tinyhil did not write: x.json "):
        check_folder(folder)
    write_package(small_package(), folder)
    assert (folder / "x.json").read_text() == text and check_folder(folder) == ("small",)


# --- where ------------------------------------------------------------------------------------------------------------


@POSIX
def test_links_to_folders_are_followed_and_files_refused(tmp_path: Path) -> None:
    package = small_package()
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for _ in range(2):
        paths = write_package(package, tmp_path / "link")
        assert everything(tmp_path / "real") == written(package) and (tmp_path / "link").is_symlink()
    assert all(path.parent == tmp_path / "link" for path in paths)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("theirs")
    before = state(tmp_path)
    for name, said in (
        ("file", "a file, not a folder"),
        ("loop", "."),
        ("file/sub", "."),
        ("a\0b", "."),
        ("\ud800", "."),
    ):
        with pytest.raises(CompileError, match=f"(?s)cannot write to .*{said}"):
            write_package(package, tmp_path / name)
    assert state(tmp_path) == before


def test_a_read_only_folder_is_refused_and_one_in_a_read_only_folder_is_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told by os.access, since root may write everywhere."""
    write_package(small_package(core="cortex-m55"), folder)
    before, new = everything(folder), small_package(core="cortex-m3")

    def read_only(which: Path) -> None:
        monkeypatch.setattr("harness.files.folder.os.access", lambda path, mode: Path(path) != which)

    read_only(folder)
    with pytest.raises(CompileError, match="Permission denied"):
        write_package(new, folder)
    assert everything(folder) == before
    read_only(folder.parent)
    node = folder.stat().st_ino
    write_package(new, folder)
    assert everything(folder) == written(new) and folder.stat().st_ino == node


# --- all or nothing --------------------------------------------------------------------------------------------------

EVENTS = (
    "open",
    "os.rename",
    "os.link",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.chmod",
    "ctypes.dlsym",
    "shutil.rmtree",
)


def killed_after(events: int, write: Callable[[], object]) -> bool:
    """Runs `write` in a child that dies at its n-th call of the file system; whether it died."""
    child = os.fork()
    if child == 0:
        left = events

        def count(event: str, arguments: object) -> None:
            nonlocal left
            left -= event in EVENTS
            if left < 0:
                os._exit(9)

        sys.addaudithook(count)
        try:
            write()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux exchanges folders")
@pytest.mark.parametrize("there", [False, True])
def test_a_kill_leaves_the_old_package_whole(folder: Path, there: bool) -> None:
    old, new = small_package(core="cortex-m55"), small_package(core="cortex-m3")
    kept: dict[str, bytes] = {}
    if there:
        write_package(old, folder)
        kept = theirs(folder)
    before, after = (written(old) if there else {}) | kept, written(new) | kept
    events, died, seen = 0, True, []
    while died:
        died = killed_after(events, lambda: write_package(new, folder))
        found = everything(folder) if folder.exists() else {}
        assert found in (before, after), sorted(found.keys() ^ before.keys())
        seen.append(found == after)
        if found == after and died and there:
            write_package(old, folder)
        elif found == after and died:
            shutil.rmtree(folder)
        events += 1 if events > 400 else scaled(7, 1)
    assert len(seen) > 10 and seen[-1] and not seen[0]
    for left in folder.parent.glob(".tinyhil-*"):
        os.utime(left, (time.time() - 100, time.time() - 100))
    write_package(new, folder)
    assert [path.name for path in folder.parent.iterdir()] == ["out"]


@POSIX
def test_the_same_command_again_completes_what_a_kill_left_where_folders_are_not_exchanged(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = small_package(core="cortex-m55"), small_package(core="cortex-m3")
    write_package(old, folder)
    kept = theirs(folder)
    monkeypatch.chdir(folder)
    events, died = 0, True
    while died:
        died = killed_after(events, lambda: write_package(new, folder))
        for left in folder.glob(".tinyhil-*"):
            os.utime(left, (time.time() - 100, time.time() - 100))
        write_package(new, folder)
        assert everything(folder) == {**written(new), **kept}
        write_package(old, folder)
        events += scaled(13, 1)
    assert events > 100


@pytest.mark.parametrize("inside", [False, True])
def test_a_full_disk_at_any_rename_leaves_all_as_it_was(
    folder: Path, inside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_package(small_package(core="cortex-m55"), folder)
    theirs(folder)
    if inside:
        monkeypatch.chdir(folder)
    before = state(folder)
    for room in range(9):
        with monkeypatch.context() as patch:
            fill(patch, "replace", room)
            with pytest.raises(OutputError, match="No space left"):
                write_package(small_package(core="cortex-m3"), folder)
        assert state(folder) == before


def test_files_that_come_meanwhile_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor saves while the new folder is made."""
    write_package(small_package(core="cortex-m55"), folder)
    kept = theirs(folder)
    real, saved = os.replace, []

    def replace(source: Path, target: Path) -> None:
        if not saved:
            (folder / "late").mkdir()
            for name in ("late/new.c", "main.c~"):
                (folder / name).write_text("late")
            saved.append(real(folder / "main.c~", folder / "main.c"))
        real(source, target)

    monkeypatch.setattr("harness.files.folder.os.replace", replace)
    write_package(small_package(core="cortex-m3"), folder)
    late = {"late/new.c": b"late", "main.c": b"late", "link.c": b"late"}
    assert saved and everything(folder) == {**written(small_package(core="cortex-m3")), **kept, **late}


def test_without_an_exchange_files_are_replaced_one_by_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_package(small_package(core="cortex-m55"), folder)
    kept = theirs(folder)
    monkeypatch.setattr("harness.files.folder.sys.platform", "other")
    new = small_package(core="cortex-m3")
    write_package(new, folder)
    assert everything(folder) == {**written(new), **kept}
    real = os.link

    def no_links(*given: object, **named: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.undo()
    monkeypatch.setattr("harness.files.folder.os.link", no_links)
    assert real is not os.link
    write_package(small_package(core="cortex-m55"), folder)
    assert everything(folder) == {**written(small_package(core="cortex-m55")), **kept}


def test_any_order_of_writing_keeps_what_others_have(folder: Path) -> None:
    rng = random.Random(11)
    mine: dict[str, bytes] = {}
    for _ in range(scaled(40, 1000)):
        names = [f"{place}{letter}.c" for place in ("", "a/", "a/b/") for letter in "pqrs"]
        if rng.random() < 0.5:
            name = f"u{rng.choice(names).replace('/', '/u')}"
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            mine[name] = rng.randbytes(9)
            (folder / name).write_bytes(mine[name])
        now = {path: data for path, data in (everything(folder) if folder.exists() else {}).items() if path not in mine}
        contents: dict[str, str | bytes] = {name: rng.randbytes(4) for name in rng.sample(names, 5)}
        replace_files(folder, contents, sorted(now.keys() - contents.keys()))
        assert everything(folder) == {**mine, **contents}


# --- the command -----------------------------------------------------------------------------------------------------


def generate(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness.cli", "generate", *map(str, arguments), "--core", "cortex-m4"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_refuses_folders_of_others(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / ".gitkeep").write_text("")
    digits = FIXTURES / "digits.tflite"
    assert generate(digits, "-o", folder).returncode == 0
    (folder / "main.c").write_text("theirs")
    done = generate(FIXTURES / "residual.tflite", "-o", folder, "--name", "con")
    assert done.returncode == 0 and (folder / "m_con.c").is_file() and not (folder / "digits.c").exists()
    assert "named m_con: 'con'" in done.stderr and "replaced package digits" in done.stderr
    (folder / "m_con.json").unlink()
    before = state(folder)
    done = generate(digits, "-o", folder)
    assert done.returncode == 2 and "CMakeLists.txt" in done.stderr and "--force" in done.stderr
    done = generate(digits, "-o", folder, "--force")
    assert done.returncode == 2 and "in the way: CMakeLists.txt" in done.stderr
    assert state(folder) == before
