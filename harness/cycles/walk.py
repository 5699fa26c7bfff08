"""Profiles of assembly text from a walk through it: the counts of an emulator, without running anything.

An unconditional branch is followed, a return continues behind the last call. EQ, CBZ and WLS do not hold, all other
conditions do; a conditional backward branch within the text is a loop with a given number of iterations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.cycles.decoder import InstructionDecoder, it_length, width
from harness.cycles.image import Code
from harness.cycles.instruction import Class, Instruction
from harness.cycles.memory import Part
from harness.cycles.profile import LayerProfile, Profile
from harness.elf.segments import Segment
from harness.errors import CycleModelError

ORIGIN = 0x0800_1000
OUTSIDE = 0x0800_0000
_LONGEST = 1 << 18


def walk(
    code: bytes, core: str, *, repeat: int = 1, trips: int | None = None, parts: Mapping[str, Part] | None = None
) -> Profile:
    """A profile of one layer that runs `code` from its start to its end.

    Args:
        code: that ends at its last instruction, or by a branch out of it.
        core: of the profile.
        repeat: number of runs; a last instruction that branches to the start closes the loop.
        trips: iterations of every inner loop.
        parts: base register -> part of the image that it points into; else `data`, `stack` for sp.

    Raises:
        CycleModelError: the walk does not end.
    """
    path = _Path(code, repeat, trips)
    last = path.follow()
    counts = {address: number * repeat for address, number in path.counts.items()}
    transfers = {
        (source, target): number * (repeat - 1 if (source, target) == (last, ORIGIN) else repeat)
        for (source, target), number in path.transfers.items()
    }
    layer = LayerProfile("text", 0, counts, transfers, _accesses(path.instructions, counts, parts or {}))
    segments = Code((Segment(ORIGIN, code, ORIGIN, len(code)),))
    return Profile("text", (layer,), Path("text"), segments, (), "none", core, "none", "none", Path("none"))


def _accesses(
    instructions: Iterable[Instruction], counts: Mapping[int, int], parts: Mapping[str, Part]
) -> dict[tuple[int, Part], tuple[int, int]]:
    """(address, part) -> (loads, stores), by the base register of each access."""
    found: dict[tuple[int, Part], tuple[int, int]] = {}
    for instruction in instructions:
        if instruction.memory is not None:
            base = instruction.memory.base
            part: Part = parts.get(base, "stack" if base == "sp" else "data")
            number = counts[instruction.address]
            found[instruction.address, part] = (number, 0) if instruction.writes else (0, number)
    return found


class _Path:
    """A path through the text, see the module.

    Attributes:
        counts, transfers: as in LayerProfile, of one run.
    """

    def __init__(self, code: bytes, repeat: int, trips: int | None) -> None:
        self.counts: Counter[int] = Counter()
        self.transfers: Counter[tuple[int, int]] = Counter()
        self._code = code
        self._repeat = repeat
        self._trips = trips or 1
        self._found: dict[int, Instruction] = {}
        self._decoder = InstructionDecoder()
        self._in_it = 0  # remaining instructions of the IT block
        self._back = OUTSIDE  # target of a return
        self._rounds: dict[int, int] = {}  # address of a loop's branch -> remaining iterations

    @property
    def instructions(self) -> Iterable[Instruction]:
        """Each executed instruction once."""
        return self._found.values()

    def follow(self) -> int:
        """Follows the path to its end; returns the address of the last instruction.

        Raises:
            CycleModelError: the path does not end.
        """
        address, end = ORIGIN, ORIGIN + len(self._code)
        for _ in range(_LONGEST):
            instruction = self._fetch(address)
            self.counts[address] += 1
            following = self._leave(instruction, end)
            if not ORIGIN <= following < end:
                return address
            address = following
        raise CycleModelError("the walk through the text does not end", hint="branch forward, or name the rounds")

    def _fetch(self, address: int) -> Instruction:
        at = address - ORIGIN
        chunk = self._code[at : at + width(self._code[at : at + 2])]
        if address not in self._found:
            self._found[address] = self._decoder.one(chunk, address, in_it=self._in_it > 0)
        instruction = self._found[address]
        self._in_it = it_length(chunk) if instruction.kind is Class.IT else max(0, self._in_it - 1)
        return instruction

    def _leave(self, instruction: Instruction, end: int) -> int:
        """The address that follows an instruction."""
        address = instruction.address
        following = address + instruction.size
        target = _target(instruction, self._code, self._back)
        if target is None:
            return following
        closes = target == ORIGIN and following == end
        if instruction.conditional and target <= address and not closes:
            taken = self._goes_round(address)
        else:
            taken = not closes and _holds(instruction)
        if instruction.kind is Class.CALL:
            self._back = following
        if taken or (closes and self._repeat > 1):
            self.transfers[address, target] += 1
        return target if taken else following

    def _goes_round(self, address: int) -> bool:
        """Whether the loop of the branch at `address` has iterations left."""
        left = self._rounds.pop(address, self._trips) - 1
        if left > 0:
            self._rounds[address] = left
        return left > 0


def _holds(instruction: Instruction) -> bool:
    if not instruction.conditional:
        return True
    if instruction.kind is Class.LOOP_START:
        return False  # it leaves a loop of no rounds
    if instruction.kind is Class.COMPARE_BRANCH:
        return instruction.mnemonic == "cbnz"
    return not instruction.text.split()[0].split(".")[0].endswith("eq")


def _target(instruction: Instruction, code: bytes, back: int) -> int | None:
    """The target of a taken branch; None for another instruction."""
    if not instruction.is_branch:
        return None
    if instruction.target is not None:
        return instruction.target
    following = instruction.address + instruction.size
    if instruction.kind is Class.TABLE_BRANCH:
        return following + 2 * code[following - ORIGIN]
    return back
