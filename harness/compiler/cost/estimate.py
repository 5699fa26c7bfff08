"""Plan -> what each layer is expected to take, without running it."""

from __future__ import annotations

from collections.abc import Collection

from harness.compiler.cost.model import BASES, Basis, Cost, cost_of, held_after
from harness.compiler.plan import LayerCode, Plan


def estimate_costs(plan: Plan) -> tuple[Cost, ...]:
    """The cost of each layer of a plan, by its kernel's cost model.

    Knows more than the choice of the kernel did: what code is in the cache, and whether the output lies over an input.
    """
    held: frozenset[str] = frozenset()
    costs = []
    for step in plan.steps:
        costs.append(step_cost(step, held, over=lies_over(plan, step)))
        for part in step.parts:
            held = held_after(part.kernel, part.context, held)
    return tuple(costs)


def step_cost(step: LayerCode, held: Collection[str] | None = None, *, over: bool = False) -> Cost:
    """The cost of one step: the sum of its parts, and what lies around them.

    Args:
        step: of a plan, or to be.
        held: functions whose code is in the cache before; None where that is not known.
        over: whether the output lies over an input.
    """
    instructions = cycles = step.around
    basis: Basis = "fitted"
    for part in step.parts:
        cost = cost_of(part.kernel, part.context, held=held, over=over)
        # only the first run finds no code in the cache
        after = None if held is None else held_after(part.kernel, part.context, held)
        again = cost_of(part.kernel, part.context, held=after, over=over) if part.times > 1 else cost
        instructions += cost.instructions + (part.times - 1) * again.instructions
        cycles += cost.cycles + (part.times - 1) * again.cycles
        basis = max(basis, cost.basis, key=BASES.index)
        held = after
    return Cost(instructions, cycles, step.lowered.scratch, basis)


def lies_over(plan: Plan, step: LayerCode) -> bool:
    """Whether most of a layer's output lies over bytes of its inputs."""
    places = {placement.tensor: placement for placement in plan.placements}
    written = [places[t] for t in step.node.outputs if t in places]
    shared = sum(
        max(0, min(out.offset + out.size, read.offset + read.size) - max(out.offset, read.offset))
        for out in written
        for read in (places[t] for t in set(step.reads) if t in places)
    )
    return 2 * shared > sum(out.size for out in written)
