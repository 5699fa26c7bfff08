"""A model compiled for several cores and goals, each once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from harness.compiler.compile import compile_graph
from harness.compiler.cost.estimate import estimate_costs
from harness.compiler.cost.flash import FlashEstimate
from harness.compiler.cost.model import BASES, Basis
from harness.compiler.emit.package import Package, emit
from harness.compiler.goals import Goals, Mode
from harness.hardware.target import Target

if TYPE_CHECKING:
    from harness.compiler.plan import Plan
    from harness.ir.graph import Graph

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class CycleCount:
    """Modelled cycles of an inference, by the kernels' cost models; `basis` is that of the least certain layer."""

    cycles: float
    by_layer: tuple[float, ...]
    basis: Basis


@dataclass(frozen=True, eq=False)
class Compiled:
    """A model compiled for a core with a goal."""

    package: Package
    mode: Mode
    target: Target

    @property
    def plan(self) -> Plan:
        """The package's plan."""
        return self.package.plan

    @cached_property
    def code(self) -> int:
        """Estimated bytes of code."""
        return FlashEstimate(self.plan.steps).code

    @cached_property
    def _counted(self) -> dict[Target, CycleCount]:
        return {}

    def cycles_on(self, target: Target) -> CycleCount:
        """Modelled cycles of this code with the memory of a target of the same core."""
        if target not in self._counted:
            plan = self.plan if target == self.target else _moved(self.plan, target)
            costs = estimate_costs(plan)
            by_layer = tuple(cost.cycles for cost in costs)
            basis = max((cost.basis for cost in costs), key=BASES.index, default=BASES[0])
            self._counted[target] = CycleCount(sum(by_layer), by_layer, basis)
        return self._counted[target]


class Compilations:
    """Compiles a graph when it is asked for a core and mode that it has not compiled for."""

    def __init__(self, graph: Graph, *, progress: Progress | None = None, expected: int = 0) -> None:
        """`expected`: how many compilations there will be, for the progress; 0 where that is not known."""
        self.graph = graph
        self._progress = progress
        self._expected = expected
        self._found: dict[tuple[Target, Mode], Compiled] = {}

    def get(self, target: Target, mode: Mode) -> Compiled:
        """The graph compiled for a target.

        Raises:
            CompileError: an operator has no kernel.
        """
        key = (target, mode)
        if key not in self._found:
            if self._progress is not None:
                self._progress(f"compile for {target.core}, {mode}", len(self._found), self._expected)
            package = emit(compile_graph(self.graph, core=target, goals=Goals(mode)))
            self._found[key] = Compiled(package, mode, target)
        return self._found[key]


def _moved(plan: Plan, target: Target) -> Plan:
    """The same code as if its memory were the target's, for its costs only."""
    steps = tuple(
        replace(step, parts=tuple(replace(p, context=replace(p.context, target=target)) for p in step.parts))
        for step in plan.steps
    )
    return replace(plan, steps=steps)
