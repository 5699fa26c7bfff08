"""boards.yaml -> Board records, for all backends."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from harness import resources
from harness.errors import BoardConfigError, PlacementError
from harness.files.reading import check_path
from harness.files.yaml_mapping import problem_of, read_mapping
from harness.hardware.board import Board, Idcode, Npu, Placement, Region, Tick, Uart
from harness.hardware.families import find_family, wrong_pin
from harness.hardware.placement import check_placement

if TYPE_CHECKING:  # pydantic is slow to import
    from harness.hardware.schema import BoardEntry

EXTRA_VARIABLE = "TINYHIL_BOARDS"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
MOST_PARTS, MOST_LEVELS = 50_000, 32
"""Most keys and values of a boards file, and how deep they may lie in each other."""

Check: TypeAlias = Callable[[Board], tuple[str, ...]]
"""Returns what is wrong with an entry besides the schema: sentences that name board and key."""


def board_files(extra: Path | None = None) -> list[Path]:
    """The files that define boards: tinyhil's own, that of $TINYHIL_BOARDS, and `extra`. An entry of a later file
    replaces one of the same name.
    """
    paths = [resources.boards_file()]
    named = os.environ.get(EXTRA_VARIABLE)
    if named:
        paths.append(Path(named).expanduser())
    return paths if extra is None else [*paths, extra]


def read_boards(path: Path, check: Check | None = None) -> tuple[Board, ...]:
    """The boards of one file; cached as long as the file does not change.

    Args:
        path: the file.
        check: called with each board whose entry keeps the schema; what it returns is reported as errors, too.

    Raises:
        BoardConfigError: the file cannot be read or breaks the schema; the message names file, entry and key.
    """
    boards, mistakes = _read(path, _stamp(path))
    problems = [*mistakes, *(wrong for board in boards for wrong in (check(board) if check else ()))]
    if problems:
        raise BoardConfigError(
            f"{path}: {problems[0]}",
            hint="the comments at the head of the boards.yaml that ships explain the keys",
            details="\n".join(problems),
        )
    return boards


def known_board(name: str) -> Board | None:
    """The board of this name in all board_files(), not checked by its backend; None where there is none.

    Raises:
        BoardConfigError: as read_boards.
    """
    return next((board for board in known_boards() if board.name == name), None)


def known_boards() -> tuple[Board, ...]:
    """The boards of all board_files(), as known_board."""
    return tuple({board.name: board for path in board_files() for board in read_boards(path)}.values())


def _stamp(path: Path) -> tuple[int, int]:
    """Changes when the file changes: its time of modification and its size."""
    try:
        check_path(path)
        facts = path.stat()
    except OSError as error:
        raise BoardConfigError(
            f"{path}: {error.strerror}", hint=f"correct ${EXTRA_VARIABLE}, or make the file"
        ) from error
    return facts.st_mtime_ns, facts.st_size


@functools.lru_cache(maxsize=16)
def _read(path: Path, stamp: tuple[int, int]) -> tuple[tuple[Board, ...], tuple[str, ...]]:
    """(boards of a file, what is wrong with the other entries)."""
    del stamp
    content = _parse(path)
    from pydantic import ValidationError

    from harness.hardware.schema import BoardEntry

    problems: list[str] = []
    boards: list[Board] = []
    for name, fields in content.items():
        if not _NAME.fullmatch(str(name)):  # it stands in files' names, and in C
            problems.append(f"{name!r}: a board's name is letters, digits, dot, dash and underscore, 64 at most")
            continue
        try:
            entry = BoardEntry.model_validate(fields)
        except ValidationError as error:
            problems += [problem_of(name, found) for found in error.errors(include_url=False)]
            continue
        board = _board(name, entry)
        wrong = [*_wrong_pins(board), *_misplaced(board), *_unreached(board)]
        problems += wrong
        if not wrong:
            boards.append(board)
    return tuple(boards), tuple(problems)


def _board(name: str, entry: BoardEntry) -> Board:
    idcode, uart, placement = entry.idcode, entry.uart, entry.placement
    return Board(
        name=name,
        title=entry.title,
        core=entry.core,
        port=entry.port,
        backend=entry.backend,
        clock_hz=entry.clock_hz,
        tick=Tick(entry.tick.source, entry.tick.hz),
        stack_size=entry.stack_size,
        memory=tuple(Region(r.name, r.origin, r.size, r.kind, r.execute) for r in entry.memory),
        machine=entry.machine,
        target=entry.target,
        arguments=entry.arguments,
        time_limit=entry.time_limit,
        chip=entry.chip,
        stand_ins=entry.stand_ins,
        verified=entry.verified,
        idcode=None if idcode is None else Idcode(idcode.address, idcode.device, idcode.mask),
        uart=None if uart is None else Uart(uart.name, uart.tx, uart.rx, uart.baud, uart.fast_baud, uart.serial),
        placement=None if placement is None else Placement(**placement.model_dump()),
        probe=entry.probe,
        npu=None if entry.npu is None else Npu(**entry.npu.model_dump()),
    )


def _misplaced(board: Board) -> list[str]:
    """What is wrong with the board's own placement."""
    if board.placement is None:
        return []
    try:
        check_placement(board, board.placement)
    except PlacementError as error:
        return [f"{board.name}.placement.{error.message}"]
    return []


def _unreached(board: Board) -> list[str]:
    """What is wrong with the names of the memory that the NPU reaches."""
    names = () if board.npu is None else board.npu.memory
    there = ", ".join(region.name for region in board.memory) or "none"
    return [
        f"{board.name}.npu.memory: no memory region '{name}'; there are: {there}"
        for name in names
        if board.region(name) is None
    ]


def _wrong_pins(board: Board) -> list[str]:
    """What is wrong with the names of the UART's pins, by the rules of the chip's family."""
    if board.uart is None:
        return []
    family = find_family(board.chip, board.target)
    found = {key: wrong_pin(family, pin) for key, pin in (("tx", board.uart.tx), ("rx", board.uart.rx))}
    return [f"{board.name}.uart.{key}: {wrong}" for key, wrong in found.items() if wrong]


def _parse(path: Path) -> dict[str, Any]:
    return read_mapping(
        path,
        BoardConfigError,
        what="board names to entries",
        hint="it must map board names to entries, as the boards.yaml that ships does",
        most_parts=MOST_PARTS,
        most_levels=MOST_LEVELS,
    )
