"""Graph -> Plan: passes, the choice of kernels, and the placement of everything in the arena."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from harness.graph import Graph, Node
from harness.kernels import candidates
from harness.kernels.base import Context, Kernel
from harness.kernels.macs import macs
from harness.kernels.target import Target
from harness.lifetimes import Step, Value, liveness_bound, values_of, view_sources
from harness.names import identifier
from harness.passes import optimize
from harness.plan import Layer, Placement, Plan
from harness.planner import place
from harness.verifier import verify

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
    # Views cost nothing and become no layer.
    views = view_sources(optimized)
    nodes = [n for n in optimized.nodes if not (n.outputs and all(t in views for t in n.outputs))]
    contexts = [Context(optimized, node, target) for node in nodes]
    fastest = [_step(context, _fastest(context, prefer)) for context in contexts]
    steps = _in_place_where_it_saves(optimized, fastest)
    values = values_of(optimized, steps)
    offsets, arena = place(values)
    return Plan(
        name=identifier(name or graph.name),
        core=target.core,
        graph=optimized,
        layers=tuple(_layer(optimized, i, step) for i, step in enumerate(steps)),
        steps=tuple(steps),
        placements=tuple(_placements(optimized, values, offsets)),
        arena_size=max(arena, 1),
        arena_align=ARENA_ALIGNMENT,
        liveness_bound=liveness_bound(values_of(optimized, fastest, in_place=False), len(steps)),
        removed=_removed(optimized, nodes),
    )


def _fastest(context: Context, prefer: Collection[str]) -> Kernel:
    """The cheapest kernel that needs no buffer shared between its input and output."""
    return next(kernel for kernel in candidates(context, prefer) if not kernel.in_place)


def _step(context: Context, kernel: Kernel) -> Step:
    return Step(context.node, kernel, context, kernel.lower(context))


def _arena(graph: Graph, steps: Sequence[Step]) -> int:
    return place(values_of(graph, steps), trials=0)[1]


def _in_place_where_it_saves(graph: Graph, steps: Sequence[Step]) -> list[Step]:
    """Layers computed in place by a slower kernel, but only those without which the arena would be larger."""
    slower: dict[int, Step] = {}
    for index, step in enumerate(steps):
        found = [kernel for kernel in candidates(step.context) if kernel.in_place]
        # A kernel that can write over its input anyway has nothing to gain from a slower one.
        if found and not step.kernel.overwritable(step.context):
            slower[index] = _step(step.context, found[0])
    if not slower:
        return list(steps)
    chosen = [slower.get(i, step) for i, step in enumerate(steps)]
    smallest = _arena(graph, chosen)
    for index in slower:
        trial = chosen[:index] + [steps[index]] + chosen[index + 1 :]
        if _arena(graph, trial) <= smallest:
            chosen, smallest = trial, _arena(graph, trial)
    return chosen


def _layer(graph: Graph, index: int, step: Step) -> Layer:
    node = step.node
    ops = [graph.source_ops[s] for s in node.sources if s < len(graph.source_ops)]
    fused = list(ops)
    if node.op in fused:
        fused.remove(node.op)
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
    """One placement a tensor, state and scratch buffer; views repeat their value's place."""
    placements = []
    for value, offset in zip(values, offsets, strict=True):
        over = None
        if value.over is not None:
            over = values[value.over].tensors[0]
        whole = Placement(value.name, None, value.state, offset, value.size, value.first, value.last, over)
        if value.state is not None or not value.tensors:
            placements.append(whole)
        for tensor in value.tensors:
            alias = over if tensor == value.tensors[0] else value.tensors[0]
            name = graph.tensors[tensor].name
            placements.append(replace(whole, name=name, tensor=tensor, state=None, alias_of=alias))
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
