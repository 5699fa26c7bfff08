"""Cores that execute one instruction at a time and overlap a load with the load or store after it (Cortex-M0+, M3, M4).

Every instruction takes the cycles of its class. The second cycle of a load is saved when the next instruction is a load
or store that can follow it closely; the rules of the table say which.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from harness.cycles.instruction import LOADS, MULTIPLE, STORES, Class, Index, Instruction, Role
from harness.cycles.pipeline import UNKNOWN_SPREAD, Cause, Charge, Pipeline, Step

_FP_OPERATIONS = frozenset(
    {Class.FP_ADD, Class.FP_MULTIPLY, Class.FP_MAC, Class.FP_DIVIDE, Class.FP_CONVERT, Class.FP_COMPARE}
)
_MEMORY = LOADS | STORES | MULTIPLE | {Class.FP_LOAD, Class.FP_STORE, Class.EXCLUSIVE, Class.PRELOAD}


@dataclass
class Chained(Pipeline):
    """See the module. `before` is the instruction before, `pending` whether its last cycle may still be saved."""

    before: Instruction | None = None
    pending: bool = False

    def step(self, instruction: Instruction, *, taken: bool = False, target: Instruction | None = None) -> Step:
        """See Pipeline.step."""
        charges: list[Charge] = []
        notes: list[str] = []
        low, high = 0.0, 0.0
        address, kind, before = instruction.address, instruction.kind, self.before

        def charge(cause: Cause, cycles: int, note: str = "") -> None:
            if cycles:
                charges.append(Charge(address, cause, cycles))
                if note:
                    notes.append(note)

        if self.pending:
            assert before is not None
            obstacle = self._obstacle(before, instruction)
            if obstacle is not None:
                charges.append(Charge(before.address, Cause.LOAD_USE, self._rule("load-chain")))
                notes.append(f"the load before takes its second cycle: {obstacle}")
        if kind in LOADS and before is not None and before.kind in STORES:
            charge(Cause.INTERLOCK, self._rule("store-load"), "waits for the store before")
        if kind in _MEMORY and before is not None and before.kind not in _MEMORY and not before.is_branch:
            made = set(before.writes) & {r for r, role in instruction.reads if role is Role.ADDRESS}
            if made:
                charge(Cause.INTERLOCK, self._rule("address-after-alu"), f"{', '.join(sorted(made))} just made")
        if (
            before is not None
            and before.kind in _FP_OPERATIONS
            and kind.value.startswith("fp-")
            and set(before.writes) & {r for r, _ in instruction.reads}
        ):
            charge(Cause.INTERLOCK, self._rule("fp-dependency"), "FP result just made")

        start = self.now + sum(c.cycles for c in charges)
        if not self.known(instruction):
            charge(Cause.ISSUE, 1, f"unknown to the {self.table.core} table")
            low, high = UNKNOWN_SPREAD
            low -= 1
            high -= 1
        else:
            row = self.table.classes[kind]
            cycles = row.issue(instruction.count)
            low, high = row.spread()
            if kind in LOADS:
                cycles -= self._rule("load-chain")
            if kind in STORES and instruction.memory is not None and instruction.memory.index is not None:
                cycles += self._rule("store-register-offset")
            if kind is Class.IT and before is not None and before.size == 2:
                cycles -= self._rule("it-folded")
            charge(Cause.ISSUE, cycles)
        self.pending = kind in LOADS and self._rule("load-chain") > 0
        if taken:
            if self.pending:
                charge(Cause.LOAD_USE, self._rule("load-chain"))
                self.pending = False
            charge(Cause.BRANCH, self._refill(instruction, target), self._target_note(target))
        self.before = None if taken else instruction
        self.now += sum(c.cycles for c in charges)
        return Step(instruction, start, 0, tuple(charges), low, high, "; ".join(notes))

    def key(self) -> Hashable:
        """See Pipeline.key."""
        return (None if self.before is None else self.before.address, self.pending)

    def copy(self) -> Chained:
        """See Pipeline.copy."""
        return Chained(self.table, self.regions, self.now, self.before, self.pending)

    def _rule(self, name: str) -> int:
        return int(self.table.rules[name].cycles)

    def _obstacle(self, load: Instruction, following: Instruction) -> str | None:
        """Why `following` cannot overlap the load before it, or None when it does."""
        kind = following.kind
        if kind in STORES:
            if not self._rule("load-store"):
                return "a store does not overlap a load"
        elif kind not in LOADS:
            return "not a load or store"
        addresses = {r for r, role in following.reads if role is Role.ADDRESS}
        if addresses & set(load.writes):
            return "its address is being loaded"
        here, there = self.regions.get(following.address), self.regions.get(load.address)
        if here is not None and there is not None and here != there and not self._rule("chain-other-memory"):
            return f"in {here}, the load before in {there}"
        if kind in STORES:
            return None
        if following.size == 4 and following.address % 4 and not self._rule("chain-unaligned"):
            return "its 32-bit opcode is not word aligned"
        memory = following.memory
        if memory is not None and memory.update is not Index.NONE:
            if not self._rule("chain-indexed"):
                return "indexed loads do not chain"
            if load.updated_base == memory.base:
                return f"{memory.base} is updated twice in a row"
        return None

    def _refill(self, instruction: Instruction, target: Instruction | None) -> int:
        if "pc" in instruction.writes:
            cycles = self._rule("load-pc") if instruction.memory is not None else self._rule("branch-indirect")
        elif instruction.kind is Class.BRANCH_INDIRECT:
            cycles = self._rule("branch-indirect")
        else:
            cycles = self._rule("branch-taken")
        return cycles + (self._rule("branch-unaligned-target") if _unaligned(target) else 0)

    def _target_note(self, target: Instruction | None) -> str:
        if _unaligned(target) and self._rule("branch-unaligned-target"):
            return "the target's 32-bit opcode is not word aligned"
        return ""


def _unaligned(target: Instruction | None) -> bool:
    return target is not None and target.size == 4 and target.address % 4 != 0
