r"""Cycles of a loop body on a core in its steady state, for writing and scheduling kernels.

    cost = loop_cycles("ldr r3, [r0], #4\n smlad r4, r3, r5, r4", core="cortex-m7")
    cost.cycles          # per iteration
    print(cost.listing())

Without memory stalls: caches hit, flash has no wait states. harness/cycles/engine.py adds stalls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from harness.cycles.assembly import assemble, function
from harness.cycles.instruction import Class, Instruction
from harness.cycles.pipeline import Cause, Pipeline, Step
from harness.cycles.pipelines import pipeline
from harness.cycles.tables import CoreTable, core_table
from harness.errors import CycleModelError

# A loop's state repeats after a few iterations: registers are written in each, and latencies are short.
_MOST_ITERATIONS = 64


@dataclass(frozen=True)
class LoopCost:
    """One iteration of a loop in its steady state.

    Attributes:
        core: the table's name; validated: whether it was compared with measurements; error: its relative error.
        cycles: modelled cycles per iteration, exact: the state repeats every `period` iterations.
        causes: cycles per iteration by cause; they add up to `cycles`.
        steps: the instructions of `period` iterations as they issued, the first at cycle 0.
        back_edge: whether a taken branch closes the iteration.
    """

    core: str
    validated: bool
    error: float
    cycles: Fraction
    causes: dict[Cause, Fraction]
    steps: tuple[Step, ...]
    period: int

    @property
    def instructions(self) -> int:
        """Instructions per iteration."""
        return len(self.steps) // self.period

    def listing(self) -> str:
        """One line per instruction: cycle of issue (| for the younger of a pair), text, reason of a delay."""
        return "\n".join(lines(self.steps))


def lines(steps: Sequence[Step]) -> list[str]:
    """An annotated listing, one line per instruction; cycles are counted from the first step."""
    first = steps[0].cycle if steps else 0
    result = []
    for step in steps:
        place = f"{step.cycle - first:5d}" if step.slot == 0 else "    |"
        text = f"{place}  {step.instruction.address:08x}  {step.instruction.text:<40}"
        result.append((text + (f"; {step.note}" if step.note else "")).rstrip())
    return result


def loop_cycles(
    code: str | Sequence[Instruction], core: str | CoreTable = "cortex-m4", *, closed: bool = False
) -> LoopCost:
    """Cycles of one iteration when the body is repeated without end.

    Args:
        code: assembly text of the body (GNU syntax, unified; no directives needed), or decoded instructions. A
            conditional branch within it is taken when its target is the body's start, else not.
        core: name of a core's table, or a table.
        closed: a taken branch closes the body, at its cost; else the body follows itself.

    Raises:
        CycleModelError: the body is empty, or has an instruction without a row in the table.
        CycleTableError: there is no table for the core.
        BuildError, ToolchainMissingError: the text cannot be assembled.
    """
    table = core_table(core) if isinstance(core, str) else core
    body = assemble(code, table.core) if isinstance(code, str) else tuple(code)
    if closed:
        body = (*body, _back_branch(body))
    return _steady(pipeline(table), body)


def _back_branch(body: Sequence[Instruction]) -> Instruction:
    last = body[-1]
    return Instruction(last.address + last.size, 2, "b (closes the loop)", "b", Class.BRANCH, target=body[0].address)


def _steady(state: Pipeline, body: Sequence[Instruction]) -> LoopCost:
    if not body:
        raise CycleModelError("the loop body is empty", hint="give at least one instruction")
    for instruction in body:
        if not state.known(instruction):
            raise CycleModelError(
                f"{instruction.text} at {instruction.address:#x} is not in the {state.table.core} table",
                hint="the model refuses what it cannot cost; `tinyhil docs cycles` says what it knows",
            )
    seen: dict[object, int] = {}
    rounds: list[tuple[Step, ...]] = []
    starts: list[int] = []
    while True:
        key = state.key()
        starts.append(state.now)
        if key in seen or len(rounds) == _MOST_ITERATIONS:
            break
        seen[key] = len(rounds)
        rounds.append(tuple(_iteration(state, body)))
    begin = seen.get(key, len(rounds) - 1)
    period = len(rounds) - begin
    cycles = Fraction(starts[-1] - starts[begin], period)
    # A load is charged in the step after it: a charge in the first step of the period belongs to the last step.
    causes = {
        cause: Fraction(sum(c.cycles for r in rounds[begin:] for s in r for c in s.charges if c.cause is cause), period)
        for cause in Cause
    }
    return LoopCost(
        state.table.core, state.table.validated, state.table.error, cycles,
        {c: n for c, n in causes.items() if n}, tuple(s for r in rounds[begin:] for s in r), period,
    )  # fmt: skip


def _iteration(state: Pipeline, body: Sequence[Instruction]) -> list[Step]:
    steps = []
    for instruction in body:
        taken = instruction.is_branch and (not instruction.conditional or instruction.target == body[0].address)
        steps.append(state.step(instruction, taken=taken, target=body[0] if taken else None))
    return steps


@dataclass(frozen=True)
class FunctionLoop:
    """A loop of a function: address of its first instruction, address behind its last, and cost of an iteration."""

    begin: int
    end: int
    cost: LoopCost


def function_loops(elf: Path, name: str, core: str | CoreTable) -> tuple[FunctionLoop, ...]:
    """The innermost loops of a function in an image or object file, each in its steady state.

    A loop is the code from the target of a backward branch to the branch; conditional branches in it are not taken.

    Args:
        elf: the file; name: of the function in the symbol table.
        core: name of a core's table, or a table.

    Raises:
        CycleModelError: there is no such function, or a loop has an instruction without a row in the table.
        CycleTableError: there is no table for the core.
    """
    table = core_table(core) if isinstance(core, str) else core
    code = function(elf, name)
    begins = {i.address for i in code}
    spans = sorted(
        {
            (i.target, i.address + i.size)
            for i in code
            if i.target in begins and i.target is not None and i.target <= i.address
        }
    )
    inner = [(a, b) for a, b in spans if not any((c, d) != (a, b) and a <= c and d <= b for c, d in spans)]
    return tuple(
        FunctionLoop(begin, end, loop_cycles([i for i in code if begin <= i.address < end], table))
        for begin, end in inner
    )
