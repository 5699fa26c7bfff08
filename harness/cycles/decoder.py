"""Thumb-2 bytes -> Instruction, from capstone's decoding with the classes and roles of mnemonics.py and operands.py.

Armv8.1-M (low-overhead loops, MVE) is decoded in armv81m.py and mve.py, since capstone 5 decodes it wrongly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import capstone

from harness.cycles import armv81m
from harness.cycles.image import Code
from harness.cycles.instruction import FLAGS, Class, Instruction, Role
from harness.cycles.mnemonics import COMPARES, READS_FLAGS, WRITES_GE, class_of, parse_mnemonic
from harness.cycles.operands import effects_of


class InstructionDecoder:
    """Decodes instructions of an image; within a run in ascending order of addresses, as IT applies to what follows."""

    def __init__(self) -> None:
        self._capstone = capstone.Cs(
            capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8
        )
        self._capstone.detail = True
        self._known: dict[tuple[bytes, bool], Instruction] = {}

    def run(self, code: bytes, address: int) -> Iterator[Instruction]:
        """The instructions of `code`, which begins at `address`; one that cannot be decoded has the class UNKNOWN."""
        offset, pending = 0, 0
        while offset + 2 <= len(code):
            chunk = code[offset : offset + 4]
            instruction = self.one(chunk, address + offset, in_it=pending > 0)
            pending = it_length(chunk) if instruction.kind is Class.IT else max(0, pending - 1)
            offset += instruction.size
            yield instruction

    def one(self, code: bytes, address: int, *, in_it: bool = False) -> Instruction:
        """The instruction in the first two or four bytes of `code`."""
        size = width(code)
        code = code[:size]
        known = self._known.get((code, in_it))
        if known is not None:
            return replace(known, address=address)
        found = self._decoded(code, address, size, in_it)
        if found.target is None:
            self._known[code, in_it] = found
        return found

    def _decoded(self, code: bytes, address: int, size: int, in_it: bool) -> Instruction:
        if len(code) == size == 4:
            special = armv81m.decode(code, address)
            if special is not None:
                return special
        found = next(self._capstone.disasm(code, address, 1), None) if len(code) == size else None
        if found is None or found.size != size:
            words = " ".join(f"{int.from_bytes(code[i : i + 2], 'little'):04x}" for i in range(0, len(code), 2))
            return Instruction(address, size, f"<{words}>", words, Class.UNKNOWN)
        return _classified(found, in_it)


def width(code: bytes) -> int:
    """Bytes of the Thumb instruction that `code` starts with: 2 or 4."""
    return 4 if len(code) >= 2 and code[1] >= 0xE8 else 2


def it_length(code: bytes) -> int:
    """How many instructions the IT instruction that `code` starts with governs."""
    mask = code[0] & 0xF
    return 4 - ((mask & -mask).bit_length() - 1)


def decode_at(code: Code, addresses: Iterable[int]) -> dict[int, Instruction]:
    """Address -> instruction, for the addresses of executed instructions.

    Raises:
        ProfileError: the image has nothing at one of them.
    """
    decoder, result, pending, expected = InstructionDecoder(), {}, 0, -1
    for address in sorted(addresses):
        if address != expected:
            pending = 0
        chunk = code.instruction(address)
        instruction = decoder.one(chunk, address, in_it=pending > 0)
        pending = it_length(chunk) if instruction.kind is Class.IT else max(0, pending - 1)
        expected = address + instruction.size
        result[address] = instruction
    return result


def _classified(found: Any, in_it: bool) -> Instruction:
    """The Instruction for capstone's; `in_it`: whether it is in an IT block."""
    name, sets_flags = parse_mnemonic(found.mnemonic)
    kind = class_of(name)
    text = f"{found.mnemonic} {found.op_str}".strip()
    if kind is Class.UNKNOWN:
        return Instruction(found.address, found.size, text, name, kind, in_it=in_it)
    if kind is Class.IT:
        return Instruction(found.address, found.size, text, name, kind, ((FLAGS, Role.FLAGS),))
    effects = effects_of(found, name, kind)
    if sets_flags and not (in_it and found.size == 2 and name not in COMPARES):
        effects.writes.append(FLAGS)
    if name in WRITES_GE:
        effects.writes.append(FLAGS)
    if name in READS_FLAGS:
        effects.reads.append((FLAGS, Role.FLAGS))
    if in_it and (FLAGS, Role.FLAGS) not in effects.reads:
        effects.reads.append((FLAGS, Role.FLAGS))
    return Instruction(
        address=found.address,
        size=found.size,
        text=text,
        mnemonic=name,
        kind=effects.kind,
        reads=tuple(effects.reads),
        writes=tuple(effects.writes),
        memory=effects.memory,
        count=effects.count,
        target=effects.target,
        conditional=in_it or effects.conditional,
        in_it=in_it,
    )
