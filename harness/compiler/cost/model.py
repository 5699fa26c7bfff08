"""What a layer is expected to take with a kernel, by the kernel's work and the cost coefficients of its loops.

Every figure is in the same two units, whatever is known of a kernel: executed instructions, and modelled cycles on the
target. Kernels are ranked by modelled cycles, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Literal

from harness.hardware.cores import core as core_record
from harness.hardware.target import Cached, Target
from harness.kernels.cost_coefficients import CoreCoefficients, KernelCoefficients, core_coefficients
from harness.kernels.macs import macs
from harness.kernels.work import Reuse, Work

if TYPE_CHECKING:
    from harness.kernels.base import Kernel
    from harness.kernels.context import Context

Basis = Literal["fitted", "another core", "guess"]
BASES: tuple[Basis, ...] = ("fitted", "another core", "guess")
"""From the surest to the roughest."""

LARGE = 4096
"""Bytes of a code cache that keeps what layers have in common from one layer to the next."""

GUESS_PER_MAC, GUESS_PER_ELEMENT, GUESS_CYCLES = 30.0, 100.0, 2.0
"""Instructions, and cycles an instruction, of a kernel that was fitted on no core: more than any kernel takes."""


@dataclass(frozen=True)
class Cost:
    """What a layer is expected to take.

    Attributes:
        instructions: executed.
        cycles: modelled cycles on the context's target.
        scratch: bytes of RAM while it runs.
        basis: where the figures come from: profiles of the kernel on this core; on the nearest core that has some,
            whose core cycles they are; or a guess from sizes.
    """

    instructions: float
    cycles: float
    scratch: int = 0
    basis: Basis = "fitted"


def cost_of(kernel: Kernel, context: Context, *, held: Collection[str] | None = None, over: bool = False) -> Cost:
    """The expected cost of a layer with a kernel.

    Args:
        kernel: one that applies.
        context: the layer.
        held: functions whose code is in the cache; None where that is not known: all, if the cache is a large one.
        over: whether the output lies over an input.
    """
    work = kernel.work(context)
    loops = all_loops(work)
    name, target = type(kernel).__name__, context.target
    found, table, basis = _coefficients(name, target.core, loops)
    waited = stalls(work, context, over=over)
    if found is None or table is None:
        x = sum(context.graph.tensors[t].elements for t in context.node.inputs if t >= 0)
        elements = x + sum(context.graph.tensors[t].elements for t in context.node.outputs)
        guess = GUESS_PER_MAC * macs(context.graph, context.node) + GUESS_PER_ELEMENT * (elements + 1)
        return Cost(guess, GUESS_CYCLES * guess + waited, work.scratch, basis)
    cycles = total(found.cycles, loops)
    if target.separate_data_bus:
        cycles += total(found.apart, loops)
    if target.code is not None:
        code = code_of(found, loops)
        if held is None:
            held = code if target.code.size >= LARGE else ()
        fresh = sum(lines for function, lines in code.items() if function not in held)
        cycles += (total(found.fetch, loops) + fresh) * target.code.load * table.code_line / target.code.line
    if target.weights is not None:
        cycles += total(found.data, loops) * target.weights.load
    return Cost(total(found.instructions, loops), cycles + waited, work.scratch, basis)


def all_loops(work: Work) -> dict[str, float]:
    """How often every loop runs, with the one that all kernels have."""
    return {**work.loops, "layer": 1.0}


def code_of(found: KernelCoefficients, loops: Mapping[str, float]) -> dict[str, float]:
    """Function -> lines of it that a layer with these loops executes."""
    return {function.name: function.lines for function in found.code if loops.get(function.loop, 0)}


def held_after(kernel: Kernel, context: Context, held: Collection[str]) -> frozenset[str]:
    """Functions whose code is in the cache after a layer, if `held` were before.

    A large cache keeps what ran; a small one what ran last, if that is no more than it holds.
    """
    cache = context.target.code
    loops = all_loops(kernel.work(context))
    found, table, _ = _coefficients(type(kernel).__name__, context.target.core, loops)
    if cache is None or found is None or table is None:
        return frozenset(held)
    code = code_of(found, loops)
    if cache.size >= LARGE:
        return frozenset(code) | frozenset(held)
    return frozenset(code) if sum(code.values()) * table.code_line <= cache.size else frozenset()


def total(row: Mapping[str, float], loops: Mapping[str, float]) -> float:
    """What all loops cost."""
    return sum(row.get(loop, 0.0) * times for loop, times in loops.items())


def is_known(cost: Cost, core: str) -> bool:
    """Whether a cost on a core is more than borrowed or guessed.

    A core that kernels were fitted on has coefficients of its own: the cost of a kernel that lacks them there is not
    known. Any other core takes the nearest one's for all kernels.
    """
    return cost.basis == "fitted" or (cost.basis == "another core" and core_coefficients(core) is None)


def _coefficients(
    kernel: str, core: str, loops: Mapping[str, float]
) -> tuple[KernelCoefficients | None, CoreCoefficients | None, Basis]:
    """The kernel's coefficients and the table that they are in: the core's, or the nearest core's that has some."""
    for number, name in enumerate((core, *core_record(core).nearest)):
        table = core_coefficients(name)
        found = table.kernels.get(kernel) if table is not None else None
        # A loop without a coefficient makes those of the others say nothing.
        if found is not None and all(loop in found.instructions for loop, times in loops.items() if times):
            return found, table, "another core" if number else "fitted"
    return None, None, "guess"


def stalls(work: Work, context: Context, *, over: bool = False) -> float:
    """Modelled cycles waited for cache lines that are missed where the work reads or writes bytes again."""
    target = context.target
    if target.weights is None and target.arena is None:
        return 0.0
    reused = _all_reuse(work, context)
    fits = _fits(target, reused, over)
    waited = 0.0
    for one in reused:
        memory = target.weights if one.what == "weights" else target.arena
        if memory is None or (fits and one.what != "weights") or (over and one.what == "output"):
            continue
        size = one.size
        if one.what != "weights" and not over:
            size = sum(other.size for other in reused if other.what != "weights")  # they take turns
        lines = memory.missed(size, one.times, one.beside) * one.size / size
        waited += lines * (memory.store if one.what == "output" else memory.load)
    return waited


def _all_reuse(work: Work, context: Context) -> list[Reuse]:
    """The work's reuse, and input and output once where they are not among it."""
    graph, node = context.graph, context.node
    reused = list(work.reuse)
    told = {one.what for one in reused}
    if "input" not in told:
        read = [graph.tensors[t] for t in node.inputs if t >= 0]
        reused.append(Reuse("input", sum(t.bytes for t in read if t.data is None), 1))
    if "output" not in told:
        reused.append(Reuse("output", sum(graph.tensors[t].bytes for t in node.outputs), 1))
    return [one for one in reused if one.size]


def _fits(target: Target, reused: list[Reuse], over: bool) -> bool:
    """Whether the cache holds all of it, so that activations are still there from the layer before."""
    cache: Cached | None = target.arena
    size = sum(one.size for one in reused if not (over and one.what == "output"))
    return size <= (inf if cache is None else cache.size)
