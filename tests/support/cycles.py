"""Profiles of short assembly texts, made by walking through them: what an emulator would have counted."""

from collections import Counter
from pathlib import Path

from harness.cycles.decoder import Decoder
from harness.cycles.image import Code, Segment
from harness.cycles.loops import assemble_bytes
from harness.cycles.profile import LayerProfile, Profile

ORIGIN = 0x0800_1000


def walk(text: str, core: str, trips: dict[int, int] | None = None, *, runs: int = 1) -> Profile:
    """A profile of one layer that runs a text from its start to its last instruction `runs` times.

    trips: number of a branch in the text, counted from 0 -> how often it is executed before it falls through; a branch
    that is not named is never taken where it is conditional, and always where it is not. The text ends by leaving.
    """
    data = assemble_bytes(text, core)
    instructions = {i.address: i for i in Decoder().run(data, ORIGIN)}
    branches = [i.address for i in instructions.values() if i.is_branch]
    counts, transfers = Counter(), Counter()
    for _ in range(runs):
        left = {branches[number]: n for number, n in (trips or {}).items()}
        address = ORIGIN
        while address in instructions:
            instruction = instructions[address]
            counts[address] += 1
            following = address + instruction.size
            if instruction.is_branch:
                if address in left:
                    left[address] -= 1
                    taken = left[address] > 0
                    if not taken:
                        left[address] = dict(trips)[branches.index(address)]
                else:
                    taken = not instruction.conditional
                if taken:
                    target = instruction.target if instruction.target is not None else 0x0800_0000
                    transfers[address, target] += 1
                    following = target
            address = following
    layer = LayerProfile("walked", 0, dict(counts), dict(transfers), {})
    code = Code((Segment(ORIGIN, data),))
    return Profile("walk", (layer,), Path("none.elf"), code, (), "none", core, "walk", "none", Path("none.trace"))
