"""Plan -> expected instructions and cycles of each layer, without running it."""

from __future__ import annotations

from collections.abc import Collection

from harness.compiler.cost.model import BASES, Basis, Cost, cached_after, cost_of
from harness.compiler.plan import LayerCode, Plan


def estimate_costs(plan: Plan) -> tuple[Cost, ...]:
    """The cost of each layer of a plan, by its kernel's cost model.

    More exact than the costs that kernels were chosen by: layer by layer it is known which code is in the cache, and
    whether the output overlaps an input.
    """
    cached: frozenset[str] = frozenset()
    costs = []
    for step in plan.steps:
        costs.append(step_cost(step, cached, in_place=is_in_place(plan, step)))
        for part in step.parts:
            cached = cached_after(part.kernel, part.context, cached)
    return tuple(costs)


def step_cost(step: LayerCode, cached: Collection[str] | None = None, *, in_place: bool = False) -> Cost:
    """The cost of one layer: the sum of its parts, and the overhead between them.

    Args:
        step: the layer's code.
        cached: functions whose code is in the cache before; None where that is not known.
        in_place: whether the output lies over an input.

    Returns:
        Instructions, modelled cycles and scratch; the basis is that of the least certain part.
    """
    instructions = cycles = step.overhead
    basis: Basis = "fitted"
    for part in step.parts:
        cost = cost_of(part.kernel, part.context, cached=cached, in_place=in_place)
        # Only the first run has to load the code into the cache.
        after = None if cached is None else cached_after(part.kernel, part.context, cached)
        again = cost_of(part.kernel, part.context, cached=after, in_place=in_place) if part.times > 1 else cost
        instructions += cost.instructions + (part.times - 1) * again.instructions
        cycles += cost.cycles + (part.times - 1) * again.cycles
        basis = max(basis, cost.basis, key=BASES.index)
        cached = after
    return Cost(instructions, cycles, step.lowered.scratch, basis)


def is_in_place(plan: Plan, step: LayerCode) -> bool:
    """Whether more than half of a layer's output bytes lie over bytes of its inputs."""
    places = {placement.tensor: placement for placement in plan.placements}
    written = [places[t] for t in step.node.outputs if t in places]
    shared = sum(
        max(0, min(out.offset + out.size, read.offset + read.size) - max(out.offset, read.offset))
        for out in written
        for read in (places[t] for t in set(step.reads) if t in places)
    )
    return 2 * shared > sum(out.size for out in written)
