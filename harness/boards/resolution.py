"""Resolution: the board that runs when one is asked for, itself or a stand-in while it cannot run."""

from __future__ import annotations

from collections.abc import Mapping

from harness.boards.backends import Absent, find_backend
from harness.boards.backends.virtual import backend as virtual
from harness.boards.registry import find_board, load_boards
from harness.errors import BoardError
from harness.hardware.board import VIRTUAL, Board, Resolved


def resolve(name: str, boards: Mapping[str, Board] | None = None, *, probe: str | None = None) -> Resolved:
    """The board that runs when `name` is asked for.

    Args:
        name: the board's name.
        boards: all boards; None for those of load_boards().
        probe: the debug probe to use, see harness.boards.backends.pyocd.probes.wanted_probe.

    Raises:
        BoardConfigError: no board has that name.
        ProbeChoiceError: several debug probes are attached and none is chosen.
        ProbeMissingError: the chosen probe is not attached.
        EmulatorMissingError: the board is an FVP that is not installed, and nothing stands in for it.
        BoardError: the board is not attached and nothing stands in for it.
    """
    boards = load_boards() if boards is None else boards
    asked = find_board(name, boards)
    found = find_backend(asked.backend).candidate(asked, probe)
    return _stand_in(asked, found, boards) if isinstance(found, Absent) else found


def _stand_in(asked: Board, absent: Absent, boards: Mapping[str, Board]) -> Resolved:
    """The first of the board's stand-ins that can run; raises the board's error if none can."""
    why_not_virtual = ""
    for name in asked.stand_ins:
        if name == VIRTUAL:
            emulation = virtual.emulation_of(asked)
            if isinstance(emulation, str):
                why_not_virtual = f" ({emulation})"
                continue
            what = f"a virtual board ({asked.chip}, {asked.core}, emulated)"
            return Resolved(asked, emulation, True, f"{absent.reason}: {what} stands in for {asked.name}")
        runs_on = find_board(name, boards)
        what = f"{runs_on.name} ({runs_on.core}, {runs_on.backend})"
        reason = f"{absent.reason}: {what} stands in for {asked.name}{why_not_virtual}"
        return Resolved(asked, runs_on, True, reason)
    raise absent.error or BoardError(
        f"{asked.name} is not attached, and nothing stands in for it{why_not_virtual}", hint=absent.hint
    )
