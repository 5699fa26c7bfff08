"""Decodes scalar instructions of Armv8.1-M that capstone 5 decodes wrongly: low-overhead loops, conditional selects,
long shifts. MVE is in mve.py. Encodings: Arm Architecture Reference Manual for Armv8-M (DDI 0553).
"""

from __future__ import annotations

from harness.cycles import mve
from harness.cycles.instruction import FLAGS, Class, Instruction, Role

_SELECTS = {8: "csel", 9: "csinc", 10: "csinv", 11: "csneg"}
_GENERAL = tuple(f"r{n}" for n in range(13)) + ("sp", "lr", "pc")


def decode(code: bytes, address: int) -> Instruction | None:
    """The instruction in the first four bytes of `code`; None if it is not one of these."""
    first = int.from_bytes(code[:2], "little")
    second = int.from_bytes(code[2:], "little")
    return _loop(first, second, address) or _scalar(first, second, address) or mve.decode(first, second, address)


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
