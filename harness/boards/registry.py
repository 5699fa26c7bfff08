"""boards.yaml -> Board records."""

from __future__ import annotations

import difflib
import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import resources
from harness.errors import BoardConfigError, PlacementError
from harness.hardware.board import VIRTUAL, Board, Idcode, Placement, Region, Tick, Uart
from harness.hardware.placement import check_placement

if TYPE_CHECKING:  # pydantic is slow to import
    from harness.hardware.schema import BoardEntry

EXTRA_VARIABLE = "TINYHIL_BOARDS"


def load_boards(extra: Path | None = None) -> Mapping[str, Board]:
    """All boards: those that ship, then those of $TINYHIL_BOARDS, then those of `extra`; a later entry replaces one of
    its name.

    Raises:
        BoardConfigError: a file cannot be read or breaks the schema; the message names file, entry and key.
    """
    paths = [resources.boards_file()]
    named = os.environ.get(EXTRA_VARIABLE)
    if named:
        paths.append(Path(named).expanduser())
    if extra is not None:
        paths.append(extra)
    boards: dict[str, Board] = {}
    origin: dict[str, Path] = {}
    for path in paths:
        for board in _read(path, _stamp(path)):
            boards[board.name] = board
            origin[board.name] = path
    for board in boards.values():
        for stand_in in board.stand_ins:
            if stand_in != VIRTUAL and (stand_in not in boards or boards[stand_in].backend == "pyocd"):
                why = "is not a board" if stand_in not in boards else "is not emulated"
                emulated = [b.name for b in boards.values() if b.backend == "qemu"]
                raise BoardConfigError(
                    f"{origin[board.name]}: {board.name}.stand_ins: {stand_in} {why}",
                    hint=f"name an emulated board: {', '.join([VIRTUAL, *emulated])}",
                )
    return boards


def find_board(name: str, boards: Mapping[str, Board] | None = None) -> Board:
    """The board of a name.

    Raises:
        BoardConfigError: there is none; the hint names the closest.
    """
    boards = load_boards() if boards is None else boards
    board = boards.get(name)
    if board is None:
        raise unknown_board(name, boards)
    return board


def unknown_board(name: str, boards: Mapping[str, Board]) -> BoardConfigError:
    """The error for a board that is in no file."""
    close = difflib.get_close_matches(name.lower(), boards, n=3, cutoff=0.5)
    if close:
        hint = f"did you mean {' or '.join(close)}?"
    else:
        hint = "known boards: " + ", ".join(boards) + "."
    return BoardConfigError(
        f"no board named {name!r}", hint=f"{hint} Add your own in a file named by ${EXTRA_VARIABLE}"
    )


def _stamp(path: Path) -> tuple[int, int]:
    """Changes when the file does."""
    try:
        facts = path.stat()
    except OSError as error:
        raise BoardConfigError(
            f"{path}: {error.strerror}", hint=f"correct ${EXTRA_VARIABLE}, or make the file"
        ) from error
    return facts.st_mtime_ns, facts.st_size


@functools.lru_cache(maxsize=8)
def _read(path: Path, stamp: tuple[int, int]) -> tuple[Board, ...]:
    del stamp
    content = _parse(path)
    from pydantic import ValidationError

    from harness.hardware.schema import BoardEntry

    problems: list[str] = []
    boards: list[Board] = []
    for name, fields in content.items():
        try:
            entry = BoardEntry.model_validate(fields)
        except ValidationError as error:
            for problem in error.errors(include_url=False):
                place = ".".join([str(name), *map(str, problem["loc"])])
                problems.append(f"{place}: {problem['msg'].removeprefix('Value error, ')}")
            continue
        board = _board(name, entry)
        wrong = _misplaced(board)
        if wrong:
            problems.append(wrong)
            continue
        boards.append(board)
    if problems:
        raise BoardConfigError(
            f"{path}: {problems[0]}",
            hint="the comments at the head of the boards.yaml that ships explain the keys",
            details="\n".join(problems),
        )
    return tuple(boards)


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
        idcode=None if idcode is None else Idcode(idcode.address, idcode.device),
        uart=None if uart is None else Uart(uart.name, uart.tx, uart.rx, uart.baud, uart.fast_baud, uart.serial),
        placement=None if placement is None else Placement(**placement.model_dump()),
        probe=entry.probe,
    )


def _misplaced(board: Board) -> str | None:
    """What is wrong with the board's own placement, if anything."""
    if board.placement is None:
        return None
    try:
        check_placement(board, board.placement)
    except PlacementError as error:
        return f"{board.name}.placement.{error.message}"
    return None


def _parse(path: Path) -> dict[str, Any]:
    import yaml

    class Loader(yaml.SafeLoader):
        """Refuses a key that is given twice, which YAML forbids and PyYAML lets pass."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            seen: set[Any] = set()
            for key_node, _ in node.value:
                key = key_node.value
                if not isinstance(key_node, yaml.ScalarNode):
                    raise yaml.constructor.ConstructorError(None, None, "a key must be a word", key_node.start_mark)
                if key in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"{key!r} is given twice", key_node.start_mark)
                seen.add(key)
            return dict(super().construct_mapping(node, deep))

    hint = "it must map board names to entries, as the boards.yaml that ships does"
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise BoardConfigError(f"{place}: {error.problem}", hint=hint) from error
    except (yaml.YAMLError, UnicodeDecodeError, OSError, ValueError, RecursionError) as error:
        raise BoardConfigError(f"{path}: {error}", hint=hint) from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise BoardConfigError(f"{path}: not a mapping of board names to entries", hint=hint)
    return content
