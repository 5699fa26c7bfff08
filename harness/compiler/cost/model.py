"""Cost model: expected instructions and cycles of a layer, from its kernel's loop counts and cost coefficients.

Linear in the loop counts (Kernel.work) with coefficients fitted to profiles (harness/kernels/cost_coefficients.py),
plus waits for cache lines. Every cost is in executed instructions and in modelled cycles on the target, however much
is known of a kernel; kernels are ranked by modelled cycles alone.
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
"""From the most to the least certain."""

LARGE = 4096
"""Bytes of a code cache from which on it is taken to keep the code of one layer for the next."""

GUESS_PER_MAC, GUESS_PER_ELEMENT, GUESS_CYCLES = 30.0, 100.0, 2.0
"""Instructions per MAC and per element, and cycles per instruction, of a kernel without coefficients: upper bounds."""


@dataclass(frozen=True)
class Cost:
    """The expected cost of a layer.

    Attributes:
        instructions: executed.
        cycles: modelled cycles on the target.
        scratch: bytes of RAM while it runs.
        basis: where the figures come from: "fitted" to profiles of the kernel on this core; to those on "another
            core", the nearest that has some, whose cycles they are; or a "guess" from sizes.
    """

    instructions: float
    cycles: float
    scratch: int = 0
    basis: Basis = "fitted"


def cost_of(kernel: Kernel, context: Context, *, cached: Collection[str] | None = None, in_place: bool = False) -> Cost:
    """The expected cost of a layer with a kernel.

    Args:
        kernel: one that applies.
        context: the layer.
        cached: functions whose code is in the cache before; None where that is not known: then all for a cache of at
            least LARGE bytes, else none.
        in_place: whether the output lies over an input.
    """
    work = kernel.work(context)
    loops = all_loops(work)
    name, target = kernel.costed_as, context.target
    found, table, basis = _coefficients(name, target.core, loops)
    waited = stalls(work, context, in_place=in_place)
    if found is None or table is None:
        x = sum(context.graph.tensors[t].elements for t in context.node.inputs if t >= 0)
        elements = x + sum(context.graph.tensors[t].elements for t in context.node.outputs)
        guess = GUESS_PER_MAC * macs(context.graph, context.node) + GUESS_PER_ELEMENT * (elements + 1)
        guess = guess if kernel.instructions is None else kernel.instructions
        return Cost(guess, GUESS_CYCLES * guess + waited, work.scratch, basis)
    cycles = total(found.cycles, loops)
    if target.separate_data_bus:
        cycles += total(found.apart, loops)
    if target.code is not None:
        code = code_of(found, loops)
        if cached is None:
            cached = code if target.code.size >= LARGE else ()
        fresh = sum(lines for function, lines in code.items() if function not in cached)
        cycles += (total(found.fetch, loops) + fresh) * target.code.load * table.code_line / target.code.line
    if target.weights is not None:
        cycles += total(found.data, loops) * target.weights.load
    return Cost(total(found.instructions, loops), cycles + waited, work.scratch, basis)


def all_loops(work: Work) -> dict[str, float]:
    """How often every loop runs, with the loop "layer" that runs once in all kernels."""
    return {**work.loops, "layer": 1.0}


def code_of(found: KernelCoefficients, loops: Mapping[str, float]) -> dict[str, float]:
    """Function -> cache lines of its code that a layer with these loops executes."""
    return {function.name: function.lines for function in found.code if loops.get(function.loop, 0)}


def cached_after(kernel: Kernel, context: Context, cached: Collection[str]) -> frozenset[str]:
    """Functions whose code is in the cache after a layer, if `cached` were before.

    A cache of at least LARGE bytes keeps all that ran; a smaller one the last layer's code, where that fits.
    """
    cache = context.target.code
    loops = all_loops(kernel.work(context))
    found, table, _ = _coefficients(kernel.costed_as, context.target.core, loops)
    if cache is None or found is None or table is None:
        return frozenset(cached)
    code = code_of(found, loops)
    if cache.size >= LARGE:
        return frozenset(code) | frozenset(cached)
    return frozenset(code) if sum(code.values()) * table.code_line <= cache.size else frozenset()


def total(row: Mapping[str, float], loops: Mapping[str, float]) -> float:
    """Sum over the loops of coefficient times count."""
    return sum(row.get(loop, 0.0) * times for loop, times in loops.items())


def is_known(cost: Cost, core: str) -> bool:
    """Whether a cost can be compared with others on a core.

    True for a fitted one; for one of another core only where `core` has no coefficients of its own, so that all
    kernels take the nearest core's.
    """
    return cost.basis == "fitted" or (cost.basis == "another core" and core_coefficients(core) is None)


def _coefficients(
    kernel: str, core: str, loops: Mapping[str, float]
) -> tuple[KernelCoefficients | None, CoreCoefficients | None, Basis]:
    """The kernel's coefficients and their table: the core's, or those of the nearest core that has all it needs."""
    for number, name in enumerate((core, *core_record(core).nearest)):
        table = core_coefficients(name)
        found = table.kernels.get(kernel) if table is not None else None
        # All loops must have a coefficient: a sum without one of them is no estimate.
        if found is not None and all(loop in found.instructions for loop, times in loops.items() if times):
            return found, table, "another core" if number else "fitted"
    return None, None, "guess"


def stalls(work: Work, context: Context, *, in_place: bool = False) -> float:
    """Modelled cycles of waiting for cache lines that are missed where the work reads or writes bytes repeatedly.

    Lines are counted by the target's caches (Cached.missed); activations that fit in the cache with weights left out
    are taken to be there, and an output in place to be there from its input.
    """
    target = context.target
    if all(memory is None for memory in (target.weights, target.arena, target.scratch)):
        return 0.0
    reused = _all_reuse(work, context)
    fits = _fits(target, reused, in_place)
    waited = 0.0
    for one in reused:
        memory = _memory_of(one, target)
        if memory is None or (fits and one.what != "weights") or (in_place and one.what == "output"):
            continue
        size = one.size
        if one.what in ("input", "output") and not in_place:
            size = sum(other.size for other in reused if other.what in ("input", "output"))  # they alternate
        if one.what == "scratch":  # written, then read
            first = memory.lines(size)
            waited += first * memory.store + (memory.missed(size, one.times + 1, one.beside) - first) * memory.load
            continue
        lines = memory.missed(size, one.times, one.beside) * one.size / size
        waited += lines * (memory.store if one.what == "output" else memory.load)
    return waited


def _memory_of(reused: Reuse, target: Target) -> Cached | None:
    return {"weights": target.weights, "scratch": target.scratch}.get(reused.what, target.arena)


def _all_reuse(work: Work, context: Context) -> list[Reuse]:
    """The work's reuse, and input and output as read or written once where the work does not list them."""
    graph, node = context.graph, context.node
    reused = list(work.reuse)
    listed = {one.what for one in reused}
    if "input" not in listed:
        read = [graph.tensors[t] for t in node.inputs if t >= 0]
        reused.append(Reuse("input", sum(t.bytes for t in read if t.data is None), 1))
    if work.scratch and "scratch" not in listed:
        reused.append(Reuse("scratch", work.scratch, 0))
    if "output" not in listed:
        reused.append(Reuse("output", sum(graph.tensors[t].bytes for t in node.outputs), 1))
    return [one for one in reused if one.size]


def _fits(target: Target, reused: list[Reuse], in_place: bool) -> bool:
    """Whether the data cache holds all of it, so that activations are still there from the layer before."""
    cache = target.arena or target.scratch
    kept = [one for one in reused if one.what == "weights" or _memory_of(one, target) is not None]
    size = sum(one.size for one in kept if not (in_place and one.what == "output"))
    return size <= (inf if cache is None else cache.size)
