"""Plan -> what each layer is expected to take, without running it."""

from __future__ import annotations

from collections.abc import Collection

from harness.kernels.costs import BASES, Basis, Cost, cost_of
from harness.plan import Plan, Step


def expected(plan: Plan) -> tuple[Cost, ...]:
    """The cost of each layer of a plan, by its kernel's cost model.

    Knows more than the choice of the kernel did: which kernels ran before, and whether the output lies over an input.
    """
    ran: set[str] = set()
    costs = []
    for step in plan.steps:
        costs.append(step_cost(step, ran, over=lies_over(plan, step)))
        ran |= {type(part.kernel).__name__ for part in step.parts}
    return tuple(costs)


def step_cost(step: Step, ran: Collection[str] | None = None, *, over: bool = False) -> Cost:
    """The cost of one step: the sum of its parts, and what lies around them.

    Args:
        step: of a plan, or to be.
        ran: class names of kernels that ran before it; None where that is not known.
        over: whether the output lies over an input.
    """
    instructions = cycles = step.around
    basis: Basis = "fitted"
    seen = None if ran is None else set(ran)
    for part in step.parts:
        name = type(part.kernel).__name__
        first = seen is not None and name not in seen
        cost = cost_of(part.kernel, part.context, first=first, over=over)
        # only the first run of a kernel finds no code of it in the cache
        again = cost_of(part.kernel, part.context, over=over) if first and part.times > 1 else cost
        instructions += cost.instructions + (part.times - 1) * again.instructions
        cycles += cost.cycles + (part.times - 1) * again.cycles
        basis = max(basis, cost.basis, key=BASES.index)
        if seen is not None:
            seen.add(name)
    return Cost(instructions, cycles, step.lowered.scratch, basis)


def lies_over(plan: Plan, step: Step) -> bool:
    """Whether most of a layer's output lies over bytes of its inputs."""
    places = {placement.tensor: placement for placement in plan.placements}
    written = [places[t] for t in step.node.outputs if t in places]
    shared = sum(
        max(0, min(out.offset + out.size, read.offset + read.size) - max(out.offset, read.offset))
        for out in written
        for read in (places[t] for t in set(step.reads) if t in places)
    )
    return 2 * shared > sum(out.size for out in written)
