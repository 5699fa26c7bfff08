"""A node with graphs of its own as a layer: the plans of these graphs, whose arenas lie in the layer's scratch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from harness.compiler.choice import KernelChoice
from harness.compiler.cost.estimate import step_cost
from harness.compiler.cost.model import Cost
from harness.compiler.fusion.row_run import CALL, MOVED_WORD
from harness.compiler.memory.lifetimes import base_offset
from harness.compiler.plan import LayerCode, Plan
from harness.kernels.base import Argument, At, Call, ConstantTable, In, Lowered, Out, Scratch
from harness.kernels.control import Body, ControlKernel

TURNS = 8
"""Expected of a loop, whose turns are known when it runs; only expected times depend on it."""


@dataclass(frozen=True, eq=False)
class ControlChoice(KernelChoice):
    """The kernel of a node with graphs of its own.

    Attributes:
        plans: of the graphs, in the order of the node's attributes.
    """

    plans: tuple[Plan, ...] = ()

    @cached_property
    def cost(self) -> Cost:
        """The expected cost."""
        return step_cost(self.step)

    @cached_property
    def lowered(self) -> Lowered:
        """The calls of all graphs; constant inputs are tables."""
        assert isinstance(self.kernel, ControlKernel)
        joined = self.kernel.join(self.context, [_body(plan, number) for number, plan in enumerate(self.plans)])
        return self.with_constants(joined)

    @property
    def step(self) -> LayerCode:
        """The layer's code, for the plan; of two branches the costlier one counts."""
        times = [sum(step_cost(step).cycles for step in plan.steps) for plan in self.plans]
        assert isinstance(self.kernel, ControlKernel)
        once = [int(i == times.index(max(times))) for i in range(len(self.plans))]
        counts = [TURNS] * len(self.plans) if self.kernel.loops else once
        parts = tuple(
            replace(part, times=part.times * count)
            for plan, count in zip(self.plans, counts, strict=True)
            for step in plan.steps
            for part in step.parts
        )
        return LayerCode((self.node,), parts, self.node.inputs, self.lowered, self._moved(max(counts)))

    def _moved(self, turns: int) -> float:
        """Expected instructions of moving the inputs to the graphs, and their outputs back."""
        tensors = self.context.graph.tensors
        moved = [tensors[t].bytes for t in (*self.node.inputs, *self.node.outputs)]
        return turns * (CALL * len(moved) + MOVED_WORD * sum(moved) / 4)


def _body(plan: Plan, number: int) -> Body:
    """A plan as calls whose pointers lead into the scratch."""
    tensors = plan.graph.tensors
    placed = {placement.tensor: placement.offset for placement in plan.placements if placement.tensor is not None}
    calls: list[Call] = []
    repeats, control = [], []
    for layer, step in enumerate(plan.steps):
        at = len(calls)
        code = _StepCode(plan, layer, f"{number}_{layer}")
        calls += [code.call(call, place) for place, call in enumerate(step.lowered.calls)]
        repeats += [replace(block, first=block.first + at) for block in step.lowered.repeats]
        control += [
            replace(block, first=block.first + at, condition=code.argument(block.condition, "condition"))
            for block in step.lowered.control
        ]
    names = dict.fromkeys(step.lowered.kernel for step in plan.steps)
    read = {t for node in plan.graph.nodes for t in node.inputs} | set(plan.graph.outputs)
    return Body(
        Lowered("+".join(names), tuple(calls), plan.arena_size, tuple(repeats), tuple(control)),
        tuple((placed[t] if t in read else None, tensors[t].bytes) for t in plan.graph.inputs),
        tuple((placed[t], tensors[t].bytes) for t in plan.graph.outputs),
    )


@dataclass(frozen=True)
class _StepCode:
    """Moves the calls of a layer of a plan into the layer that the plan is part of."""

    plan: Plan
    layer: int
    prefix: str

    def call(self, call: Call, number: int) -> Call:
        """The same call, with constants named after their place."""
        return replace(call, arguments=tuple(self.argument(a, str(number)) for a in call.arguments))

    def argument(self, argument: Argument, name: str) -> Argument:
        """The same place, in the scratch."""
        node = self.plan.steps[self.layer].node
        if isinstance(argument, ConstantTable):
            return replace(argument, name=f"{self.prefix}_{name}_{argument.name}")
        if isinstance(argument, Scratch):
            return At(None, base_offset(self.plan, self.layer), argument.ctype)
        if isinstance(argument, At):
            base = base_offset(self.plan, self.layer, argument.tensor)
            return replace(argument, tensor=None, offset=base + argument.offset)
        if isinstance(argument, In | Out):
            ids = node.inputs if isinstance(argument, In) else node.outputs
            return At(None, self.plan.placement_of(ids[argument.index]).offset, argument.ctype)
        return argument
