"""Calibration loops of firmware/calibrate: one for each rule of a core's table, with its cycles calculated by hand.

A loop's figure is the difference between two functions that differ only in the number of copies of the body, without
the closing branch and the code before the loop. The model's figure is the same difference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal, cast, get_args

from harness import resources
from harness.cycles.assembly import assemble_all
from harness.cycles.board_tables import Setup
from harness.cycles.engine import estimate
from harness.cycles.memory import Part
from harness.cycles.profile import Misses
from harness.cycles.tables import CoreTable
from harness.cycles.walk import ORIGIN, walk
from harness.errors import CycleTableError
from harness.hardware.cores import core as core_record

Miss = Literal["fetch", "sequential", "load", "load_sequential"]
_OF_DATA: tuple[Miss, ...] = ("load", "load_sequential")
COPIES = 4
ITERATIONS = 1000
WIDE_END = " subs.w r12, r12, #1\n bne.w 9b\n"
"""What closes a loop: r12 counts its rounds."""
NARROW_END = " subs r7, r7, #1\n beq 8f\n b 9b\n8:\n"
"""The same where only r0 to r7 can be used and a conditional branch does not reach far (Armv6-M)."""
_FIELDS = frozenset({"rows", "cycles", "why", "copies", "misses", "r1", "trips"})


@dataclass(frozen=True)
class CalibrationLoop:
    """A calibration loop.

    Attributes:
        name: of the loop; rows: rows of the core's table, or stalls of the board's, that it measures.
        cycles: of one body by hand, without memory stalls; why: their explanation.
        body: assembly text.
        copies: of the body in the shorter of the two functions.
        r1: part of the image that r1 points into.
        trips: rounds of a loop within the body.
        misses: (kind, memory of the board or "arena" for that of the arena, number per body); a number of 0 stands for
            as many as the body has lines.
        end: what closes the loop.
    """

    name: str
    rows: tuple[str, ...]
    cycles: Fraction
    why: str
    body: str
    copies: int = COPIES
    r1: Part = "data"
    trips: int | None = None
    misses: tuple[Miss, str, int] | None = None
    end: str = WIDE_END

    @property
    def of_memory(self) -> bool:
        """Whether it measures a memory's stalls, not the core."""
        return self.misses is not None

    def function(self, copies: int) -> str:
        """Assembly text of the loop with this many copies of the body and the closing branch."""
        repeated = f".rept {copies}\n{self.body}\n.endr" if copies > 1 else self.body
        return f"9:\n{repeated}\n{self.end}"


@dataclass(frozen=True)
class Figure:
    """Cycles per body of a loop.

    Attributes:
        by_hand: as the loop's text gives them, with the board's stalls for its misses.
        modelled: by the engine.
        instructions: executed per body; misses: lines that a body misses on the board.
    """

    loop: CalibrationLoop
    by_hand: Fraction
    modelled: Fraction
    instructions: Fraction
    misses: int

    @property
    def agrees(self) -> bool:
        """Whether both are equal to a thousandth of a cycle."""
        return abs(self.by_hand - self.modelled) < Fraction(1, 1000)


def cores() -> tuple[str, ...]:
    """Cores that have loops."""
    return tuple(sorted(path.stem for path in (resources.firmware() / "calibrate").glob("cortex-*.s")))


def loops(core: str) -> tuple[CalibrationLoop, ...]:
    """The loops of a core.

    Raises:
        CycleTableError: there are none, or the file has another form.
    """
    path = resources.firmware() / "calibrate" / f"{core}.s"
    if not path.is_file():
        raise CycleTableError(f"no calibration loops for {core}", hint="cores with some: " + ", ".join(cores()))
    end = WIDE_END if "registers" in core_record(core).features else NARROW_END
    return tuple(replace(loop, end=end) for loop in parse(path.read_text(encoding="utf-8"), path))


def parse(text: str, path: Path) -> tuple[CalibrationLoop, ...]:
    """The loops of a file's text, each with a line `@ loop NAME`, lines `@ FIELD: VALUE`, and the body.

    Raises:
        CycleTableError: it has another form.
    """
    result: list[CalibrationLoop] = []
    for number, piece in enumerate(re.split(r"^@ loop +", text, flags=re.MULTILINE)):
        if not number:
            continue
        name, _, rest = piece.partition("\n")
        fields = dict(re.findall(r"^@ (\w+): *(.*)$", rest, flags=re.MULTILINE))
        body = re.sub(r"^@.*\n?", "", rest, flags=re.MULTILINE).strip("\n").rstrip()
        place = f"{path}, loop {name.strip()}"
        missing, unknown = {"rows", "cycles", "why"} - fields.keys(), fields.keys() - _FIELDS
        if missing or unknown:
            wrong = f"lacks {', '.join(sorted(missing))}" if missing else f"has {', '.join(sorted(unknown))}"
            raise CycleTableError(f"{place} {wrong}", hint="`tinyhil docs cycles` explains the form")
        try:
            result.append(
                CalibrationLoop(
                    name.strip(),
                    tuple(fields["rows"].split()),
                    Fraction(fields["cycles"]),
                    fields["why"],
                    body,
                    int(fields.get("copies", COPIES)),
                    cast(Part, fields.get("r1", "data")),
                    int(fields["trips"]) if "trips" in fields else None,
                    _misses(fields["misses"]) if "misses" in fields else None,
                )
            )
        except ValueError as error:
            raise CycleTableError(f"{place}: {error}", hint="`tinyhil docs cycles` explains the form") from error
    return tuple(result)


def _misses(text: str) -> tuple[Miss, str, int]:
    kind, memory, *number = text.split()
    if kind not in get_args(Miss):
        raise ValueError(f"misses: no kind {kind!r}")
    return cast(Miss, kind), memory, int(number[0]) if number else 0


def figures(wanted: Sequence[CalibrationLoop], table: CoreTable, board: Setup | None = None) -> list[Figure]:
    """The cycles of loops by hand and by the engine.

    Args:
        wanted: loops to be costed.
        table: the core's.
        board: for stalls; without one there are none.

    Raises:
        CycleTableError: a loop measures a memory that the board does not have.
        CycleModelError, BuildError: a text is no loop.
    """
    texts = [loop.function(copies) for loop in wanted for copies in (loop.copies, 2 * loop.copies)]
    codes = assemble_all(texts, table.core)
    return [_figure(loop, table, board, codes[2 * number : 2 * number + 2]) for number, loop in enumerate(wanted)]


def _figure(loop: CalibrationLoop, table: CoreTable, board: Setup | None, codes: Sequence[bytes]) -> Figure:
    parts: dict[str, Part] = {"r1": loop.r1}
    number, stall = 0, Fraction(0)
    if loop.misses is not None and board is not None:
        number = loop.misses[2] or _lines(loop, board, (len(codes[1]) - len(codes[0])) // loop.copies)
        stall = number * Fraction(stall_of(loop, board)).limit_denominator(10**6)
    cycles, instructions = [], []
    for copies, code in zip((loop.copies, 2 * loop.copies), codes, strict=True):
        profile = walk(code, table.core, repeat=ITERATIONS, trips=loop.trips, parts=parts)
        misses = () if board is None else (_made(loop, board, number * copies * ITERATIONS),)
        found = estimate(profile, board, core=table, misses=misses)
        cycles.append(found.cycles.value)
        instructions.append(found.layers[0].instructions.value)
    bodies = loop.copies * ITERATIONS
    return Figure(
        loop,
        loop.cycles + stall,
        Fraction(cycles[1] - cycles[0], bodies),
        Fraction(instructions[1] - instructions[0], bodies),
        number,
    )


def memory_of(loop: CalibrationLoop, board: Setup) -> str:
    """The memory that a loop misses in; for "arena" the one that holds the arena.

    Raises:
        CycleTableError: the board has no such memory.
    """
    assert loop.misses is not None
    name = board.system.memory_of("arena").name if loop.misses[1] == "arena" else loop.misses[1]
    if name not in board.stalls:
        raise CycleTableError(f"{board.table.board} has no memory {name!r}", hint=f"loop {loop.name} is about it")
    return name


def stall_of(loop: CalibrationLoop, board: Setup) -> float:
    """Cycles of stall for one of the loop's misses on the board."""
    assert loop.misses is not None
    stalls = board.stalls[memory_of(loop, board)]
    return stalls.next_load if loop.misses[0] == "load_sequential" else float(getattr(stalls, loop.misses[0]))


def applies(loop: CalibrationLoop, board: Setup | None) -> bool:
    """Whether the board has what the loop measures: two memories, or a cache that can miss."""
    if board is None:
        return loop.r1 == "data" or loop.of_memory
    if loop.misses is None:
        return True
    memory = board.system.memories[memory_of(loop, board)]
    return (memory.data if loop.misses[0] in _OF_DATA else memory.fetch) is not None


def _lines(loop: CalibrationLoop, board: Setup, size: int) -> int:
    cache = board.system.memories[memory_of(loop, board)].fetch
    assert cache is not None
    return size // cache.fill


def _made(loop: CalibrationLoop, board: Setup, count: int) -> Misses:
    none: Mapping[tuple[int, str], int] = {}
    result = Misses(none, none, none, none)
    if loop.misses is None or not count:
        return result
    at = {(ORIGIN, memory_of(loop, board)): count}
    if loop.misses[0] in _OF_DATA:
        return replace(result, loads=at, next_loads=at if loop.misses[0] == "load_sequential" else none)
    return replace(result, fetch=at, sequential=at if loop.misses[0] == "sequential" else none)
