"""Pipelines that execute one instruction at a time and overlap a load with the next load or store (M0+, M3, M4).

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

_Cost = tuple[Charge, str]
"""(charge, explanation for listings or "")."""


@dataclass
class Chained(Pipeline):
    """See the module. `before`: the previous instruction; `pending`: whether its last cycle may still be saved."""

    before: Instruction | None = None
    pending: bool = False

    def step(self, instruction: Instruction, *, taken: bool = False, target: Instruction | None = None) -> Step:
        """See Pipeline.step."""
        waits = [*self._unchained(instruction), *self._interlocks(instruction)]
        start = self.now + sum(charge.cycles for charge, _ in waits)
        issue, low, high = self._issue(instruction)
        self.pending = self._overlaps(instruction.kind) and self._rule("load-chain") > 0
        left = self._left(instruction, target) if taken else []
        self.before = None if taken else instruction
        costs = [cost for cost in (*waits, issue, *left) if cost[0].cycles]
        charges = tuple(charge for charge, _ in costs)
        self.now += sum(charge.cycles for charge in charges)
        return Step(instruction, start, 0, charges, low, high, "; ".join(note for _, note in costs if note))

    def key(self) -> Hashable:
        """See Pipeline.key."""
        return (None if self.before is None else self.before.address, self.pending)

    def copy(self) -> Chained:
        """See Pipeline.copy."""
        return Chained(self.table, self.regions, self.now, self.before, self.pending)

    def _rule(self, name: str) -> int:
        return int(self.table.rules[name].cycles)

    def _overlaps(self, kind: Class) -> bool:
        """Whether a class is of loads that can overlap another load."""
        return kind in LOADS or (kind is Class.FP_LOAD and self._rule("chain-fp") > 0)

    def _unchained(self, instruction: Instruction) -> list[_Cost]:
        """The second cycle of the previous load, if this instruction does not overlap it."""
        if not self.pending:
            return []
        assert self.before is not None
        obstacle = self._obstacle(self.before, instruction)
        if obstacle is None:
            return []
        charge = Charge(self.before.address, Cause.LOAD_USE, self._rule("load-chain"))
        return [(charge, f"the load before takes its second cycle: {obstacle}")]

    def _interlocks(self, instruction: Instruction) -> list[_Cost]:
        """Cycles that the instruction waits for results of the previous one."""
        before, kind = self.before, instruction.kind
        if before is None:
            return []
        found: list[tuple[str, str]] = []
        if kind in LOADS and before.kind in STORES:
            found.append(("store-load", "waits for the store before"))
        if kind in _MEMORY and before.kind not in _MEMORY and not before.is_branch:
            made = set(before.writes) & {register for register, role in instruction.reads if role is Role.ADDRESS}
            if made:
                found.append(("address-after-alu", f"{', '.join(sorted(made))} just made"))
        of_floats = before.kind in _FP_OPERATIONS and kind.value.startswith("fp-")
        if of_floats and set(before.writes) & {register for register, _ in instruction.reads}:
            found.append(("fp-dependency", "FP result just made"))
        return [(Charge(instruction.address, Cause.INTERLOCK, self._rule(rule)), note) for rule, note in found]

    def _issue(self, instruction: Instruction) -> tuple[_Cost, float, float]:
        """(charge for the instruction's class, how much less it may be, how much more)."""
        kind = instruction.kind
        if not self.known(instruction):
            less, more = UNKNOWN_SPREAD
            note = f"unknown to the {self.table.core} table"
            return (Charge(instruction.address, Cause.ISSUE, 1), note), less - 1, more - 1
        row = self.table.classes[kind]
        cycles = row.issue(instruction.count)
        if self._overlaps(kind):
            cycles -= self._rule("load-chain")
        if kind in STORES and instruction.memory is not None and instruction.memory.index is not None:
            cycles += self._rule("store-register-offset")
        if kind is Class.IT and self.before is not None and self.before.size == 2:
            cycles -= self._rule("it-folded")
        low, high = row.spread()
        return (Charge(instruction.address, Cause.ISSUE, cycles), ""), low, high

    def _left(self, instruction: Instruction, target: Instruction | None) -> list[_Cost]:
        """Charges for a taken branch: the rest of a load that nothing overlaps, and the refill of the pipeline."""
        found: list[_Cost] = []
        if self.pending:
            found.append((Charge(instruction.address, Cause.LOAD_USE, self._rule("load-chain")), ""))
            self.pending = False
        refill = Charge(instruction.address, Cause.BRANCH, self._refill(instruction, target))
        return [*found, (refill, self._target_note(target))]

    def _obstacle(self, load: Instruction, following: Instruction) -> str | None:
        """Why `following` cannot overlap the load before it; None if it can."""
        kind = following.kind
        if kind in STORES:
            if not self._rule("load-store"):
                return "a store does not overlap a load"
        elif not self._overlaps(kind):
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
            if load.updated_base == memory.base and not self._rule("chain-same-base"):
                return f"{memory.base} is updated twice in a row"
        return None

    def _refill(self, instruction: Instruction, target: Instruction | None) -> int:
        if "pc" in instruction.writes:
            cycles = self._rule("load-pc") if instruction.memory is not None else self._rule("branch-indirect")
        elif instruction.kind is Class.BRANCH_INDIRECT:
            cycles = self._rule("branch-indirect")
        else:
            cycles = self._rule("branch-taken")
        cycles += self._rule("branch-wide-load") if _wide_load(target) else 0
        return cycles + (self._rule("branch-unaligned-target") if _unaligned(target) else 0)

    def _target_note(self, target: Instruction | None) -> str:
        notes = []
        if _wide_load(target) and self._rule("branch-wide-load"):
            notes.append("the target is a 32-bit load")
        if _unaligned(target) and self._rule("branch-unaligned-target"):
            notes.append("the target's 32-bit opcode is not word aligned")
        return ", ".join(notes)


def _wide_load(target: Instruction | None) -> bool:
    return target is not None and target.size == 4 and target.kind in LOADS


def _unaligned(target: Instruction | None) -> bool:
    return target is not None and target.size == 4 and target.address % 4 != 0
