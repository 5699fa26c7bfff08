"""The expected time of a plan."""

from __future__ import annotations

from harness.compiler.cost.estimate import step_cost
from harness.compiler.plan import Plan


def time_of(plan: Plan) -> float:
    """Modelled cycles that the kernels are expected to take."""
    return sum(step_cost(step).cycles for step in plan.steps)
