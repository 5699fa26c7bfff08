r"""Cycles of one loop body on a core, in its steady state: what a kernel's writer or a scheduler asks.

    cost = loop_cycles("ldr r3, [r0], #4\n smlad r4, r3, r5, r4", core="cortex-m7")
    cost.cycles          # per iteration
    print(cost.listing())

No memory is in it: caches hit, flash has no wait states. harness/cycles/engine.py adds those.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from harness.build import toolchain
from harness.cycles.decoder import Decoder
from harness.cycles.instruction import Class, Instruction
from harness.cycles.pipeline import Cause, Pipeline, Step, pipeline
from harness.cycles.tables import CoreTable, core_table
from harness.errors import BuildError, CycleModelError

# What the assembler is told of a core; clang's and GNU's assembler agree on these.
ARCHITECTURES = {
    "cortex-m0plus": "armv6s-m",
    "cortex-m3": "armv7-m",
    "cortex-m4": "armv7e-m+fp",
    "cortex-m7": "armv7e-m+fpv5",
    "cortex-m33": "armv8-m.main+dsp+fp",
    "cortex-m55": "armv8.1-m.main+mve.fp+fp.dp",
}
_ASSEMBLER_TIMEOUT_S = 30.0
# A loop's state repeats after a few iterations: registers are written in each, and latencies are short.
_MOST_ITERATIONS = 64


@dataclass(frozen=True)
class LoopCost:
    """One iteration of a loop in its steady state.

    Attributes:
        core: the table's name; validated: whether measurements stand behind it; error: relative, to be stated.
        cycles: modelled cycles an iteration, exact: the state repeats every `period` iterations.
        causes: cycles an iteration by cause; they add up to `cycles`.
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
        """Instructions an iteration."""
        return len(self.steps) // self.period

    def listing(self) -> str:
        """A line an instruction: cycle of issue (a paired younger one shows |), text, why it did not go earlier."""
        return "\n".join(lines(self.steps))


def lines(steps: Sequence[Step]) -> list[str]:
    """An annotated listing, a line an instruction; cycles are counted from the first step's."""
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
    """Cycles of one iteration when the body is repeated for ever.

    Args:
        code: assembly text of the body (GNU syntax, unified; no directives needed), or decoded instructions. A
            conditional branch within it is taken when its target is the body's start, else not.
        core: name of a core's table, or a table.
        closed: a taken branch closes the body, at its cost; else the body follows itself.

    Raises:
        CycleModelError: it is empty, or holds an instruction that the table does not know.
        CycleTableError: there is no table for the core.
        BuildError, ToolchainMissingError: the text cannot be assembled.
    """
    table = core_table(core) if isinstance(core, str) else core
    body = assemble(code, table.core) if isinstance(code, str) else tuple(code)
    if closed:
        body = (*body, _back_branch(body))
    return _steady(pipeline(table), body)


def assemble(text: str, core: str) -> tuple[Instruction, ...]:
    """Instructions of assembly text, at addresses from 0 (word aligned); raises what assemble_bytes does."""
    return tuple(Decoder().run(assemble_bytes(text, core), 0))


def assemble_bytes(text: str, core: str) -> bytes:
    """The section .text of assembly text (GNU syntax, unified).

    Raises:
        BuildError: the assembler refuses it; details carry its output.
        ToolchainMissingError: there is no assembler.
        CycleTableError: there is no such core.
    """
    return assemble_all([text], core)[0]


def assemble_all(texts: Sequence[str], core: str) -> list[bytes]:
    """Each text's section .text, by one call of the assembler.

    Raises:
        BuildError: the assembler refuses one; details carry its output.
        ToolchainMissingError: there is no assembler.
        CycleTableError: there is no such core.
    """
    core_table(core)
    compiler = toolchain.find("arm")
    with tempfile.TemporaryDirectory(prefix="tinyhil-cycles-") as folder:
        source, image = Path(folder) / "loop.s", Path(folder) / "loop.elf"
        sections = [f'.section .text.{number}, "ax", %progbits\n{text}\n' for number, text in enumerate(texts)]
        source.write_text("\n".join([".syntax unified\n.thumb", *sections]), encoding="utf-8")
        flags = [f"-march={ARCHITECTURES[core]}", "-mthumb", "-mfloat-abi=softfp" if core[-2:] in ("m0", "m3") else ""]
        if core in ("cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"):
            flags[-1] = "-mfloat-abi=hard"
        done = subprocess.run(
            [str(compiler.cc), *(f for f in flags if f), "-c", str(source), "-o", str(image)],
            capture_output=True, text=True, timeout=_ASSEMBLER_TIMEOUT_S, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        if done.returncode:
            raise BuildError(
                f"the assembly text is not {core} code", hint="correct it; the assembler's words are below",
                details=done.stderr.replace(str(source), "text")[:4000],
            )  # fmt: skip
        return _sections(image, len(texts))


def _sections(image: Path, count: int) -> list[bytes]:
    from elftools.elf.elffile import ELFFile

    with image.open("rb") as stream:
        elf = ELFFile(stream)
        found = [elf.get_section_by_name(f".text.{number}") for number in range(count)]
        return [b"" if section is None else bytes(section.data()) for section in found]


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
                hint="the model refuses what it cannot cost; docs/cycles.md says what it knows",
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
    # A load is charged in the step after it: what it is charged in the first step of the period belongs to the last.
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
