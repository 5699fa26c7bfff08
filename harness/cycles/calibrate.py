"""Calibration: runs loops on a board, compares them with the model, and makes a board's table from the results.

On silicon the board's cycle counter measures each loop. On an emulator, which counts instructions, this checks that
the loops execute the instructions that the model expects, and compares the model with each loop's figure by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import yaml

from harness.cycles.board_tables import BoardTable, Setup, board_table, boards, setup
from harness.cycles.calibration import CalibrationLoop, Figure, applies, figures, loops, memory_of
from harness.cycles.calibration_client import CalibrationClient
from harness.cycles.instruction import Class
from harness.cycles.tables import CoreTable, core_table
from harness.errors import OptionError
from harness.units import Unit
from harness.version import __version__

if TYPE_CHECKING:
    from harness.boards import Board, Session
    from harness.build.progress import Progress

SMALLEST_ERROR = 0.02
"""Least relative error that a table states, since loops are not programs."""
_INSTRUCTIONS_A_RUN = 200_000
_TICKS = Fraction(1, 200)
"""Relative tolerance of counted instructions: QEMU's clocks tick less often than once per instruction."""


@dataclass(frozen=True)
class LoopMeasurement:
    """The measurement of a loop on a board.

    Attributes:
        figure: the loop's cycles by hand and by the model.
        measured: time of one body, in `unit`.
        unit: cycles on silicon, instructions on an emulator.
        bounds: least and most cycles of a body, where the loop's row gives a range; else both the modelled figure.
    """

    figure: Figure
    measured: Fraction
    unit: Unit
    bounds: tuple[Fraction, Fraction]

    @property
    def deviation(self) -> float | None:
        """Relative difference of the measured cycles from the bounds, 0 within; None on an emulator."""
        if self.unit is not Unit.CYCLES:
            return None
        low, high = self.bounds
        if low <= self.measured <= high:
            return 0.0
        nearest = low if self.measured < low else high
        return float((nearest - self.measured) / self.measured)

    @property
    def as_expected(self) -> bool:
        """Whether hand and model agree and, on an emulator, the body executes the expected number of instructions."""
        counted = abs(self.measured - self.figure.instructions) < _TICKS * max(Fraction(1), self.figure.instructions)
        return self.figure.agrees and (counted or self.unit is not Unit.INSTRUCTIONS)


@dataclass(frozen=True)
class Calibration:
    """Measurements of all loops on a board.

    Attributes:
        board: its name; ran_on: the board that ran.
        core: the core's table; setup: the board's set-up, or None if it has no table.
        unit: of the measurements.
        readings: one for each loop; left_out: names of loops that do not apply to this board.
    """

    board: str
    ran_on: str
    core: CoreTable
    setup: Setup | None
    unit: Unit
    readings: tuple[LoopMeasurement, ...]
    left_out: tuple[str, ...]

    @property
    def as_expected(self) -> bool:
        """Whether every measurement is as expected."""
        return all(reading.as_expected for reading in self.readings)

    def table(self, today: str, probe: str) -> str:
        """Text of the board's table with the measured stalls and error.

        Args:
            today: date of the measurement; probe: unique id of the probe, which identifies the board.

        Raises:
            OptionError: nothing was measured on silicon, or the board has no table to start from.
        """
        if self.unit is not Unit.CYCLES:
            raise OptionError(
                f"{self.ran_on} has no cycle counter to calibrate {self.board} by", hint="run it on the real board"
            )
        if self.setup is None:
            raise OptionError(
                f"{self.board} has no cycle table to put figures into",
                hint=f"write one like those of {', '.join(boards())}, in the folder that TINYHIL_CYCLE_TABLES names",
            )
        core = [r for r in self.readings if not r.figure.loop.of_memory and r.deviation is not None]
        error = max([SMALLEST_ERROR, *(abs(r.deviation or 0.0) for r in core)])
        worst = max(core, key=lambda r: abs(r.deviation or 0.0))
        mean = sum(abs(r.deviation or 0.0) for r in core) / len(core)
        data = self.setup.table.model_dump(mode="json", exclude_none=True)
        data["sources"]["measured"] = f"tinyhil calibrate {__version__}, {today}, {probe}"
        data["validated"] = True
        data["validation"] = (
            f"{len(core)} loops measured on this board, {mean:.1%} off on average, {worst.figure.loop.name} "
            f"{abs(worst.deviation or 0.0):.1%}. Whole programs were not."
        )
        data["fitted_on"] = f"the loops of firmware/calibrate, {today}, {probe}"
        data["error"] = round(min(error, 0.99), 3)
        data.pop("errors", None)  # of whole programs, with other stalls
        for reading in self.readings:
            loop = reading.figure.loop
            if loop.misses is not None:
                self._put_stall(data, loop, reading)
        header = f"# {self.board}, measured by `tinyhil calibrate` {__version__} on {today}.\n"
        return header + yaml.safe_dump(data, sort_keys=False, width=120)

    def _put_stall(self, data: dict[str, Any], loop: CalibrationLoop, reading: LoopMeasurement) -> None:
        assert self.setup is not None and loop.misses is not None
        memory = memory_of(loop, self.setup)
        stall = (reading.measured - loop.cycles) / reading.figure.misses
        row = data["flash"][self.setup.flash]["memory"] if memory == "flash" else data["memories"][memory]
        row["stalls"][loop.misses[0]] = max(0.0, round(float(stall), 2))
        row["source"] = ["measured"]
        row["validated"] = True
        row.pop("note", None)
        if memory == "flash":
            data["flash"][self.setup.flash]["validated"] = True


def board_setup(board: Board, *, flash: str | None = None) -> Setup | None:
    """The set-up of a board with its own placement; None if it has no table.

    Raises:
        OptionError: it has no such flash set-up.
    """
    if board.name not in boards():
        return None
    return setup(board_table(board.name), placement_of(board), flash=flash)


def placement_of(board: Board) -> Mapping[str, str]:
    """Part of the image -> memory, by the board's entry in boards.yaml."""
    return {} if board.placement is None else board.placement.regions


def calibrate(
    session: Session, table: BoardTable | None = None, *, flash: str | None = None, progress: Progress | None = None
) -> Calibration:
    """Times every loop on an open session.

    Args:
        session: that runs the image of harness.cycles.calibration_image.build.
        table: the board's; None for tinyhil's own.
        flash: name of the board's flash set-up.
        progress: called with ("calibrate", done, total).

    Raises:
        ProtocolError, NoBytesError, DeviceTimeoutError: the device does not answer, or not by the protocol.
    """
    core = core_table(session.ran_on.core)
    board = board_setup(session.board, flash=flash)
    if table is not None:
        board = setup(table, placement_of(session.board), flash=flash)
    scale = session.tick_scale()
    if scale is None or scale[0] is Unit.HOST_NS:
        raise OptionError(f"{session.ran_on.name} has no ticks to calibrate by", hint="calibrate another board")
    every = loops(core.core)
    wanted = [(n, loop) for n, loop in enumerate(every) if applies(loop, board)]
    left_out = tuple(loop.name for loop in every if loop not in {loop for _, loop in wanted})
    found = figures([loop for _, loop in wanted], core, board)
    client = CalibrationClient(session.stream())
    client.check(session.image.build_id, 2 * len(every))
    readings = []
    for done, ((number, loop), figure) in enumerate(zip(wanted, found, strict=True)):
        if progress:
            progress("calibrate", done, len(wanted))
        ticks = _body_ticks(client, number, loop, figure)
        readings.append(LoopMeasurement(figure, ticks * scale[1], scale[0], _bounds(core, figure)))
    emulated = session.stand_in and session.ran_on.name == session.board.name
    ran_on = f"virtual-{session.ran_on.name}" if emulated else session.ran_on.name
    return Calibration(session.board.name, ran_on, core, board, scale[0], tuple(readings), left_out)


def _body_ticks(client: CalibrationClient, number: int, loop: CalibrationLoop, figure: Figure) -> Fraction:
    """Ticks of one body: the longer function less the shorter, each for all iterations less half of them."""
    body = max(1, round(float(figure.instructions)))
    iterations = max(2, min(1000, _INSTRUCTIONS_A_RUN // (body * 3 * loop.copies))) // 2 * 2
    taken = [client.ticks(2 * number + which, rounds) for which in (0, 1) for rounds in (iterations // 2, iterations)]
    return Fraction((taken[3] - taken[2]) - (taken[1] - taken[0]), loop.copies * iterations // 2)


def _bounds(core: CoreTable, figure: Figure) -> tuple[Fraction, Fraction]:
    low = high = figure.modelled
    for row in figure.loop.rows:
        kind, _, name = row.partition(".")
        if kind == "classes":
            less, more = core.classes[Class(name)].spread()
            low += Fraction(less).limit_denominator(100)
            high += Fraction(more).limit_denominator(100)
    return low, high
