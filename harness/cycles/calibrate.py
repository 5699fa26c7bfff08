"""Runs the calibration loops on a board, holds them against the model, and makes a board's table of what they tell.

On silicon the board's cycle counter measures each loop. On an emulator, which counts instructions, the loops show that
they run as the model thinks they do, and the model is held against each loop's figure by hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import yaml

from harness.build.language import Language
from harness.cycles.board_tables import BoardTable, Setup, board_table, boards, setup
from harness.cycles.calibration import CalibrationLoop, Figure, applies, figures, loops, memory_of
from harness.cycles.instruction import Class
from harness.cycles.tables import CoreTable, core_table
from harness.errors import DeviceTimeoutError, NoBytesError, OptionError, ProtocolError
from harness.units import Unit
from harness.version import __version__

if TYPE_CHECKING:
    from harness.boards import Board, Session
    from harness.build import Image
    from harness.link.transport import Transport

TABLE_WORDS = 8192
"""Words of the tables that loops walk through."""
SMALLEST_ERROR = 0.02
"""A table never claims to be better than this: loops are not programs."""
_INSTRUCTIONS_A_RUN = 200_000
_TIMEOUT_S = 60.0
_TICKS = Fraction(1, 200)
"""QEMU's clocks tick slower than instructions go, so that a count is a little off."""
_ANSWER_LIMIT = 200

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Reading:
    """A loop on a board.

    Attributes:
        figure: by hand and by the model.
        measured: a body, in `unit`.
        unit: cycles on silicon, instructions on an emulator.
        bounds: cycles between which the loop may lie, where its row gives a range; else both are the modelled figure.
    """

    figure: Figure
    measured: Fraction
    unit: Unit
    bounds: tuple[Fraction, Fraction]

    @property
    def deviation(self) -> float | None:
        """How far the model is from the measured cycles, relative, outside of the bounds; None on an emulator."""
        if self.unit is not Unit.CYCLES:
            return None
        low, high = self.bounds
        if low <= self.measured <= high:
            return 0.0
        nearest = low if self.measured < low else high
        return float((nearest - self.measured) / self.measured)

    @property
    def as_expected(self) -> bool:
        """Whether hand and model agree and, on an emulator, the body has as many instructions as was walked through."""
        counted = abs(self.measured - self.figure.instructions) < _TICKS * max(Fraction(1), self.figure.instructions)
        return self.figure.agrees and (counted or self.unit is not Unit.INSTRUCTIONS)


@dataclass(frozen=True)
class Calibration:
    """All loops of one board.

    Attributes:
        board: its name; ran_on: what ran.
        core: its table; setup: the board's table as it is set up, or None where there is none.
        unit: what was measured.
        readings: a loop each; left_out: loops that this board has no use for.
    """

    board: str
    ran_on: str
    core: CoreTable
    setup: Setup | None
    unit: Unit
    readings: tuple[Reading, ...]
    left_out: tuple[str, ...]

    @property
    def as_expected(self) -> bool:
        """Whether every reading is."""
        return all(reading.as_expected for reading in self.readings)

    def table(self, today: str, probe: str) -> str:
        """Text of the board's table with the stalls that were measured and the error that was found.

        Args:
            today: date of the measurement; probe: what tells the very board.

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
        for reading in self.readings:
            loop = reading.figure.loop
            if loop.misses is not None:
                self._put_stall(data, loop, reading)
        header = f"# {self.board}, measured by `tinyhil calibrate` {__version__} on {today}.\n"
        return header + yaml.safe_dump(data, sort_keys=False, width=120)

    def _put_stall(self, data: dict[str, Any], loop: CalibrationLoop, reading: Reading) -> None:
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


def language(core: str) -> tuple[Language, str]:
    """The language of an image that times a core's loops, and the text of its list of models, which is empty.

    Raises:
        CycleTableError: the core has no loops.
    """
    wanted = loops(core)
    arena = TABLE_WORDS if any(loop.r1 == "arena" for loop in wanted) else 1
    tables = f"""/* Tables that the calibration loops walk through: generated by tinyhil. Do not edit. */
#include "calibrate.h"
const uint32_t calibrate_rodata[{TABLE_WORDS}] __attribute__((aligned(32))) = {{1}};
uint32_t calibrate_arena[{arena}] __attribute__((aligned(32), section(".bss.hil_arena")));
"""
    files = {"calibrate_loops.S": _assembly(wanted), "calibrate_tables.c": tables}
    return Language("calibrate", (), "calibrate", files), "typedef int hil_no_models;\n"


def _assembly(wanted: Sequence[CalibrationLoop]) -> str:
    pieces = [
        "/* The calibration loops: generated by tinyhil from firmware/calibrate. Do not edit. */",
        "    .syntax unified\n    .thumb",
    ]
    offsets = {"data": 4, "rodata": 8, "arena": 12}
    for number, loop in enumerate(wanted):
        for which, copies in enumerate((loop.copies, 2 * loop.copies)):
            name = f"calibrate_{2 * number + which}"
            pieces.append(f"""
@ {loop.name}, {copies} copies
    .section .text.{name}, "ax", %progbits
    .balign 32
    .type {name}, %function
    .thumb_func
{name}:
    push {{r4-r11, lr}}
    vpush {{s16-s31}}
    mov r12, r0
    ldr r0, [r1]
    ldr r1, [r1, #{offsets[loop.r1]}]
    vmov.f32 s0, #1.0
{"".join(f"    vmov.f32 s{n}, s0" + chr(10) for n in range(1, 16))}    mov r10, #0
    mov r11, #0
    mov lr, #1
{"".join(f"    movs r{n}, #1" + chr(10) for n in range(2, 8))}    mov r8, #1
    movs r9, #1
    b.w 9f
    .balign 32
{loop.function(copies)}
    vpop {{s16-s31}}
    pop {{r4-r11, pc}}
""")
    names = [f"calibrate_{n}" for n in range(2 * len(wanted))]
    pieces.append('    .section .rodata.calibrate, "a", %progbits\n    .balign 4')
    pieces.append("    .global calibrate_functions, calibrate_function_count\ncalibrate_functions:")
    pieces += [f"    .word {name}" for name in names]
    pieces.append(f"calibrate_function_count:\n    .word {len(names)}\n")
    return "\n".join(pieces)


class CalibrationClient:
    """Speaks with the firmware; the transport is somebody else's to open and close."""

    def __init__(self, transport: Transport, *, timeout_s: float = _TIMEOUT_S) -> None:
        """timeout_s: how long an answer may take."""
        self._transport = transport
        self._timeout_s = timeout_s
        self._held = b""

    def check(self, build_id: str, functions: int) -> None:
        """Make sure that the image that was built is the one that answers.

        Raises:
            ProtocolError: it is another; NoBytesError, DeviceTimeoutError: nothing answers.
        """
        said = self._ask("\n?").split()  # the line's end makes an end of whatever came before
        while said[:1] == ["!"]:
            said = self._line().split()
        if said[:3] != ["calibrate", build_id, str(functions)]:
            raise ProtocolError(
                f"'{' '.join(said)[:60]}' is not build {build_id} with {functions} functions",
                hint="reset the board and try again",
            )

    def ticks(self, function: int, iterations: int) -> int:
        """Ticks of so many iterations of a function's loop.

        Raises:
            ProtocolError: it says something else, such as a fault; NoBytesError, DeviceTimeoutError: nothing.
        """
        said = self._ask(f"{function} {iterations}").split()
        if len(said) != 2 or said[0] != "=" or not said[1].isdigit():
            raise ProtocolError(f"'{' '.join(said)[:60]}' for loop function {function}", hint="docs/cycles.md")
        return int(said[1])

    def _ask(self, text: str) -> str:
        self._transport.write(text.encode("ascii") + b"\n")
        return self._line()

    def _line(self) -> str:
        deadline = time.monotonic() + self._timeout_s
        while b"\n" not in self._held:
            left = deadline - time.monotonic()
            if left <= 0 or len(self._held) > _ANSWER_LIMIT:
                kind = DeviceTimeoutError if self._held else NoBytesError
                raise kind(f"no answer within {self._timeout_s:g} s", hint="reset the board and try again")
            self._held += self._transport.read(min(left, 0.1))
        line, _, self._held = self._held.partition(b"\n")
        return line.decode("ascii", "replace").strip()


def board_setup(board: Board, *, flash: str | None = None) -> Setup | None:
    """The table of a board with its own placement; None where it has no table.

    Raises:
        OptionError: it has no such flash.
    """
    if board.name not in boards():
        return None
    return setup(board_table(board.name), placement_of(board), flash=flash)


def placement_of(board: Board) -> Mapping[str, str]:
    """Part of the image -> memory, of the board's own entry."""
    return {} if board.placement is None else asdict(board.placement)


def build(board: Board, link: str | None = None, progress: Progress | None = None) -> Image:
    """The image that times the loops of a board's core.

    Raises:
        CycleTableError: there are no loops for the core.
        BuildError, ToolchainMissingError: it cannot be built.
    """
    from harness.build import BuildOptions, build_image

    spoken, models = language(board.core)
    options = BuildOptions(link=link, language=spoken, model_list=models)
    return build_image([], board, options, progress=progress)


def calibrate(
    session: Session, table: BoardTable | None = None, *, flash: str | None = None, progress: Progress | None = None
) -> Calibration:
    """Times every loop on an open session.

    Args:
        session: with the image of build().
        table: the board's; the one that ships where None.
        flash: how the board's flash is set up.
        progress: called with ("calibrate", done, total).

    Raises:
        ProtocolError, NoBytesError, DeviceTimeoutError: the device does not answer as it should.
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
        readings.append(Reading(figure, ticks * scale[1], scale[0], _bounds(core, figure)))
    emulated = session.stand_in and session.ran_on.name == session.board.name
    ran_on = f"virtual-{session.ran_on.name}" if emulated else session.ran_on.name
    return Calibration(session.board.name, ran_on, core, board, scale[0], tuple(readings), left_out)


def _body_ticks(client: CalibrationClient, number: int, loop: CalibrationLoop, figure: Figure) -> Fraction:
    """Ticks of a body: what the longer function takes beyond the shorter, in iterations beyond half as many."""
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
