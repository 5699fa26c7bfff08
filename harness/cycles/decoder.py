"""Thumb-2 bytes -> Instruction. Capstone names the instruction and its operands; what they are for is in tables here,
because capstone's own lists of read and written registers have gaps (SSAT, SMLAL, ADC).

Armv8.1-M (low-overhead loops, MVE) is decoded in armv81m.py: capstone 5 takes it for something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import capstone
from capstone import arm

from harness.cycles import armv81m
from harness.cycles.image import Code
from harness.cycles.instruction import FLAGS, Address, Class, Index, Instruction, Role

_ALU = "adc add and bic cmn cmp eor mov movt movw mvn neg orn orr rsb sbc sub teq tst addw subw adr cpy"
_DSP = (
    " ".join(f"{p}{o}" for p in ("s", "u", "sh", "uh") for o in ("add16", "sub16", "add8", "sub8", "asx", "sax"))
    + " sel clz"
)
_DSP_SATURATING = (
    " ".join(f"{p}{o}" for p in ("q", "uq") for o in ("add16", "sub16", "add8", "sub8", "asx", "sax"))
    + " qadd qsub qdadd qdsub usad8 usada8"
)
_KINDS: dict[str, Class] = {
    name: kind
    for kind, names in {
        Class.ALU: _ALU,
        Class.SHIFT: "lsl lsr asr ror rrx",
        Class.BITFIELD: "ubfx sbfx bfi bfc",
        Class.REVERSE: "rev rev16 revsh rbit",
        Class.EXTEND: "sxtb uxtb sxth uxth sxtb16 uxtb16",
        Class.PACK: "pkhbt pkhtb sxtab uxtab sxtah uxtah sxtab16 uxtab16",
        Class.DSP: _DSP,
        Class.DSP_SATURATING: _DSP_SATURATING,
        Class.SATURATE: "ssat usat ssat16 usat16",
        Class.MULTIPLY: "mul smulbb smulbt smultb smultt smulwb smulwt smuad smuadx smusd smusdx smmul smmulr",
        Class.MAC: "mla mls smlabb smlabt smlatb smlatt smlawb smlawt smlad smladx smlsd smlsdx smmla smmlar "
        "smmls smmlsr",
        Class.MULTIPLY_LONG: "smull umull",
        Class.MAC_LONG: "smlal umlal umaal smlalbb smlalbt smlaltb smlaltt smlald smlaldx smlsld smlsldx",
        Class.DIVIDE: "udiv sdiv",
        Class.LOAD: "ldr ldrt",
        Class.LOAD_NARROW: "ldrb ldrh ldrsb ldrsh ldrbt ldrht ldrsbt ldrsht",
        Class.STORE: "str strt",
        Class.STORE_NARROW: "strb strh strbt strht",
        Class.LOAD_PAIR: "ldrd",
        Class.STORE_PAIR: "strd",
        Class.LOAD_MULTIPLE: "ldm ldmia ldmdb pop",
        Class.STORE_MULTIPLE: "stm stmia stmdb push",
        Class.EXCLUSIVE: "ldrex ldrexb ldrexh strex strexb strexh clrex lda ldab ldah stl stlb stlh ldaex stlex",
        Class.PRELOAD: "pld pldw pli",
        Class.BRANCH: "b",
        Class.CALL: "bl",
        Class.BRANCH_INDIRECT: "bx blx bxns blxns",
        Class.COMPARE_BRANCH: "cbz cbnz",
        Class.TABLE_BRANCH: "tbb tbh",
        Class.NOP: "nop yield sev sevl dbg csdb",
        Class.BARRIER: "dsb dmb isb",
        Class.SYSTEM: "mrs msr cpsie cpsid svc bkpt wfi wfe sg tt ttt tta ttat vmrs vmsr",
        Class.FP_ADD: "vadd vsub vabs vneg vmaxnm vminnm vsel",
        Class.FP_MULTIPLY: "vmul vnmul",
        Class.FP_MAC: "vfma vfms vfnma vfnms vmla vmls vnmla vnmls",
        Class.FP_DIVIDE: "vdiv vsqrt",
        Class.FP_CONVERT: "vcvt vcvtr vcvtb vcvtt vcvta vcvtn vcvtp vcvtm vrinta vrintn vrintp vrintm vrintz "
        "vrintr vrintx",
        Class.FP_COMPARE: "vcmp vcmpe",
        Class.FP_MOVE: "vmov",
        Class.FP_LOAD: "vldr",
        Class.FP_STORE: "vstr",
        Class.FP_LOAD_MULTIPLE: "vldm vldmia vldmdb vpop",
        Class.FP_STORE_MULTIPLE: "vstm vstmia vstmdb vpush",
    }.items()
    for name in names.split()
}
_COMPARES = frozenset({"cmp", "cmn", "tst", "teq"})
_NO_DESTINATION = _COMPARES | {"vcmp", "vcmpe"}
_READS_CARRY = frozenset({"adc", "sbc", "rrx"})
_READS_FLAGS = frozenset({"sel"}) | {f"vsel{condition}" for condition in ("eq", "ge", "gt", "vs")}
_WRITES_GE = frozenset(f"{p}{o}" for p in "su" for o in ("add16", "sub16", "add8", "sub8", "asx", "sax"))
# Their destination is read as well, though it stands only once.
_READS_DESTINATION = frozenset({"bfi", "bfc", "movt"})
# Of two operands these read the second only; others with two operands (ADDS r0, r1) read both.
_UNARY = frozenset({"mov", "movw", "mvn", "neg", "cpy", "adr", "clz", "rrx"})
_SET_FLAGS = "adc add and bic eor mov mvn neg orn orr rsb sbc sub lsl lsr asr ror rrx mul"
_SETTERS = frozenset(f"{name}s" for name in _SET_FLAGS.split())
_CODES = "eq ne hs cs lo cc mi pl vs vc hi ls ge lt gt le"
_CONDITIONS = frozenset(_CODES.split())
# With two operands in all, the first is read as well.
_TWO_OPERAND = frozenset(
    {
        Class.ALU, Class.SHIFT, Class.DSP, Class.DSP_SATURATING, Class.MULTIPLY, Class.FP_ADD, Class.FP_MULTIPLY,
    }
)  # fmt: skip


class InstructionDecoder:
    """Decodes instructions of one image; addresses must come in ascending order within a run, for the sake of IT."""

    def __init__(self) -> None:
        self._capstone = capstone.Cs(
            capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8
        )
        self._capstone.detail = True
        self._known: dict[tuple[bytes, bool], Instruction] = {}

    def run(self, code: bytes, address: int) -> Iterator[Instruction]:
        """The instructions of `code`, which begins at `address`; what nobody knows has the class UNKNOWN."""
        offset, pending = 0, 0
        while offset + 2 <= len(code):
            chunk = code[offset : offset + 4]
            instruction = self.one(chunk, address + offset, in_it=pending > 0)
            pending = it_length(chunk) if instruction.kind is Class.IT else max(0, pending - 1)
            offset += instruction.size
            yield instruction

    def one(self, code: bytes, address: int, *, in_it: bool = False) -> Instruction:
        """The instruction that the first two or four bytes of `code` are."""
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
    """Instruction by address, for the addresses of executed instructions.

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


# --- capstone's view -> ours -----------------------------------------------------------------------------------------


def _base(found: Any) -> tuple[str, bool]:
    """Mnemonic without width, data type and condition, and whether it sets flags."""
    name = found.mnemonic.lower().split(".")[0]
    if name in _SETTERS:
        return name[:-1], True
    if name in _KINDS:
        return name, name in _COMPARES
    if name[-2:] in _CONDITIONS and name[:-2] in _KINDS:
        return name[:-2], name[:-2] in _COMPARES
    return name, False


def _classified(found: Any, in_it: bool) -> Instruction:
    name, sets_flags = _base(found)
    text = f"{found.mnemonic} {found.op_str}".strip()
    kind = Class.IT if name.startswith("it") and set(name[2:]) <= set("te") else _KINDS.get(name, Class.UNKNOWN)
    if name.startswith("vsel"):
        kind = Class.FP_ADD
    address, size = found.address, found.size
    operands = list(found.operands)
    if kind is Class.UNKNOWN:
        return Instruction(address, size, text, name, kind, in_it=in_it)
    if kind is Class.IT:
        return Instruction(address, size, text, name, kind, ((FLAGS, Role.FLAGS),))
    reads: list[tuple[str, Role]] = []
    writes: list[str] = []
    memory: Address | None = None
    count, target, conditional = 1, None, in_it
    if kind in _HANDLERS:
        memory, count = _HANDLERS[kind](found, name, operands, reads, writes)
    elif kind in (Class.BRANCH, Class.CALL, Class.COMPARE_BRANCH):
        target = operands[-1].imm & 0xFFFFFFFF
        if kind is Class.COMPARE_BRANCH:
            reads.append((_name(found, operands[0].reg), Role.OPERAND))
            conditional = True
        elif found.cc not in (arm.ARM_CC_AL, arm.ARM_CC_INVALID):
            conditional = True
            reads.append((FLAGS, Role.FLAGS))
        if kind is Class.CALL:
            writes.append("lr")
    elif kind is Class.BRANCH_INDIRECT:
        reads.append((_name(found, operands[0].reg), Role.OPERAND))
        if name.startswith("blx"):
            writes.append("lr")
    elif kind is Class.TABLE_BRANCH:
        mem = operands[0].mem
        reads += [(_name(found, r), Role.ADDRESS) for r in (mem.base, mem.index) if r]
    elif name == "vmrs":
        reads.append((FLAGS, Role.FLAGS))
        kind = Class.FP_TRANSFER
        destination = _name(found, operands[0].reg)
        writes.append(FLAGS if destination.startswith("apsr") else destination)
    elif kind in (Class.SYSTEM, Class.BARRIER, Class.NOP):
        if name == "mrs" and operands:
            writes += _expand(_name(found, operands[0].reg))
        elif name == "msr" and len(operands) > 1 and operands[1].type == arm.ARM_OP_REG:
            reads.append((_name(found, operands[1].reg), Role.OPERAND))
    else:
        kind = _data(found, name, kind, operands, reads, writes)
    if sets_flags and not (in_it and size == 2 and name not in _COMPARES):
        writes.append(FLAGS)
    if name in _READS_CARRY or name in _READS_FLAGS or name.startswith("vsel"):
        reads.append((FLAGS, Role.FLAGS))
    if name in _WRITES_GE:
        writes.append(FLAGS)
    if in_it and (FLAGS, Role.FLAGS) not in reads:
        reads.append((FLAGS, Role.FLAGS))
    return Instruction(
        address, size, text, name, kind, tuple(reads), tuple(writes), memory, count, target, conditional, in_it
    )


def _name(found: Any, register: int) -> str:
    name: str = found.reg_name(register)
    return {"sb": "r9", "sl": "r10", "fp": "r11", "ip": "r12", "r13": "sp", "r14": "lr", "r15": "pc"}.get(name, name)


def _expand(name: str) -> list[str]:
    """A register as the parts that dependencies are kept by: d and q registers as the s registers they cover."""
    if name[0] == "d" and name[1:].isdigit():
        return [f"s{2 * int(name[1:]) + i}" for i in range(2)]
    if name[0] == "q" and name[1:].isdigit():
        return [f"s{4 * int(name[1:]) + i}" for i in range(4)]
    return [name]


def _data(
    found: Any, name: str, kind: Class, operands: list[Any], reads: list[tuple[str, Role]], writes: list[str]
) -> Class:
    registers = [(_expand(_name(found, o.reg)), bool(o.shift.type)) for o in operands if o.type == arm.ARM_OP_REG]
    shifted = any(s for _, s in registers) and kind is Class.ALU
    if kind is Class.ALU and not shifted and _needs_shifter(name, operands):
        shifted = True
    if kind is Class.FP_MOVE:
        general = [not (r[0][0] == "s" and r[0][1:].isdigit()) for r, _ in registers]
        if any(general) and not all(general):
            kind = Class.FP_TRANSFER
        if len(registers) >= 3:
            # VMOV r0, r1, d0 and back: the general registers stand together
            kind = Class.FP_TRANSFER_PAIR
            sources = [r for (r, _), g in zip(registers, general, strict=True) if g is not general[0]]
            reads += [(part, Role.OPERAND) for r in sources for part in r]
            writes += [part for (r, _), g in zip(registers, general, strict=True) if g is general[0] for part in r]
            return kind
    destinations = 0 if name in _NO_DESTINATION else 2 if kind in (Class.MULTIPLY_LONG, Class.MAC_LONG) else 1
    for position, (parts, is_shifted) in enumerate(registers):
        if position < destinations:
            writes += parts
            continue
        role = Role.SHIFTED if is_shifted else Role.OPERAND
        if kind is Class.MAC and position == 3:
            role = Role.ACCUMULATE
        if kind is Class.PACK and position == len(registers) - 1:
            role = Role.SHIFTED
        if kind is Class.BITFIELD or (kind is Class.SATURATE and not name.endswith("16")) or kind is Class.REVERSE:
            role = Role.SHIFTED
        reads += [(part, role) for part in parts]
    if kind is Class.MAC_LONG or kind is Class.FP_MAC:
        reads += [(part, Role.ACCUMULATE) for part in writes]
    elif name in _READS_DESTINATION or (
        destinations == 1
        and kind in _TWO_OPERAND
        and name not in _UNARY
        and len(operands) == 2
        and not name.startswith(("vabs", "vneg"))
    ):
        reads += [(part, Role.OPERAND) for part in writes]
    if kind is Class.FP_COMPARE:
        writes.append(FLAGS)
    return Class.ALU_SHIFTED if shifted else kind


def _needs_shifter(name: str, operands: list[Any]) -> bool:
    """Whether an immediate is made by rotating 8 bits: not a byte, nor a pattern of one, nor 12 bits."""
    if name in ("movw", "movt", "addw", "subw", "adr") or operands[-1].type != arm.ARM_OP_IMM:
        return False
    value = operands[-1].imm & 0xFFFFFFFF
    byte = value & 0xFF
    patterns = {byte, byte << 16 | byte, byte * 0x01010101}
    return value not in patterns and not (value & 0x00FF00FF == 0 and value >> 24 == value >> 8 & 0xFF)


def _access(found: Any, operands: list[Any], reads: list[tuple[str, Role]]) -> Address:
    operand = next(o for o in operands if o.type == arm.ARM_OP_MEM)
    position = operands.index(operand)
    mem = operand.mem
    base = _name(found, mem.base)
    index = _name(found, mem.index) if mem.index else None
    offset, update = mem.disp, Index.NONE
    if found.writeback:
        update = Index.PRE
    if position + 1 < len(operands) and operands[position + 1].type == arm.ARM_OP_IMM:
        offset, update = operands[position + 1].imm, Index.POST
        if operands[position + 1].subtracted:
            offset = -abs(offset)
    reads.append((base, Role.ADDRESS))
    if index is not None:
        reads.append((index, Role.ADDRESS))
    return Address(base, index, offset, update)


def _registers(found: Any, operands: list[Any]) -> list[str]:
    return [p for o in operands if o.type == arm.ARM_OP_REG for p in _expand(_name(found, o.reg))]


def _load(
    found: Any, name: str, operands: list[Any], reads: list[tuple[str, Role]], writes: list[str]
) -> tuple[Address, int]:
    writes += _registers(found, operands)
    return _access(found, operands, reads), sum(o.type == arm.ARM_OP_REG for o in operands)


def _store(
    found: Any, name: str, operands: list[Any], reads: list[tuple[str, Role]], writes: list[str]
) -> tuple[Address, int]:
    stored = _registers(found, operands)
    memory = _access(found, operands, reads)
    reads += [(register, Role.STORED) for register in stored]
    return memory, sum(o.type == arm.ARM_OP_REG for o in operands)


def _multiple(
    found: Any, name: str, operands: list[Any], reads: list[tuple[str, Role]], writes: list[str]
) -> tuple[Address, int]:
    if "push" in name or "pop" in name:
        base, listed, update = "sp", operands, True
    else:
        base, listed, update = _name(found, operands[0].reg), operands[1:], bool(found.writeback)
    registers = _registers(found, listed)
    reads.append((base, Role.ADDRESS))
    if name.startswith(("ldm", "pop", "vldm", "vpop")):
        writes += registers
    else:
        reads += [(register, Role.STORED) for register in registers]
    size = 4 * len(registers)
    down = name.endswith("db") or "push" in name
    return Address(base, None, -size if down else size, _update(update, down)), len(registers)


def _update(update: bool, down: bool) -> Index:
    if not update:
        return Index.NONE
    return Index.PRE if down else Index.POST


def _preload(
    found: Any, name: str, operands: list[Any], reads: list[tuple[str, Role]], writes: list[str]
) -> tuple[Address | None, int]:
    if not any(o.type == arm.ARM_OP_MEM for o in operands):
        return None, 1
    return _access(found, operands, reads), 1


def _exclusive(
    found: Any, name: str, operands: list[Any], reads: list[tuple[str, Role]], writes: list[str]
) -> tuple[Address | None, int]:
    if name == "clrex":
        return None, 0
    registers = _registers(found, operands)
    memory = _access(found, operands, reads)
    if name.startswith("ld"):
        writes += registers
    else:
        writes += registers[:-1]
        reads.append((registers[-1], Role.STORED))
    return memory, 1


_HANDLERS: dict[Class, Any] = {
    Class.LOAD: _load,
    Class.LOAD_NARROW: _load,
    Class.LOAD_PAIR: _load,
    Class.FP_LOAD: _load,
    Class.STORE: _store,
    Class.STORE_NARROW: _store,
    Class.STORE_PAIR: _store,
    Class.FP_STORE: _store,
    Class.LOAD_MULTIPLE: _multiple,
    Class.STORE_MULTIPLE: _multiple,
    Class.FP_LOAD_MULTIPLE: _multiple,
    Class.FP_STORE_MULTIPLE: _multiple,
    Class.PRELOAD: _preload,
    Class.EXCLUSIVE: _exclusive,
}
