"""Plan -> what each layer is expected to take, without running it."""

from __future__ import annotations

from harness.kernels.costs import Cost, cost_of
from harness.plan import Plan, Step


def expected(plan: Plan) -> tuple[Cost, ...]:
    """The cost of each layer of a plan, by its kernel's cost model.

    Knows more than the choice of the kernel did: which kernels ran before, and whether the output lies over an input.
    """
    ran: set[str] = set()
    costs = []
    for step in plan.steps:
        name = step.lowered.kernel
        costs.append(cost_of(step.kernel, step.context, first=name not in ran, over=lies_over(plan, step)))
        ran.add(name)
    return tuple(costs)


def lies_over(plan: Plan, step: Step) -> bool:
    """Whether most of a layer's output lies over bytes of its inputs."""
    places = {placement.tensor: placement for placement in plan.placements}
    written = [places[t] for t in step.node.outputs if t in places]
    shared = sum(
        max(0, min(out.offset + out.size, read.offset + read.size) - max(out.offset, read.offset))
        for out in written
        for read in (places[t] for t in set(step.node.inputs) if t in places)
    )
    return 2 * shared > sum(out.size for out in written)
