"""Graph -> Plan: passes, the choice of kernels, and the placement of everything in the arena."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from harness.choice import Choice
from harness.graph import Graph, Node
from harness.kernels import candidates
from harness.kernels.base import Context, Kernel
from harness.kernels.macs import macs
from harness.kernels.target import Target
from harness.lifetimes import Value, liveness_bound, values_of
from harness.names import identifier
from harness.passes import optimize
from harness.plan import Layer, Placement, Plan, Step
from harness.planner import place
from harness.verifier import verify
from harness.views import Views, find_views

ARENA_ALIGNMENT = 16


def compile_graph(
    graph: Graph, *, core: str | Target = "cortex-m7", name: str | None = None, prefer: Collection[str] = ()
) -> Plan:
    """Compile a verified graph for a core, or for a target: a core with what is known of its memory.

    `prefer` are class names of kernels to take wherever they apply, whatever they cost.

    Raises:
        CompileError: the core is unknown, or an operator has no kernel.
        GraphError: a pass broke the graph, which is a bug.
    """
    target = core if isinstance(core, Target) else Target(core)
    optimized = optimize(graph)
    verify(optimized)
    views = find_views(optimized)
    nodes = [node for i, node in enumerate(optimized.nodes) if i not in views.free]
    contexts = [Context(optimized, node, target) for node in nodes]
    choices = _in_place_where_it_saves(optimized, views, contexts, prefer)
    values, overlaps = values_of(optimized, [c.use for c in choices], views)
    placed = place(values, overlaps)
    steps = [Step(c.context.node, c.kernel, c.context, c.lowered) for c in choices]
    return Plan(
        name=identifier(name or graph.name),
        core=target.core,
        graph=optimized,
        layers=tuple(_layer(optimized, i, step) for i, step in enumerate(steps)),
        steps=tuple(steps),
        placements=tuple(_placements(optimized, values, placed.offsets)),
        arena_size=max(placed.size, 1),
        arena_align=ARENA_ALIGNMENT,
        liveness_bound=liveness_bound(values, len(steps)),
        removed=_removed(optimized, nodes),
    )


def _fastest(context: Context, prefer: Collection[str]) -> Kernel:
    """The cheapest kernel that needs no buffer shared between its input and output."""
    return next(kernel for kernel in candidates(context, prefer) if not kernel.in_place)


def _arena(graph: Graph, views: Views, choices: Sequence[Choice]) -> int:
    return place(*values_of(graph, [c.use for c in choices], views), trials=0, nodes=0).size


def _in_place_where_it_saves(
    graph: Graph, views: Views, contexts: Sequence[Context], prefer: Collection[str]
) -> list[Choice]:
    """Layers computed in place by a slower kernel, but only those without which the arena would be larger."""
    choices = [Choice(c, _fastest(c, prefer)) for c in contexts]
    slower: dict[int, Choice] = {}
    for index, choice in enumerate(choices):
        found = [kernel for kernel in candidates(choice.context) if kernel.in_place]
        # A kernel that can write over its input anyway has nothing to gain from a slower one.
        there = any(overlap.allows(0) for overlap in choice.overlaps.values())
        if found and not there and type(choice.kernel).__name__ not in prefer:
            slower[index] = Choice(choice.context, found[0])
    if not slower:
        return choices
    chosen = [slower.get(i, choice) for i, choice in enumerate(choices)]
    smallest = _arena(graph, views, chosen)
    for index in slower:
        trial = chosen[:index] + [choices[index]] + chosen[index + 1 :]
        if _arena(graph, views, trial) <= smallest:
            chosen, smallest = trial, _arena(graph, views, trial)
    return chosen


def _layer(graph: Graph, index: int, step: Step) -> Layer:
    node = step.node
    ops = [graph.source_ops[s] for s in node.sources if s < len(graph.source_ops)]
    fused = list(ops)
    # A DEPTHWISE_CONV_2D may be computed as a CONV_2D.
    own = node.op if node.op in ops else next((op for op in ops if op.endswith(node.op)), None)
    if own is not None:
        fused.remove(own)
    return Layer(
        index=index,
        name=f"{node.op.lower()}_{index:02d}",
        op=node.op,
        kernel=step.lowered.kernel,
        outputs=node.outputs,
        macs=macs(graph, node),
        scratch=step.lowered.scratch,
        sources=node.sources,
        fused=tuple(fused),
    )


def _placements(graph: Graph, values: Sequence[Value], offsets: Sequence[int]) -> list[Placement]:
    """One placement a tensor, state and scratch buffer; tensors of one value repeat its place."""
    placements = []
    for value, offset in zip(values, offsets, strict=True):
        whole = Placement(value.name, None, value.state, offset, value.size, value.first, value.last)
        if value.state is not None or not value.tensors:
            placements.append(whole)
        for tensor in value.tensors:
            placements.append(replace(whole, name=graph.tensors[tensor].name, tensor=tensor, state=None))
    return placements


def _removed(graph: Graph, nodes: Sequence[Node]) -> tuple[tuple[int, str, str], ...]:
    """Operators of the file that no layer computes, with the reason."""
    covered = {s for node in nodes for s in node.sources}
    reasons = dict(graph.removed)
    views = {s for node in graph.nodes for s in node.sources} - covered
    return tuple(
        (
            index,
            op,
            reasons.get(index, "same bytes under another shape" if index in views else "resolved at compile time"),
        )
        for index, op in enumerate(graph.source_ops)
        if index not in covered
    )
