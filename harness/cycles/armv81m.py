"""The part of Armv8.1-M that capstone 5 takes for something else: low-overhead loops, conditional selects, long shifts
and MVE. Encodings: Arm Architecture Reference Manual for Armv8-M (DDI 0553).

Classes are exact as far as they are given here; what is not recognised stays UNKNOWN.
"""

from __future__ import annotations

from harness.cycles.instruction import FLAGS, Address, Class, Index, Instruction, Role

_SELECTS = {8: "csel", 9: "csinc", 10: "csinv", 11: "csneg"}
_GENERAL = tuple(f"r{n}" for n in range(13)) + ("sp", "lr", "pc")


def decode(code: bytes, address: int) -> Instruction | None:
    """The instruction, or None when it is none of this file's (four bytes are looked at)."""
    first = int.from_bytes(code[:2], "little")
    second = int.from_bytes(code[2:], "little")
    return _loop(first, second, address) or _scalar(first, second, address) or _vector(first, second, address)


def _loop(first: int, second: int, address: int) -> Instruction | None:
    if first & 0xFF80 != 0xF000:
        return None
    offset = (second & 0x7FE) << 1 | (second >> 11 & 1) << 1
    register = _GENERAL[first & 0xF]
    if second & 0xF001 == 0xC001:
        if first & 0xF == 0xF:
            name = {0xF00F: "le", 0xF02F: "le", 0xF01F: "letp"}.get(first)
            if name is None:
                return None
            counted = first != 0xF02F
            target = address + 4 - offset
            reads = (("lr", Role.OPERAND),) if counted else ()
            writes = ("lr",) if counted else ()
            text = f"{name} {'lr, ' if counted else ''}#{target:#x}"
            return Instruction(
                address, 4, text, name, Class.LOOP_END, reads, writes, target=target, conditional=counted
            )
        name = "wls" if first & 0x40 else f"wlstp.{8 << (first >> 4 & 3)}"
        target = address + 4 + offset
        return Instruction(
            address, 4, f"{name} lr, {register}, #{target:#x}", name, Class.LOOP_START,
            ((register, Role.OPERAND),), ("lr",), target=target, conditional=True,
        )  # fmt: skip
    if second == 0xE001:
        if first == 0xF00F:
            return Instruction(address, 4, "lctp", "lctp", Class.MVE_PREDICATE)
        name = "dls" if first & 0x40 else f"dlstp.{8 << (first >> 4 & 3)}"
        return Instruction(address, 4, f"{name} lr, {register}", name, Class.NOP, ((register, Role.OPERAND),), ("lr",))
    return None


def _scalar(first: int, second: int, address: int) -> Instruction | None:
    if first & 0xFFF0 != 0xEA50:
        return None
    name = _SELECTS.get(second >> 12)
    if name is not None:
        rn, rd, rm = _GENERAL[first & 0xF], _GENERAL[second >> 8 & 0xF], _GENERAL[second & 0xF]
        reads = tuple((r, Role.OPERAND) for r in (rn, rm) if r != "pc")
        return Instruction(
            address, 4, f"{name} {rd}, {rn}, {rm}, cond{second >> 4 & 0xF}", name, Class.CONDITIONAL_SELECT,
            (*reads, (FLAGS, Role.FLAGS)), (rd,),
        )  # fmt: skip
    if second & 0x8000 or second & 0xF not in (0xD, 0xF):
        return None
    if second >> 8 & 0xF == 0xF:
        registers: tuple[str, ...] = (_GENERAL[first & 0xF],)
    else:
        registers = (_GENERAL[first & 0xE], _GENERAL[(second >> 8 & 0xE) | 1])
    text = f"long-shift {', '.join(registers)}"
    reads = tuple((r, Role.OPERAND) for r in registers)
    if second & 0xF == 0xD:
        reads += ((_GENERAL[second >> 12 & 0xF], Role.OPERAND),)
    return Instruction(address, 4, text, "long-shift", Class.SCALAR_LONG_SHIFT, reads, registers)


def _vector(first: int, second: int, address: int) -> Instruction | None:
    top = first >> 8
    if top in (0xEC, 0xED, 0xFC, 0xFD) and second & 0x0E00 == 0x0E00 and first & 0x00A0:
        return _vector_access(first, second, address)
    if top in (0xEE, 0xFE) and second & 0x0E00 == 0x0E00 or top in (0xEF, 0xFF):
        return Instruction(address, 4, f"<{first:04x} {second:04x}>", "mve", Class.UNKNOWN)
    return None


def _vector_access(first: int, second: int, address: int) -> Instruction:
    top, load, update = first >> 8, bool(first & 0x10), bool(first & 0x20)
    quad = second >> 13 & 7
    parts = tuple(f"s{4 * quad + i}" for i in range(4))
    base = _GENERAL[first & 0xF]
    if top == 0xFD or (top in (0xEC, 0xFC) and not update and not second & 0x1000):
        kind = Class.MVE_GATHER if load else Class.MVE_SCATTER
    else:
        kind = Class.MVE_LOAD if load else Class.MVE_STORE
    index = Index.NONE if not update else Index.PRE if first & 0x0100 else Index.POST
    reads: tuple[tuple[str, Role], ...] = ((base, Role.ADDRESS),)
    if not load:
        reads += tuple((part, Role.STORED) for part in parts)
    text = f"{kind.value} q{quad}, [{base}]{'!' if update else ''}"
    return Instruction(address, 4, text, kind.value, kind, reads, parts if load else (), Address(base, None, 0, index))
