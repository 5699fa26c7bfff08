"""Graph -> Plan: passes, the choice of kernels, and the placement of everything in the arena."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from harness.compiler.ahead import buffers_of, copies, with_weights_ahead
from harness.compiler.choice import KernelChoice, choices
from harness.compiler.control import ControlChoice
from harness.compiler.goals import Goals
from harness.compiler.memory.lifetimes import MemoryUse, Value, liveness_bound, values_of
from harness.compiler.names import identifier, word
from harness.compiler.plan import ArenaPlacement, Layer, LayerCode, Plan
from harness.compiler.selection import BUFFERS, check_arena, laid_out_again, pareto_front, select
from harness.hardware.target import Target
from harness.ir.aliases import Aliases, find_aliases
from harness.ir.graph import Graph, Node
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.ir.verifier import verify
from harness.kernels.context import Context
from harness.kernels.macs import macs
from harness.passes import optimize
from harness.quantization.few_bits import in_few_bits

ARENA_ALIGNMENT = 16

_ABOUT = 1.2
"""Tables of kernels for the same stored weights differ by what they hold besides."""

ROW_FUSION = "RowFusion"
"""Among the kernels to prefer: fuse the rows of as many layers as possible."""


@dataclass(frozen=True)
class TradeOff:
    """A way to compute a network.

    Attributes:
        arena: bytes.
        cycles: expected modelled cycles of an inference.
        streamed: layers that are computed a few rows at a time.
    """

    arena: int
    cycles: float
    streamed: int


def compile_graph(
    graph: Graph,
    *,
    core: str | Target = "cortex-m7",
    name: str | None = None,
    prefer: Collection[str] = (),
    goals: Goals = Goals(),  # noqa: B008
) -> Plan:
    """Compile a verified graph for a core, or for a target: a core with what is known of its memory.

    Args:
        graph: as a frontend gives it.
        core: "cortex-m7" and so on, or a target.
        name: what the C identifiers are made of; the graph's name by default.
        prefer: class names of kernels to take wherever they apply, whatever they cost; or ROW_FUSION.
        goals: what to optimize for, and budgets.

    Raises:
        CompileError: the core is unknown, or an operator has no kernel.
        BudgetError: no compilation keeps the budgets of `goals`.
        GraphError: a pass broke the graph, which is a bug.
    """
    target = core if isinstance(core, Target) else Target(core)
    optimized, aliases, layers = _layers(graph, target, prefer, goals)
    selected = select(optimized, aliases, layers, goals, fuse_most=ROW_FUSION in prefer)
    steps = [segment.chosen.step for segment in selected.segments]
    steps, apart = with_weights_ahead(steps, goals.prefetch)
    tables = copies(steps)
    buffers = buffers_of(tables)[1] if tables else 0
    scratch_size = max((step.lowered.scratch for step in steps), default=0) if target.scratch_apart else 0
    if scratch_size or buffers:
        selected = laid_out_again(
            optimized, aliases, selected, scratch=not scratch_size, apart=apart, buffers=buffers
        )
        check_arena(selected, goals)
    placements = tuple(_placements(optimized, selected.values, selected.layout.offsets))
    return Plan(
        name=identifier(name or graph.name),
        core=target.core,
        graph=optimized,
        layers=tuple(_layer(optimized, i, step) for i, step in enumerate(steps)),
        steps=tuple(steps),
        placements=placements,
        arena_size=max(selected.arena, 1),
        arena_align=ARENA_ALIGNMENT,
        arena_bound=selected.layout.bound,
        liveness_bound=_liveness_bound(optimized, aliases, layers),
        goals=goals,
        scratch_size=scratch_size,
        prefetch_at=next((p.offset for p in placements if p.tensor is None and p.name == BUFFERS), None),
        macs_of_file=sum(macs(graph, node) for node in graph.nodes),
        removed=_removed(optimized, [choices[0].node for choices in layers]),
    )


def trade_offs(graph: Graph, target: Target) -> list[TradeOff]:
    """The selections that no other beats in both arena and time, the fastest first.

    Raises:
        CompileError, GraphError: as compile_graph.
    """
    optimized, aliases, layers = _layers(graph, target, (), Goals())
    return [
        TradeOff(found.arena, found.time, sum(s.last - s.first + 1 for s in found.segments if s.last > s.first))
        for found in pareto_front(optimized, aliases, layers)
    ]


def _layers(
    graph: Graph, target: Target, prefer: Collection[str], goals: Goals
) -> tuple[Graph, Aliases, list[list[KernelChoice]]]:
    """The graph after the passes, its aliases, and the kernels of each of its layers."""
    optimized = optimize(graph)
    verify(optimized)
    aliases = find_aliases(optimized)
    nodes = [node for i, node in enumerate(optimized.nodes) if i not in aliases.elided]
    return optimized, aliases, [_choices(Context(optimized, node, target), prefer, goals) for node in nodes]


def _liveness_bound(graph: Graph, aliases: Aliases, layers: Sequence[Sequence[KernelChoice]]) -> int:
    """Bytes of tensors and states alive at once at the worst layer, of layers that are not fused."""
    uses = [choices[0].memory_use for choices in layers]
    values, _ = values_of(graph, [MemoryUse(use.reads, use.writes) for use in uses], aliases)
    return liveness_bound(values, len(layers))


def _choices(context: Context, prefer: Collection[str], goals: Goals) -> list[KernelChoice]:
    """The kernels that compute a node, fastest first; only the preferred ones if any applies."""
    found = choices(context, prefer)
    wanted = [choice for choice in found if type(choice.kernel).__name__ in prefer] or found
    free = replace(goals, max_arena=None, max_flash=None, prefetch=0)  # budgets are the whole network's
    target = replace(context.target, scratch_apart=False)  # their arenas are scratch
    within = [
        compile_graph(graph, core=target, prefer=prefer, goals=free) for graph in context.node.attrs.graphs
    ]
    if within:
        return [ControlChoice(context, choice.kernel, tuple(within)) for choice in wanted]
    return _smallest(wanted) if goals.compress and _has_few_bits(context) else wanted


def _has_few_bits(context: Context) -> bool:
    """Whether a layer has weights that take fewer bits than their type."""
    if not has(context.node, Trait.WEIGHTS):
        return False
    data = context.graph.tensors[context.node.inputs[1]].data
    return data is not None and in_few_bits(data)


def _smallest(found: list[KernelChoice]) -> list[KernelChoice]:
    """The kernels of a layer whose tables are about as small as the smallest: those that store weights in few bits."""
    most = _ABOUT * min(choice.constant_bytes for choice in found)
    return [choice for choice in found if choice.constant_bytes <= most]


def _layer(graph: Graph, index: int, step: LayerCode) -> Layer:
    first = step.nodes[0]
    sources = tuple(source for node in step.nodes for source in node.sources)
    ops = [graph.source_ops[s] for s in sources if s < len(graph.source_ops)]
    fused = list(ops) if ops else [node.op for node in step.nodes]
    # A DEPTHWISE_CONV_2D may be computed as a CONV_2D, a FULLY_CONNECTED as one of weights of run time.
    alike = (op for op in fused if op.endswith(first.op) or first.op.endswith(op))
    own = first.op if first.op in fused else next(alike, None)
    if own is not None:
        fused.remove(own)
    return Layer(
        index=index,
        name=f"{word(first.op) if len(step.nodes) == 1 else 'rows'}_{index:02d}",
        op=first.op,
        kernel=step.lowered.kernel,
        outputs=step.node.outputs,
        macs=sum(macs(graph, node) for node in step.nodes),
        scratch=step.lowered.scratch,
        sources=sources,
        fused=tuple(fused),
        hidden=len(step.nodes) - 1,
    )


def _placements(graph: Graph, values: Sequence[Value], offsets: Sequence[int]) -> list[ArenaPlacement]:
    """One placement for each tensor, state and scratch buffer; tensors with the same bytes have the same offset."""
    placements = []
    for value, offset in zip(values, offsets, strict=True):
        whole = ArenaPlacement(value.name, None, value.state, offset, value.size, value.first, value.last)
        if value.state is not None or not value.tensors:
            placements.append(whole)
        for tensor in value.tensors:
            placements.append(replace(whole, name=graph.tensors[tensor].name, tensor=tensor, state=None))
    return placements


def _removed(graph: Graph, nodes: Sequence[Node]) -> tuple[tuple[int, str, str], ...]:
    """(index in the file, operator, reason) of the operators of the file that no layer computes."""
    computed = {s for node in nodes for s in node.sources}
    reasons = dict(graph.removed)
    aliased = {s for node in graph.nodes for s in node.sources} - computed
    return tuple(
        (
            index,
            op,
            reasons.get(index, "same bytes under another shape" if index in aliased else "resolved at compile time"),
        )
        for index, op in enumerate(graph.source_ops)
        if index not in computed
    )
