"""All boards by name, each entry checked by its backend."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from harness.boards.backends import find_backend
from harness.errors import BoardConfigError
from harness.hardware.board import VIRTUAL, Board
from harness.hardware.boards_file import EXTRA_VARIABLE, board_files, read_boards


def load_boards(extra: Path | None = None) -> Mapping[str, Board]:
    """All boards: tinyhil's own, then those of $TINYHIL_BOARDS, then those of `extra`; a later entry replaces one of
    the same name.

    Raises:
        BoardConfigError: a file cannot be read, or an entry breaks the schema or a rule of its backend; the message
            names file, entry and key.
    """
    boards: dict[str, Board] = {}
    origin: dict[str, Path] = {}
    for path in board_files(extra):
        for board in read_boards(path, _wrong_for_backend):
            boards[board.name] = board
            origin[board.name] = path
    for board in boards.values():
        for stand_in in board.stand_ins:
            why = "" if stand_in == VIRTUAL else _no_stand_in(boards.get(stand_in))
            if why:
                raise BoardConfigError(
                    f"{origin[board.name]}: {board.name}.stand_ins: {stand_in} {why}",
                    hint=f"name an emulated board: {', '.join([VIRTUAL, *_emulated(boards)])}",
                )
    return boards


def find_board(name: str, boards: Mapping[str, Board] | None = None) -> Board:
    """The board of this name.

    Raises:
        BoardConfigError: there is none; the hint lists similar names.
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


def _wrong_for_backend(board: Board) -> tuple[str, ...]:
    """What is wrong with a board's entry by the rules of its backend."""
    try:
        backend = find_backend(board.backend)
    except BoardConfigError as error:
        return (f"{board.name}.backend: {error.message}; {error.hint}",)
    return tuple(f"{board.name}: {wrong}" for wrong in backend.check(board))


def _no_stand_in(board: Board | None) -> str:
    """Why a board cannot stand in for another; "" if it can."""
    if board is None:
        return "is not a board"
    return "is not emulated" if find_backend(board.backend).has_probe else ""


def _emulated(boards: Mapping[str, Board]) -> list[str]:
    """Names of the boards whose backend always runs."""
    backends = {name: find_backend(board.backend) for name, board in boards.items()}
    return [name for name, backend in backends.items() if backend.emulated and backend.always_runs]
