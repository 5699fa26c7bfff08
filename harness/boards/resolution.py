"""Which board runs when one is asked for: itself, or what stands in for it while it is not attached."""

from __future__ import annotations

import os
from collections.abc import Mapping

from harness.boards import probes
from harness.boards.records import Board, Resolved
from harness.boards.registry import find_board, load_boards
from harness.errors import BoardError, EmulatorMissingError, NotYetError


def resolve(name: str, boards: Mapping[str, Board] | None = None) -> Resolved:
    """The board that runs when `name` is asked for.

    Raises:
        BoardConfigError: no board has that name.
        NotYetError: a probe is attached, and this version cannot flash through it.
        EmulatorMissingError: the board is an FVP that is not installed, and nothing stands in for it.
        BoardError: the board is not attached and nothing stands in for it.
    """
    boards = load_boards() if boards is None else boards
    asked = find_board(name, boards)
    if asked.backend == "fvp":
        return _resolve_fvp(asked, boards)
    if asked.backend != "pyocd":
        return Resolved(asked, asked, False, "")
    attached = probes.attached_probes()
    if attached:
        what = ", ".join(f"{probe.description} ({probe.unique_id})" for probe in attached)
        raise NotYetError(
            f"a probe is attached ({what}), but this version cannot flash {name} yet",
            hint=f"run its stand-in by name (--board {asked.stand_in}), or unplug the probe",
        )
    if asked.stand_in is None:
        raise BoardError(f"{name} is not attached, and nothing stands in for it", hint="attach its debug probe")
    runs_on = find_board(asked.stand_in, boards)
    reason = f"no debug probe is attached: {runs_on.name} ({runs_on.core}, {runs_on.backend}) stands in for {name}"
    return Resolved(asked, runs_on, True, reason)


def _resolve_fvp(asked: Board, boards: Mapping[str, Board]) -> Resolved:
    from harness.boards import fvp

    try:
        fvp.find_fvp(asked)
    except EmulatorMissingError as error:
        if asked.stand_in is None or os.environ.get(fvp.VARIABLE):
            raise
        runs_on = find_board(asked.stand_in, boards)
        reason = f"{error.message}: {runs_on.name} ({runs_on.core}, {runs_on.backend}) stands in for {asked.name}"
        return Resolved(asked, runs_on, True, reason)
    return Resolved(asked, asked, False, "")
