"""A folder of generated files: which files in it are ours, and all of them replaced at once.

Files are ours by a record of their hashes; all others stay as they are, whatever happens.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import stat
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from harness.files.reading import check_path, open_regular
from harness.files.writing import named, publish, staging, write_new

_MOST_OTHERS = 200
"""Files of others that a folder may hold to be replaced as a whole."""

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fs.h


@dataclass(frozen=True)
class Survey:
    """What is in a folder before files are written there; paths within it, sorted.

    Attributes:
        stale: ours, unchanged, and not written again.
        edited: ours, but changed since, and about to be lost.
        foreign: not ours, and in the way of a file.
    """

    stale: tuple[str, ...]
    edited: tuple[str, ...]
    foreign: tuple[str, ...]


def survey(folder: Path, contents: Mapping[str, str | bytes], own: Mapping[str, str]) -> Survey:
    """Compares a folder, which may be missing, with what shall be written.

    Args:
        folder: the folder.
        contents: what shall be written, by path within the folder.
        own: SHA-256 of what we wrote before, by path; "" where any content is ours.

    Raises:
        OSError: something in it cannot be read.
    """
    stale, edited, foreign = set(), set(), set()
    for name in {*own, *contents}:
        in_the_way = _not_a_folder(folder, name)
        if in_the_way is not None:
            foreign |= {in_the_way} if name in contents else set()
            continue
        path = folder / name
        if not os.path.lexists(path):
            foreign |= _differ_in_case(folder, name) if name in contents else set()
            continue
        if path.is_symlink() or not path.is_file():
            foreign |= {name} if name in contents else set()
        elif not _same(path, contents.get(name)):
            if name not in own:
                foreign.add(name)
            elif own[name] and own[name] not in _hashes(path):
                edited.add(name)
            elif name not in contents:
                stale.add(name)
    return Survey(tuple(sorted(stale)), tuple(sorted(edited)), tuple(sorted(foreign)))


def replace_files(folder: Path, contents: Mapping[str, str | bytes], removed: Sequence[str]) -> None:
    """Writes files and removes others, all at once or none: a folder is made aside and takes the old one's place.

    A folder that cannot be exchanged (the current one, a mount, one of another user, one with many files of others, on
    systems without such a call) gets its files one after the other, and has the old ones back after any error.

    Raises:
        OSError: something cannot be written; then all is as it was.
    """
    check_path(folder)
    place = Path(os.path.realpath(folder))
    if os.path.lexists(place):
        if not place.is_dir():
            raise OSError(errno.ENOTDIR, "it is a file, not a folder" if place.is_file() else "it is no folder")
        if not os.access(place, os.W_OK | os.X_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    if _replace_whole(place, contents, removed):
        return
    with staging(place) as staged:
        _write_all(staged, contents)
        publish(staged, place, list(contents), removed)
    _remove_empty(place, removed)


def _replace_whole(place: Path, contents: Mapping[str, str | bytes], removed: Sequence[str]) -> bool:
    """Puts a new folder in the place of the old one; False, and nothing done, where that cannot be."""
    parent = place.parent
    if parent.is_dir() and not os.access(parent, os.W_OK | os.X_OK):
        return False
    if place.is_dir() and (os.path.ismount(place) or Path(os.path.realpath(os.curdir)).is_relative_to(place)):
        return False
    ours = {*contents, *removed}
    with staging(parent) as staged:
        _write_all(staged, contents)
        whole = staged.with_name("whole")
        whole.mkdir()
        if place.is_dir() and not _carry(place, whole, ours):
            return False
        for name in contents:
            (whole / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(staged / name, whole / name)
        if not _exchange(whole, place):
            return False
        if whole.is_dir():
            _carry_late(whole, place, ours)
    return True


def _exchange(made: Path, place: Path) -> bool:
    """Gives a folder the place of another, or of nothing, in one step; False where the system cannot."""
    if not os.path.lexists(place):
        os.rename(made, place)
        return True
    if sys.platform != "linux":
        return False
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    done: int = call(_AT_FDCWD, os.fsencode(made), _AT_FDCWD, os.fsencode(place), _RENAME_EXCHANGE)
    return done == 0


def _others(place: Path, ours: Collection[str]) -> Iterator[Path]:
    """Files of others, and empty folders, in a folder."""
    for folder, folders, files in os.walk(place):
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]
        for path in (here / name for name in (*files, *links)):
            if path.relative_to(place).as_posix() not in ours:
                yield path
        if here != place and not folders and not files:
            yield here


def _carry(place: Path, whole: Path, ours: Collection[str]) -> bool:
    """Makes a folder like the old one and links others' files there, too; False where it cannot be like it."""
    others = list(islice(_others(place, ours), _MOST_OTHERS + 1))
    if len(others) > _MOST_OTHERS:
        return False
    try:
        _make_like(place, whole)
        for path in others:
            target = whole / path.relative_to(place)
            for parent in reversed([parent for parent in target.parents if not parent.exists()]):
                parent.mkdir()
                _make_like(place / parent.relative_to(whole), parent)
            if path.is_dir() and not path.is_symlink():
                target.mkdir()
                _make_like(path, target)
            else:
                os.link(path, target, follow_symlinks=False)
    except (OSError, NotImplementedError):  # another's folder, or no hard links
        return False
    return True


def _carry_late(old: Path, place: Path, ours: Collection[str]) -> None:
    """Moves files of others that were made or saved anew since they were linked."""
    for path in _others(old, ours):
        target = place / path.relative_to(old)
        if not os.path.lexists(target) or not os.path.samestat(os.lstat(path), os.lstat(target)):
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.is_dir():
                os.replace(path, target)


def _make_like(old: Path, new: Path) -> None:
    """Mode and owner of a folder. Raises OSError where they cannot be the same."""
    wanted, facts = old.stat(), new.stat()
    if (wanted.st_uid, wanted.st_gid, wanted.st_dev) != (facts.st_uid, facts.st_gid, facts.st_dev):
        raise OSError(errno.EPERM, "another owner or device")
    os.chmod(new, stat.S_IMODE(wanted.st_mode))


def _write_all(staged: Path, contents: Mapping[str, str | bytes]) -> None:
    for name, content in contents.items():
        try:
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise named(error, staged / name) from error
        write_new(staged / name, content)


def _remove_empty(place: Path, removed: Sequence[str]) -> None:
    """Removes folders that held nothing but removed files."""
    folders = {parent for name in removed for parent in PurePosixPath(name).parents if parent.name}
    for folder in sorted(folders, key=lambda path: -len(path.parts)):
        try:
            (place / folder).rmdir()
        except OSError:
            pass  # something is left in it


def _not_a_folder(folder: Path, name: str) -> str | None:
    """The first part of a path within `folder` that should be a folder, but is a link or another kind of file."""
    for parent in reversed(PurePosixPath(name).parents[:-1]):
        path = folder / parent
        if os.path.lexists(path) and (path.is_symlink() or not path.is_dir()):
            return str(parent)
    return None


def _differ_in_case(folder: Path, name: str) -> set[str]:
    """Files that would be the same one on systems that do not tell capitals."""
    path = folder / name
    try:
        beside = os.listdir(path.parent)
    except (FileNotFoundError, NotADirectoryError):
        return set()
    within = PurePosixPath(name).parent
    return {str(within / other) for other in beside if other.lower() == path.name.lower()}


def _same(path: Path, content: str | bytes | None) -> bool:
    if content is None:
        return False
    data = content if isinstance(content, bytes) else content.encode("utf-8")
    if path.stat().st_size != len(data):
        return False
    with open_regular(path) as file:
        return file.read(len(data) + 1) == data


def _hashes(path: Path) -> tuple[str, str]:
    """SHA-256 of a file as it is, and with line feeds where version control made other ends of lines."""
    whole, plain = hashlib.sha256(), hashlib.sha256()
    with open_regular(path) as file:
        for line in file:
            whole.update(line)
            plain.update(line[:-2] + b"\n" if line.endswith(b"\r\n") else line)
    return whole.hexdigest(), plain.hexdigest()
