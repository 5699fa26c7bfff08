"""The effects of capstone's operands: registers read and written, memory access, target of a branch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from capstone import arm

from harness.cycles.instruction import FLAGS, Address, Class, Index, Role
from harness.cycles.mnemonics import NO_DESTINATION, READS_DESTINATION, TWO_OPERAND, UNARY


@dataclass
class Effects:
    """The fields of an Instruction that follow from its operands; attributes are as there.

    Attributes:
        conditional: whether it is a branch that may not be taken, apart from an IT block.
    """

    kind: Class
    reads: list[tuple[str, Role]] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    memory: Address | None = None
    count: int = 1
    target: int | None = None
    conditional: bool = False

    def read(self, registers: list[str], role: Role) -> None:
        """Adds registers that are read in one role."""
        self.reads += [(register, role) for register in registers]


def effects_of(found: Any, name: str, kind: Class) -> Effects:
    """The effects of an instruction's operands.

    Args:
        found: capstone's instruction, with details.
        name: its mnemonic, as parse_mnemonic gives it.
        kind: its class by mnemonic; that of the result may be more specific.
    """
    effects = Effects(kind)
    _HANDLERS.get(kind, _data)(found, name, effects)
    return effects


# --- registers and addresses -----------------------------------------------------------------------------------------


def _name(found: Any, register: int) -> str:
    name: str = found.reg_name(register)
    return {"sb": "r9", "sl": "r10", "fp": "r11", "ip": "r12", "r13": "sp", "r14": "lr", "r15": "pc"}.get(name, name)


def _expand(name: str) -> list[str]:
    """The registers that dependencies are tracked by: for d and q registers the s registers that they cover."""
    if name[0] == "d" and name[1:].isdigit():
        return [f"s{2 * int(name[1:]) + i}" for i in range(2)]
    if name[0] == "q" and name[1:].isdigit():
        return [f"s{4 * int(name[1:]) + i}" for i in range(4)]
    return [name]


def _registers(found: Any, operands: list[Any]) -> list[str]:
    return [p for o in operands if o.type == arm.ARM_OP_REG for p in _expand(_name(found, o.reg))]


def _access(found: Any, effects: Effects) -> None:
    """The operand that is an address, and the offset that may follow it."""
    operands = list(found.operands)
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
    effects.read([base] if index is None else [base, index], Role.ADDRESS)
    effects.memory = Address(base, index, offset, update)


# --- loads and stores ------------------------------------------------------------------------------------------------


def _load(found: Any, name: str, effects: Effects) -> None:
    effects.writes += _registers(found, found.operands)
    _access(found, effects)
    effects.count = sum(o.type == arm.ARM_OP_REG for o in found.operands)


def _store(found: Any, name: str, effects: Effects) -> None:
    _access(found, effects)
    effects.read(_registers(found, found.operands), Role.STORED)
    effects.count = sum(o.type == arm.ARM_OP_REG for o in found.operands)


def _multiple(found: Any, name: str, effects: Effects) -> None:
    if "push" in name or "pop" in name:
        base, listed, update = "sp", list(found.operands), True
    else:
        base, listed, update = _name(found, found.operands[0].reg), list(found.operands[1:]), bool(found.writeback)
    registers = _registers(found, listed)
    effects.read([base], Role.ADDRESS)
    if name.startswith(("ldm", "pop", "vldm", "vpop")):
        effects.writes += registers
    else:
        effects.read(registers, Role.STORED)
    size = 4 * len(registers)
    down = name.endswith("db") or "push" in name
    effects.memory = Address(base, None, -size if down else size, _update(update, down))
    effects.count = len(registers)


def _update(update: bool, down: bool) -> Index:
    if not update:
        return Index.NONE
    return Index.PRE if down else Index.POST


def _preload(found: Any, name: str, effects: Effects) -> None:
    if any(o.type == arm.ARM_OP_MEM for o in found.operands):
        _access(found, effects)


def _exclusive(found: Any, name: str, effects: Effects) -> None:
    if name == "clrex":
        effects.count = 0
        return
    registers = _registers(found, found.operands)
    _access(found, effects)
    if name.startswith("ld"):
        effects.writes += registers
    else:
        effects.writes += registers[:-1]
        effects.read(registers[-1:], Role.STORED)


# --- branches and the system -----------------------------------------------------------------------------------------


def _branch(found: Any, name: str, effects: Effects) -> None:
    effects.target = found.operands[-1].imm & 0xFFFFFFFF
    if effects.kind is Class.COMPARE_BRANCH:
        effects.read([_name(found, found.operands[0].reg)], Role.OPERAND)
        effects.conditional = True
    elif found.cc not in (arm.ARM_CC_AL, arm.ARM_CC_INVALID):
        effects.read([FLAGS], Role.FLAGS)
        effects.conditional = True
    if effects.kind is Class.CALL:
        effects.writes.append("lr")


def _branch_indirect(found: Any, name: str, effects: Effects) -> None:
    effects.read([_name(found, found.operands[0].reg)], Role.OPERAND)
    if name.startswith("blx"):
        effects.writes.append("lr")


def _table_branch(found: Any, name: str, effects: Effects) -> None:
    mem = found.operands[0].mem
    effects.read([_name(found, register) for register in (mem.base, mem.index) if register], Role.ADDRESS)


def _system(found: Any, name: str, effects: Effects) -> None:
    operands = found.operands
    if name == "vmrs":
        effects.read([FLAGS], Role.FLAGS)
        effects.kind = Class.FP_TRANSFER
        destination = _name(found, operands[0].reg)
        effects.writes.append(FLAGS if destination.startswith("apsr") else destination)
    elif name == "mrs" and operands:
        effects.writes += _expand(_name(found, operands[0].reg))
    elif name == "msr" and len(operands) > 1 and operands[1].type == arm.ARM_OP_REG:
        effects.read([_name(found, operands[1].reg)], Role.OPERAND)


# --- data processing -------------------------------------------------------------------------------------------------


def _data(found: Any, name: str, effects: Effects) -> None:
    registers = [(_expand(_name(found, o.reg)), bool(o.shift.type)) for o in found.operands if o.type == arm.ARM_OP_REG]
    kind = effects.kind
    if kind is Class.FP_MOVE and _moves_between(registers, effects):
        return
    destinations = 0 if name in NO_DESTINATION else 2 if kind in (Class.MULTIPLY_LONG, Class.MAC_LONG) else 1
    for position, (parts, shifted) in enumerate(registers):
        if position < destinations:
            effects.writes += parts
        else:
            last = position == len(registers) - 1
            effects.read(parts, _role(name, kind, position, shifted=shifted, last=last))
    if kind is Class.MAC_LONG or kind is Class.FP_MAC:
        effects.read(effects.writes, Role.ACCUMULATE)
    elif name in READS_DESTINATION or (
        destinations == 1 and kind in TWO_OPERAND and name not in UNARY and len(found.operands) == 2
    ):
        effects.read(effects.writes, Role.OPERAND)
    if kind is Class.FP_COMPARE:
        effects.writes.append(FLAGS)
    if kind is Class.ALU and (any(shifted for _, shifted in registers) or _needs_shifter(name, found.operands)):
        effects.kind = Class.ALU_SHIFTED


def _moves_between(registers: list[tuple[list[str], bool]], effects: Effects) -> bool:
    """Sets the class of a VMOV between register files; returns whether its effects are complete (VMOV r0, r1, d0)."""
    general = [not (parts[0][0] == "s" and parts[0][1:].isdigit()) for parts, _ in registers]
    if any(general) and not all(general):
        effects.kind = Class.FP_TRANSFER
    if len(registers) < 3:
        return False
    effects.kind = Class.FP_TRANSFER_PAIR
    for (parts, _), is_general in zip(registers, general, strict=True):
        if is_general is general[0]:
            effects.writes += parts
        else:
            effects.read(parts, Role.OPERAND)
    return True


def _role(name: str, kind: Class, position: int, *, shifted: bool, last: bool) -> Role:
    """The role of the register at `position`."""
    if kind in (Class.BITFIELD, Class.REVERSE) or (kind is Class.SATURATE and not name.endswith("16")):
        return Role.SHIFTED
    if kind is Class.PACK and last:
        return Role.SHIFTED
    if kind is Class.MAC and position == 3:
        return Role.ACCUMULATE
    return Role.SHIFTED if shifted else Role.OPERAND


def _needs_shifter(name: str, operands: list[Any]) -> bool:
    """Whether an immediate is a rotated byte: neither a byte, nor a pattern of bytes, nor 12 bits."""
    if name in ("movw", "movt", "addw", "subw", "adr") or operands[-1].type != arm.ARM_OP_IMM:
        return False
    value = operands[-1].imm & 0xFFFFFFFF
    byte = value & 0xFF
    patterns = {byte, byte << 16 | byte, byte * 0x01010101}
    return value not in patterns and not (value & 0x00FF00FF == 0 and value >> 24 == value >> 8 & 0xFF)


_HANDLERS: dict[Class, Callable[[Any, str, Effects], None]] = {
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
    Class.BRANCH: _branch,
    Class.CALL: _branch,
    Class.COMPARE_BRANCH: _branch,
    Class.BRANCH_INDIRECT: _branch_indirect,
    Class.TABLE_BRANCH: _table_branch,
    Class.SYSTEM: _system,
    Class.BARRIER: _system,
    Class.NOP: _system,
}
"""Class -> reader of its operands; operands of all other classes are registers that data is computed from."""
