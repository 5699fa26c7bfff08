"""All microcontrollers that `fit` looks at: the boards of boards.yaml, the parts that ship, and those of a user."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness import resources
from harness.errors import OptionError, PartsError
from harness.files.yaml_mapping import problem_of, read_mapping
from harness.fit.microcontroller import STACK, Microcontroller, RunCurrent, of_board
from harness.hardware.board import Placement, Region
from harness.hardware.boards_file import known_boards

if TYPE_CHECKING:  # pydantic is slow to import
    from harness.fit.schema import PartEntry

_HINT = "it must map names of parts to entries, as harness/data/parts.yaml does; `tinyhil docs fit` explains the keys"
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_MOST_PROBLEMS = 20


def known_parts(extra: Path | None = None) -> Mapping[str, Microcontroller]:
    """Name -> microcontroller: boards with memory, then the parts that ship, then those of the file `extra`.

    An entry of a later source replaces one of the same name.

    Raises:
        PartsError: a file of parts cannot be read or breaks the schema.
        BoardConfigError: a boards file does.
    """
    parts = {**shipped_parts(), **({} if extra is None else read_parts(extra))}
    boards = {}
    for board in known_boards():
        if board.memory:
            chip = parts.get(board.chip or "")
            boards[board.name] = of_board(board, run=None if chip is None else chip.run)
    return {**boards, **parts}


def shipped_parts() -> dict[str, Microcontroller]:
    """The parts of harness/data/parts.yaml."""
    return read_parts(resources.data("parts.yaml"))


def find_part(name: str, parts: Mapping[str, Microcontroller]) -> Microcontroller:
    """The part or board of a name.

    Raises:
        OptionError: there is none.
    """
    if name in parts:
        return parts[name]
    if name.lower() in parts:
        return parts[name.lower()]
    longer = [known for known in parts if name.lower().startswith(known) and len(known) >= 6]  # a full order code
    close = longer or difflib.get_close_matches(name.lower(), parts, n=3)
    meant = f"did you mean {' or '.join(close)}? " if close else ""
    raise OptionError(
        f"no board or part is named '{name}'", hint=f"{meant}`tinyhil fit MODEL` lists all; --parts FILE adds others"
    )


def read_parts(path: Path) -> dict[str, Microcontroller]:
    """The parts of a file.

    Raises:
        PartsError: the file cannot be read or breaks the schema; the message names file, entry and key.
    """
    content = read_mapping(
        path, PartsError, what="names of parts to entries", hint=_HINT, most_parts=100_000, most_levels=16
    )
    from pydantic import ValidationError

    from harness.fit.schema import PartEntry

    boards = {board.name: board.core for board in known_boards()}
    parts: dict[str, Microcontroller] = {}
    problems: list[str] = []
    for name, fields in content.items():
        if not _NAME.fullmatch(name):
            problems.append(f"{name!r}: a part's name is small letters, digits, dot, dash and underscore, 64 at most")
            continue
        try:
            entry = PartEntry.model_validate(fields)
        except ValidationError as error:
            problems += [problem_of(name, found) for found in error.errors(include_url=False)]
            continue
        like = entry.memory_like
        if like is not None and boards.get(like) != entry.core:
            problems.append(f"{name}.memory_like: no board named {like!r} has a {entry.core}")
            continue
        parts[name] = _part(name, entry)
    if problems:
        raise PartsError(f"{path}: {problems[0]}", hint=_HINT, details="\n".join(problems[:_MOST_PROBLEMS]))
    return parts


def _part(name: str, entry: PartEntry) -> Microcontroller:
    regions = sorted(entry.ram_kib.items(), key=lambda region: -region[1])
    arena = regions[0][0]
    # Stack and variables beside the arena where another region has the room, as on the boards
    beside = next((region for region, kib in regions[1:] if kib << 10 >= 2 * STACK), arena)
    flash = "external flash" if entry.external else "flash"
    ram = (Region(region, 0, kib << 10, "ram") for region, kib in regions)
    run = entry.run
    return Microcontroller(
        name=name,
        vendor=entry.vendor,
        core=entry.core,
        dsp=entry.dsp,
        fpu=entry.fpu,
        clock_hz=round(entry.clock_mhz * 1e6),
        memory=(Region(flash, 0, entry.flash_kib << 10, "flash"), *ram),
        external_flash=entry.external,
        placement=Placement(arena=arena, stack=beside, data=beside, weights=flash, code=flash),
        stack_size=STACK,
        memory_like=entry.memory_like,
        run=None if run is None else RunCurrent(run.ua_per_mhz, run.volts, run.how, run.sleep_ua, run.source),
        source=entry.source,
    )
