"""A decoded instruction for the cycle model: class, registers read and written, memory access, and branch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Class(StrEnum):
    """Kind of an instruction; the value is the name of its row in a core's table."""

    ALU = "alu"
    ALU_SHIFTED = "alu-shifted"
    SHIFT = "shift"
    BITFIELD = "bitfield"
    REVERSE = "reverse"
    EXTEND = "extend"
    PACK = "pack"
    DSP = "dsp"
    DSP_SATURATING = "dsp-saturating"
    SATURATE = "saturate"
    MULTIPLY = "multiply"
    MAC = "mac"
    MULTIPLY_LONG = "multiply-long"
    MAC_LONG = "mac-long"
    DIVIDE = "divide"
    LOAD = "load"
    LOAD_NARROW = "load-narrow"
    STORE = "store"
    STORE_NARROW = "store-narrow"
    LOAD_PAIR = "load-pair"
    STORE_PAIR = "store-pair"
    LOAD_MULTIPLE = "load-multiple"
    STORE_MULTIPLE = "store-multiple"
    EXCLUSIVE = "exclusive"
    PRELOAD = "preload"
    BRANCH = "branch"
    CALL = "call"
    BRANCH_INDIRECT = "branch-indirect"
    COMPARE_BRANCH = "compare-branch"
    TABLE_BRANCH = "table-branch"
    LOOP_START = "loop-start"
    LOOP_END = "loop-end"
    IT = "it"
    NOP = "nop"
    BARRIER = "barrier"
    SYSTEM = "system"
    FP_ADD = "fp-add"
    FP_MULTIPLY = "fp-multiply"
    FP_MAC = "fp-mac"
    FP_DIVIDE = "fp-divide"
    FP_CONVERT = "fp-convert"
    FP_COMPARE = "fp-compare"
    FP_MOVE = "fp-move"
    FP_TRANSFER = "fp-transfer"
    FP_TRANSFER_PAIR = "fp-transfer-pair"
    FP_LOAD = "fp-load"
    FP_STORE = "fp-store"
    FP_LOAD_MULTIPLE = "fp-load-multiple"
    FP_STORE_MULTIPLE = "fp-store-multiple"
    MVE_LOAD = "mve-load"
    MVE_STORE = "mve-store"
    MVE_GATHER = "mve-gather"
    MVE_SCATTER = "mve-scatter"
    MVE_ALU = "mve-alu"
    MVE_MULTIPLY = "mve-multiply"
    MVE_MAC = "mve-mac"
    MVE_REDUCE = "mve-reduce"
    MVE_TRANSFER = "mve-transfer"
    MVE_PREDICATE = "mve-predicate"
    SCALAR_LONG_SHIFT = "long-shift"
    CONDITIONAL_SELECT = "conditional-select"
    UNKNOWN = "unknown"


LOADS = frozenset({Class.LOAD, Class.LOAD_NARROW})
STORES = frozenset({Class.STORE, Class.STORE_NARROW})
MULTIPLE = frozenset(
    {
        Class.LOAD_PAIR, Class.STORE_PAIR, Class.LOAD_MULTIPLE, Class.STORE_MULTIPLE,
        Class.FP_LOAD_MULTIPLE, Class.FP_STORE_MULTIPLE,
    }
)  # fmt: skip
BRANCHES = frozenset(
    {
        Class.BRANCH, Class.CALL, Class.BRANCH_INDIRECT, Class.COMPARE_BRANCH, Class.TABLE_BRANCH, Class.LOOP_START,
        Class.LOOP_END,
    }
)  # fmt: skip

FLAGS = "flags"


class Role(StrEnum):
    """The role of an operand that is read; cores need different roles at different stages."""

    OPERAND = "operand"
    SHIFTED = "shifted"
    ADDRESS = "address"
    ACCUMULATE = "accumulate"
    STORED = "stored"
    FLAGS = "flags"


class Index(StrEnum):
    """How an access changes its base register."""

    NONE = "none"
    PRE = "pre"
    POST = "post"


@dataclass(frozen=True)
class Address:
    """The address of a load or store, as far as the opcode gives it.

    Attributes:
        base: register, "pc" for a literal.
        index: register that is added, or None.
        offset: bytes that are added; with a post-index, the bytes added to the base afterwards.
        update: whether and when the base register changes.
    """

    base: str
    index: str | None
    offset: int
    update: Index

    @property
    def first_byte(self) -> int:
        """Offset in bytes of the first access from the base's value before the instruction."""
        return 0 if self.update is Index.POST else self.offset


@dataclass(frozen=True)
class Instruction:
    """A decoded instruction.

    Attributes:
        address: of its first byte; size: 2 or 4 bytes.
        text: as a disassembler prints it.
        mnemonic: without width, in lower case.
        kind: its class.
        reads: (register, role), in operand order; "flags" is a register. FP and vector registers are named s0 to s31.
        writes: registers, in operand order; the base of a writeback is not among them.
        memory: where it loads or stores, or None.
        count: registers that a multiple or paired access moves.
        target: of a direct branch, or None.
        conditional: whether taking a branch, or any effect in an IT block, depends on flags or a register.
        in_it: whether it is in an IT block.
    """

    address: int
    size: int
    text: str
    mnemonic: str
    kind: Class
    reads: tuple[tuple[str, Role], ...] = ()
    writes: tuple[str, ...] = ()
    memory: Address | None = None
    count: int = 1
    target: int | None = None
    conditional: bool = False
    in_it: bool = False

    @property
    def is_branch(self) -> bool:
        """Whether it can continue at another than the next address."""
        return self.kind in BRANCHES or "pc" in self.writes

    @property
    def always_leaves(self) -> bool:
        """Whether it never continues at the next address, except by a return."""
        return self.is_branch and not self.conditional

    @property
    def updated_base(self) -> str | None:
        """The base register that a writeback changes."""
        return self.memory.base if self.memory is not None and self.memory.update is not Index.NONE else None
