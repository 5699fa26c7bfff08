"""Memory of a virtual board: RAM, and flash that a file may keep."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import IO

from harness.errors import BoardError
from harness.virtual.chip import Chip
from harness.virtual.memory import Bytes, anonymous, on_store

ERASED = b"\xff"


def make_memory(chip: Chip, flash_file: Path | None) -> list[Bytes]:
    """All memory of a chip. Raises OSError or ValueError if the file cannot be used."""
    made: dict[str, Bytes] = {}
    for facts in chip.memory:
        name, origin, size, kind = facts.name, facts.origin, facts.size, facts.kind
        if facts.alias_of is not None:
            made[name] = on_store(name, origin, size, kind, made[facts.alias_of].store)
        elif kind == "flash":
            made[name] = on_store(name, origin, size, kind, _flash_store(size, flash_file))
        else:
            made[name] = anonymous(name, origin, size, kind)
    # The largest first: with a smaller one before the flash, the emulator (Unicorn 2.1) treats stores to RAM as changes
    # of code, and translates the code again each time.
    return sorted(made.values(), key=lambda region: -region.size)


def lock(path: Path) -> IO[bytes]:
    """Locks a file of flash contents for this process, until the returned file is closed."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    file = open(path.with_name(path.name + ".lock"), "ab")  # noqa: SIM115 - the caller closes it
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise BoardError(
            f"the virtual board with its flash in {path} is in use by another process", hint="wait for it, or end it"
        ) from error
    return file


def _flash_store(size: int, path: Path | None) -> mmap.mmap:
    """A mapping of the flash's bytes, erased if it is new."""
    if path is None:
        store = mmap.mmap(-1, size)
        store[:] = ERASED * size
        return store
    with open(path, "a+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(ERASED * max(size - file.tell(), 0))
        file.flush()
        return mmap.mmap(file.fileno(), size)
