"""Which board runs when one is asked for: itself, or what stands in for it while it is not attached."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from harness.boards.backends import virtual
from harness.boards.backends.pyocd import probes
from harness.boards.registry import find_board, load_boards
from harness.errors import BoardError, EmulatorMissingError
from harness.hardware.board import VIRTUAL, Board, Resolved


def resolve(name: str, boards: Mapping[str, Board] | None = None, *, probe: str | None = None) -> Resolved:
    """The board that runs when `name` is asked for.

    Args:
        name: of a board.
        boards: all boards; None for those that load_boards() gives.
        probe: the debug probe to use it through, see harness.boards.backends.pyocd.probes.wanted_probe.

    Raises:
        BoardConfigError: no board has that name.
        ProbeChoiceError: several debug probes are attached and none is chosen.
        ProbeMissingError: the one that is chosen is not attached.
        EmulatorMissingError: the board is an FVP that is not installed, and nothing stands in for it.
        BoardError: the board is not attached and nothing stands in for it.
    """
    boards = load_boards() if boards is None else boards
    asked = find_board(name, boards)
    if asked.backend == "fvp":
        return _resolve_fvp(asked, boards)
    if asked.backend != "pyocd":
        return Resolved(asked, asked, False, "")
    chosen = probes.choose_probe(asked, probe)
    if chosen is not None:
        reason = ""
        if chosen.virtual:
            reason = f"probe {chosen.unique_id} is virtual: an emulated {asked.chip or asked.core} stands in for {name}"
        return Resolved(asked, asked, chosen.virtual, reason, chosen)
    return _stand_in(asked, boards)


def _stand_in(asked: Board, boards: Mapping[str, Board]) -> Resolved:
    """The first of the board's stand-ins that can run here."""
    missing = ""
    for name in asked.stand_ins:
        if name == VIRTUAL:
            if not virtual.knows(asked.chip):
                missing = f" (there is no virtual {asked.chip})"
            elif virtual.is_installed():
                what = f"a virtual board ({asked.chip}, {asked.core}, emulated)"
                reason = f"no debug probe is attached: {what} stands in for {asked.name}"
                return Resolved(asked, replace(asked, backend="virtual"), True, reason)
            else:
                missing = f" (pip install 'tinyhil[virtual]' would let a virtual {asked.name} run its own image)"
            continue
        runs_on = find_board(name, boards)
        what = f"{runs_on.name} ({runs_on.core}, {runs_on.backend})"
        reason = f"no debug probe is attached: {what} stands in for {asked.name}{missing}"
        return Resolved(asked, runs_on, True, reason)
    raise BoardError(
        f"{asked.name} is not attached, and nothing stands in for it{missing}", hint="attach its debug probe"
    )


def _resolve_fvp(asked: Board, boards: Mapping[str, Board]) -> Resolved:
    from harness.boards.backends import fvp

    try:
        fvp.find_fvp(asked)
    except EmulatorMissingError as error:
        if asked.stand_in is None or os.environ.get(fvp.VARIABLE):
            raise
        runs_on = find_board(asked.stand_in, boards)
        reason = f"{error.message}: {runs_on.name} ({runs_on.core}, {runs_on.backend}) stands in for {asked.name}"
        return Resolved(asked, runs_on, True, reason)
    return Resolved(asked, asked, False, "")
