"""Pipelines that issue in order, one or two instructions per cycle, as units and operands allow (M7, M33, M55).

Times are those of issue: a result's row gives the cycles from the producer's issue to the consumer's, for each stage
at which the consumer needs the value. An instruction issues together with the one before it (slot 1, the younger) if a
slot is free, their units are free and do not conflict, and its operands are ready; else first in a later cycle.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from harness.cycles.instruction import FLAGS, LOADS, Class, Index, Instruction, Role
from harness.cycles.pipeline import UNKNOWN_SPREAD, Cause, Charge, Pipeline, Step
from harness.cycles.tables import ClassRow

_SINGLE_LOADS = LOADS | {Class.FP_LOAD}
_LOADED = frozenset({"loaded", "loaded-narrow", "fp-loaded"})
# Branches are predicted: they issue without waiting for their conditions.
_PREDICTED = frozenset(
    {Class.BRANCH, Class.COMPARE_BRANCH, Class.CALL, Class.BRANCH_INDIRECT, Class.LOOP_END, Class.LOOP_START}
)
_FORGET = 40
_BANKS = "its word may be in the bank of the load beside"


@dataclass
class Scoreboard(Pipeline):
    """See the module.

    Attributes:
        group: instructions issued in the latest cycle, oldest first; empty when no more can issue in it.
        ready: register -> (row of results, cycle of issue).
        busy: unit -> first cycle in which it is free again, where that is later than the next.
    """

    group: tuple[Instruction, ...] = ()
    ready: dict[str, tuple[str, int]] = field(default_factory=dict)
    busy: dict[str, int] = field(default_factory=dict)

    def step(self, instruction: Instruction, *, taken: bool = False, target: Instruction | None = None) -> Step:
        """See Pipeline.step."""
        known = self.known(instruction)
        row = self.table.classes[instruction.kind] if known else _UNKNOWN_ROW
        newest = self.now - 1
        if row.slot == "folded":
            return self._fold(instruction, row, taken)
        ready, blocker, cause = self._operands(instruction, row)
        low, high = row.spread()
        apart = self._apart(instruction, row)
        if apart is None and ready <= newest:
            cycle, slot, note = newest, len(self.group), ""
        else:
            free = max([newest + 1, *(self.busy.get(unit, 0) for unit in row.units)])
            cycle, slot = max(free, ready), 0
            if apart is None or ready > free:
                note = blocker
            elif free > newest + 1:
                note, cause = "its unit is busy", Cause.INTERLOCK
            else:
                note = apart
            if note == _BANKS:
                low -= 1
        charges: list[Charge] = []
        waited = cycle - newest - 1
        if waited > 0:
            charges.append(Charge(instruction.address, cause, waited))
        cycles = row.issue(instruction.count)
        if slot == 0 or cycles > 1:
            charges.append(Charge(instruction.address, Cause.ISSUE, cycles if slot == 0 else cycles - 1))
        if not known:
            low, high = UNKNOWN_SPREAD[0] - 1, UNKNOWN_SPREAD[1] - 1
            note = f"unknown to the {self.table.core} table"
        self._issue(instruction, row, cycle, slot, cycles)
        if taken:
            bubble = int(self.table.rules["branch-taken"].cycles)
            if bubble:
                charges.append(Charge(instruction.address, Cause.BRANCH, bubble))
                self.now += bubble
            self.group = ()
        return Step(instruction, cycle, slot, tuple(charges), low, high, note)

    def key(self) -> Hashable:
        """See Pipeline.key."""
        return (
            tuple(i.address for i in self.group),
            tuple(sorted((r, k, c - self.now) for r, (k, c) in self.ready.items() if c > self.now - _FORGET)),
            tuple(sorted((u, c - self.now) for u, c in self.busy.items() if c > self.now)),
        )

    def copy(self) -> Scoreboard:
        """See Pipeline.copy."""
        return Scoreboard(self.table, self.regions, self.now, self.group, dict(self.ready), dict(self.busy))

    def _fold(self, instruction: Instruction, row: ClassRow, taken: bool) -> Step:
        newest = max(0, self.now - 1)
        for register in instruction.writes:
            self.ready[register] = (row.result or "late", newest)
        if taken:
            self.group = ()
        return Step(instruction, newest, 1, (), note="takes no time")

    def _operands(self, instruction: Instruction, row: ClassRow) -> tuple[int, str, Cause]:
        """(first cycle with all operands ready, note on the operand waited for, cause to charge the wait to)."""
        latest, note, cause = 0, "", Cause.INTERLOCK
        shifts = any(role is Role.SHIFTED and row.stages.get(role, role) == "shifted" for _, role in instruction.reads)
        for register, role in instruction.reads:
            if register not in self.ready or (instruction.kind in _PREDICTED and role is not Role.ADDRESS):
                continue
            result, issued = self.ready[register]
            stage = row.stages.get(role.value, role.value)
            cycles = self.table.results[result].to.get(stage, 1)
            if shifts and result == "loaded" and role is Role.OPERAND:
                cycles += int(self.table.rules["load-beside-shifted"].cycles)
            if issued + cycles > latest:
                latest = issued + cycles
                cause = Cause.LOAD_USE if result in _LOADED else Cause.INTERLOCK
                note = f"waits for {register}" + (" to be loaded" if result in _LOADED else "")
        return latest, note, cause

    def _apart(self, instruction: Instruction, row: ClassRow) -> str | None:
        """Why it cannot issue in the latest cycle for slots, units or banks ("" if that is full); None if it can."""
        if not self.group or len(self.group) >= self.table.issue:
            return ""
        if row.slot == "single":
            return "issues alone"
        if row.slot == "older":
            return "issues in the older slot only"
        older = self.group[-1]
        beside = self.table.classes[older.kind]
        for unit in row.units:
            if beside.units.count(unit) + row.units.count(unit) > self.table.units[unit]:
                return f"one {unit} a cycle"
        for conflict in self.table.conflicts:
            a, b = conflict.units
            if (a in row.units and b in beside.units) or (b in row.units and a in beside.units):
                return f"no {a} beside {b}"
        if instruction.kind in _SINGLE_LOADS and older.kind in _SINGLE_LOADS and self.table.rules["load-banks"].cycles:
            return self._banks(older, instruction)
        return None

    def _banks(self, older: Instruction, younger: Instruction) -> str | None:
        a, b = older.memory, younger.memory
        assert a is not None and b is not None
        if a.base != b.base or a.index is not None or b.index is not None:
            return _BANKS
        moved = a.offset if a.update is not Index.NONE else 0
        difference = moved + b.first_byte - a.first_byte
        return None if difference >> 2 & 1 and difference % 4 == 0 else "its word is in the bank of the load beside"

    def _issue(self, instruction: Instruction, row: ClassRow, cycle: int, slot: int, cycles: int) -> None:
        result = row.result or "late"
        if row.early is not None and (slot == 0 or row.early == "any"):
            fits = not row.early_mnemonics or instruction.mnemonic in row.early_mnemonics
            if fits and self._early_ready(instruction, cycle):
                result = "early"
        for number, register in enumerate(instruction.writes):
            kind = "late" if register == FLAGS and result in ("early", "reverse") else result
            # a multiple access moves its registers in order
            moved = cycles - 1 if row.registers_per_cycle is None else number // row.registers_per_cycle
            self.ready[register] = (kind, cycle + moved)
        if instruction.updated_base is not None:
            self.ready[instruction.updated_base] = ("updated-base", cycle)
        if row.busy > 1:
            for unit in row.units:
                self.busy[unit] = cycle + row.busy
        if slot and cycles == 1:
            self.group = (*self.group, instruction)
            return
        self.now = cycle + cycles
        self.group = () if row.slot == "single" or cycles > 1 else (instruction,)

    def _early_ready(self, instruction: Instruction, cycle: int) -> bool:
        for register, _ in instruction.reads:
            if register in self.ready:
                result, issued = self.ready[register]
                if issued + self.table.results[result].to.get("shifted", 1) > cycle:
                    return False
        return True


_UNKNOWN_ROW = ClassRow(source=("none",), slot="single", result="late")
