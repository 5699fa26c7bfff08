"""M-profile vector extension (MVE): class, registers and memory of an instruction, from its two halfwords.

Only what determines cycles is decoded, not every mnemonic: the unit (load and store, integer, multiplier), and the
registers read and written. Encodings: Arm Architecture Reference Manual for Armv8-M (DDI 0553), chapter C2.4.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.cycles.instruction import Address, Class, Index, Instruction, Role

_PREDICATE = "vpr"
_GENERAL = tuple(f"r{n}" for n in range(13)) + ("sp", "lr", "pc")


def decode(first: int, second: int, address: int) -> Instruction | None:
    """The instruction; None if it is not one of MVE."""
    top, cp = first >> 8, second >> 8 & 0xF
    if first & 0xFFC0 == 0xF000 and second == 0xE801:
        return _make(address, "vctp", Class.MVE_PREDICATE, [_general(first)], [_PREDICATE])
    if first in (0xEEED, 0xEEFD) and second & 0x0FFF == 0x0A10:
        register = [_GENERAL[second >> 12]]
        to_core = first == 0xEEFD
        return _make(
            address, "vmrs" if to_core else "vmsr", Class.MVE_TRANSFER,
            [_PREDICATE] if to_core else register, register if to_core else [_PREDICATE],
        )  # fmt: skip
    if top in (0xEC, 0xED, 0xFC, 0xFD) and cp >= 0xE:
        return _lanes(first, second, address) if first & 0xFFE0 == 0xEC00 else _access(first, second, address)
    if top == 0xFC and cp == 8:
        return _make(address, "vcmla", Class.MVE_MAC, [*_qn(first), *_qm(second)], _qd(second), _qd(second))
    if top == 0xEE and first & 0x90 == 0x80 and second & 0x0F5F == 0x0B10:
        return _make(address, "vdup", Class.MVE_ALU, [_GENERAL[second >> 12]], _quad(first >> 1))
    if top in (0xEF, 0xFF):
        return _three_same(first, second, address) if not first & 0x80 else _unary(first, second, address)
    if top in (0xEE, 0xFE) and cp >= 0xE:
        if first & 0x80:
            return _shift(first, second, address) if second & 0x40 else _reduce(first, second, address)
        return _mixed(first, second, address)
    return None


def _quad(number: int) -> list[str]:
    return [f"s{4 * (number & 7) + part}" for part in range(4)]


def _qd(second: int) -> list[str]:
    return _quad(second >> 13)


def _qn(first: int) -> list[str]:
    return _quad(first >> 1)


def _qm(second: int) -> list[str]:
    return _quad(second >> 1)


def _general(halfword: int) -> str:
    return _GENERAL[halfword & 0xF]


def _make(
    address: int,
    name: str,
    kind: Class,
    sources: Sequence[str],
    writes: Sequence[str],
    accumulates: Sequence[str] = (),
) -> Instruction:
    reads = [(register, Role.OPERAND) for register in sources]
    reads += [(register, Role.ACCUMULATE) for register in accumulates]
    shown = [*dict.fromkeys(_shown(register) for register in [*writes, *sources])]
    return Instruction(address, 4, f"{name} {', '.join(shown)}".strip(), name, kind, tuple(reads), tuple(writes))


def _shown(register: str) -> str:
    return f"q{int(register[1:]) // 4}" if register[0] == "s" and register[1:].isdigit() else register


def _three_same(first: int, second: int, address: int) -> Instruction:
    operation, low, unsigned = second >> 8 & 0xF, bool(second & 0x10), bool(first & 0x1000)
    sources = [*_qn(first), *_qm(second)]
    if operation == 0xC:
        return _make(address, "vfma", Class.MVE_MAC, sources, _qd(second), _qd(second))
    if (operation == 9 and low) or operation == 0xB:
        name = "vmul" if operation == 9 else "vqrdmulh" if unsigned else "vqdmulh"
        return _make(address, name, Class.MVE_MULTIPLY, sources, _qd(second))
    if operation == 0xD:
        name = "vmul.f" if low and unsigned else "vadd.f"
        return _make(address, name, Class.MVE_MULTIPLY, sources, _qd(second))
    names = {0: "vhadd/vqadd", 1: "vrhadd/logic", 2: "vhsub/vqsub", 4: "vshl", 5: "vrshl", 6: "vmax/vmin", 7: "vabd"}
    name = ("vsub" if unsigned else "vadd") if operation == 8 else names.get(operation, "vmaxnm")
    return _make(address, name, Class.MVE_ALU, sources, _qd(second))


def _unary(first: int, second: int, address: int) -> Instruction:
    if first & 0x1000 and first & 0x30 == 0x30 and second & 0x10 == 0:
        return _make(address, "v-unary", Class.MVE_ALU, _qm(second), _qd(second))
    if first & 0x38 == 0 and second & 0x10:
        return _make(address, "vmov-immediate", Class.MVE_ALU, [], _qd(second))
    inserts = bool(first & 0x1000) and second >> 8 & 0xF in (4, 5)
    return _make(address, "v-shift", Class.MVE_ALU, _qm(second), _qd(second), _qd(second) if inserts else ())


def _shift(first: int, second: int, address: int) -> Instruction:
    """Shifts that widen or narrow, VMOVL, VSHLC."""
    if second & 0x1FF0 == 0x0FC0 and first & 0xFFE0 == 0xEEA0 and first & 8 == 0:
        register = _general(second)
        return _make(address, "vshlc", Class.MVE_ALU, [register], [*_qd(second), register], _qd(second))
    narrows = bool(second & 1)
    name = "vshrn" if narrows else "vshll/vmovl"
    return _make(address, name, Class.MVE_ALU, _qm(second), _qd(second), _qd(second) if narrows else ())


def _reduce(first: int, second: int, address: int) -> Instruction:
    """Sums across a vector into general registers: VMLADAV and its family, VADDV, VMAXV, VABAV."""
    accumulate = bool(second & 0x20)
    low = _GENERAL[second >> 12 & 0xE]
    if first & 0xEFF1 == 0xEEE0 and second & 0x0F51 == 0x0F00:
        register = _GENERAL[second >> 12]
        return _make(address, "vmaxv/vminv", Class.MVE_REDUCE, _qm(second), [register], [register])
    if first & 1 and second & 0x0100:
        long = first >> 4 & 7 != 7
        registers = [low, _GENERAL[(first >> 4 & 7) << 1 | 1]] if long else [low]
        return _make(
            address, "vaddlv" if long else "vaddv", Class.MVE_REDUCE, _qm(second), registers, registers * accumulate
        )
    if first & 0xEFC1 == 0xEE80 and second & 0x0F21 == 0x0F01:
        register = _GENERAL[second >> 12]
        return _make(address, "vabav", Class.MVE_REDUCE, [*_qn(first), *_qm(second)], [register], [register])
    long = first >> 4 & 7 != 7
    registers = [low, _GENERAL[(first >> 4 & 7) << 1 | 1]] if long else [low]
    name = ("vmlaldav" if long else "vmladav") + "a" * accumulate
    return _make(address, name, Class.MVE_REDUCE, [*_qn(first), *_qm(second)], registers, registers * accumulate)


def _mixed(first: int, second: int, address: int) -> Instruction:
    """Operations with a general register, comparisons, long and complex products, narrowing moves."""
    unsigned, size, odd = bool(first & 0x1000), first >> 4 & 3, bool(first & 1)
    scalar = second & 0x40
    sources = [*_qn(first), *([_general(second)] if scalar else _qm(second))]
    if second & 0x0F00 == 0x0F00:
        if not odd:
            if size == 3 and (second & 1 if not scalar else second & 0x20) and not unsigned:
                return _make(address, "vqdmull", Class.MVE_MULTIPLY, sources, _qd(second))
            floating = size == 3 and scalar
            kind = Class.MVE_MULTIPLY if floating else Class.MVE_ALU
            return _make(address, "vadd.f" if floating else "vhadd/vqadd/vcadd", kind, sources, _qd(second))
        if first & 0xFFF1 == 0xFE31 and second & 0x1F51 == 0x0F01:
            return _make(address, "vpsel", Class.MVE_ALU, [*sources, _PREDICATE], _qd(second))
        if unsigned or size == 3:
            if second & 0x1FFF == 0x0F4D and first & 0xFFBF == 0xFE31:
                return _make(address, "vpst/vpnot", Class.MVE_PREDICATE, [_PREDICATE], [_PREDICATE])
            return _make(address, "vcmp/vpt", Class.MVE_PREDICATE, sources, [_PREDICATE])
        if second & 0x20:
            register = _GENERAL[first & 0xE]
            step = [] if second & 0xE == 0xE else [_GENERAL[second & 0xE | 1]]
            return _make(address, "vidup/vddup", Class.MVE_ALU, [register, *step], [*_qd(second), register])
        return _make(address, "vadd/vsub", Class.MVE_ALU, sources, _qd(second))
    if not odd:
        if unsigned and size == 3:
            return _make(address, "vcmul", Class.MVE_MULTIPLY, sources, _qd(second))
        return _make(address, "vqdmlah/vqdmladh", Class.MVE_MAC, sources, _qd(second), _qd(second))
    if size == 3:
        if second & 0x1060 == 0x1060:
            return _make(address, "vshl/vrshl", Class.MVE_ALU, [_general(second)], _qd(second), _qd(second))
        if not scalar and second & 1:
            return _make(address, "vmovn/vqmovn/vcvt", Class.MVE_ALU, _qm(second), _qd(second), _qd(second))
        if second & 0x20:
            return _make(address, "vmul.f", Class.MVE_MULTIPLY, sources, _qd(second))
        return _make(address, "vfma", Class.MVE_MAC, sources, _qd(second), _qd(second))
    if scalar and not second & 0x20:
        return _make(address, "vmla/vmlas", Class.MVE_MAC, sources, _qd(second), _qd(second))
    if unsigned and second & 0x1060 == 0x1060:
        return _make(address, "vbrsr", Class.MVE_ALU, sources, _qd(second))
    return _make(address, "vmul/vmulh/vmull", Class.MVE_MULTIPLY, sources, _qd(second))


def _lanes(first: int, second: int, address: int) -> Instruction:
    """VMOV between two lanes and two general registers."""
    registers = [_general(second), _general(first)]
    quad = _qd(second)
    if first & 0x10:
        return _make(address, "vmov", Class.MVE_TRANSFER, registers, quad, quad)
    return _make(address, "vmov", Class.MVE_TRANSFER, quad, registers)


def _access(first: int, second: int, address: int) -> Instruction:
    top, load, update = first >> 8, bool(first & 0x10), bool(first & 0x20)
    interleaved = top == 0xFC and bool(second & 0x1000)
    by_vector = top == 0xFD
    scattered = by_vector or (top in (0xEC, 0xFC) and not update and not interleaved)
    count = (4 if second & 1 else 2) if interleaved else 1
    quads = [part for number in range(count) for part in _quad((second >> 13) + number)]
    widening = not interleaved and not scattered and not second & 0x1000
    size = 1 << (first >> 3 & 1 if widening else second >> 7 & 3)
    if by_vector:
        base = f"s{4 * (first >> 1 & 7)}"
        addresses = _qn(first)
    else:
        base = _GENERAL[first & 7 if widening else first & 0xF]
        addresses = [base, *(_qm(second) if scattered else [])]
    offset = 0 if scattered or interleaved else (second & 0x7F) * size * (1 if first & 0x80 else -1)
    if interleaved and update:
        offset = 64 if count == 4 else 32
    index = Index.NONE if not update else Index.POST if interleaved or not first & 0x0100 else Index.PRE
    if scattered:
        kind = Class.MVE_GATHER if load else Class.MVE_SCATTER
    else:
        kind = Class.MVE_LOAD if load else Class.MVE_STORE
    name = ("vld" if load else "vst") + (str(count) if interleaved else "r")
    reads = [(register, Role.ADDRESS) for register in addresses]
    if not load:
        reads += [(part, Role.STORED) for part in quads]
    where = f"[{base}, #{offset}]" if index is not Index.POST else f"[{base}], #{offset}"
    if scattered:
        where = f"[{_shown(base)}{'' if by_vector else f', q{second >> 1 & 7}'}]"
    text = f"{name} q{second >> 13 & 7}, {where}{'!' if index is Index.PRE else ''}"
    return Instruction(
        address,
        4,
        text,
        name,
        kind,
        tuple(reads),
        tuple(quads) if load else (),
        Address(base, None, offset, index),
        count,
    )
