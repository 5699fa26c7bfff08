"""Profiles of assembly text, made by walking through it: what an emulator would have counted, without running anything.

A branch without condition is followed, a return goes behind the last call. EQ and CBZ do not hold, all other conditions
do; a conditional branch back within the text is a loop of so many rounds as asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
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
        code: of a text that ends by running past its end, or by a branch out of it.
        core: for the profile.
        repeat: how often the whole is run; a last instruction that branches back to the start closes it.
        trips: rounds of every loop within.
        parts: base register -> part of the image that it points into; `data` where not named, `stack` for sp.

    Raises:
        CycleModelError: the walk does not end.
    """
    found: dict[int, Instruction] = {}
    counts: Counter[int] = Counter()
    transfers: Counter[tuple[int, int]] = Counter()
    decoder, pending, address, back = InstructionDecoder(), 0, ORIGIN, OUTSIDE
    left: dict[int, int] = {}
    end = ORIGIN + len(code)
    for _ in range(_LONGEST):
        at = address - ORIGIN
        chunk = code[at : at + width(code[at : at + 2])]
        instruction = found.get(address)
        if instruction is None:
            instruction = found[address] = decoder.one(chunk, address, in_it=pending > 0)
        pending = it_length(chunk) if instruction.kind is Class.IT else max(0, pending - 1)
        counts[address] += 1
        following = address + instruction.size
        target = _target(instruction, code, back)
        if target is not None:
            closes = target == ORIGIN and following == end
            if instruction.conditional and target <= address and not closes:
                left[address] = left.get(address, trips or 1) - 1
                taken = left[address] > 0
                if not taken:
                    del left[address]
            else:
                taken = not closes and _holds(instruction)
            if instruction.kind is Class.CALL:
                back = following
            if closes and repeat > 1:
                transfers[address, target] += 1
            if taken:
                transfers[address, target] += 1
                following = target
        if not ORIGIN <= following < end:
            break
        address = following
    else:
        raise CycleModelError("the walk through the text does not end", hint="branch forward, or name the rounds")
    last = address
    many = Counter({a: n * repeat for a, n in counts.items()})
    jumps = {k: n * (repeat - 1 if k[0] == last and k[1] == ORIGIN else repeat) for k, n in transfers.items()}
    accesses: dict[tuple[int, Part], tuple[int, int]] = {}
    for instruction in found.values():
        if instruction.memory is not None:
            base = instruction.memory.base
            part: Part = (parts or {}).get(base, "stack" if base == "sp" else "data")
            number = many[instruction.address]
            loads = bool(instruction.writes)
            accesses[instruction.address, part] = (number if loads else 0, 0 if loads else number)
    layer = LayerProfile("text", 0, dict(many), jumps, accesses)
    segments = Code((Segment(ORIGIN, code, ORIGIN, len(code)),))
    return Profile("text", (layer,), Path("text"), segments, (), "none", core, "none", "none", Path("none"))


def _holds(instruction: Instruction) -> bool:
    if not instruction.conditional:
        return True
    if instruction.kind is Class.COMPARE_BRANCH:
        return instruction.mnemonic == "cbnz"
    return not instruction.text.split()[0].split(".")[0].endswith("eq")


def _target(instruction: Instruction, code: bytes, back: int) -> int | None:
    """Where it goes when it is taken; None when it is no branch."""
    if not instruction.is_branch:
        return None
    if instruction.target is not None:
        return instruction.target
    following = instruction.address + instruction.size
    if instruction.kind is Class.TABLE_BRANCH:
        return following + 2 * code[following - ORIGIN]
    return back
