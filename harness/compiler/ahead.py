"""Weights copied ahead of their use into RAM, part by part, by a hook of the firmware (NAME_prefetch in NAME.h).

A fully connected layer of one row reads its weights once, and waits for flash. Where it is asked for, such layers are
computed a few output channels at a time, and while one part is computed the weights of the next, of this layer or of
the one after it, are copied into the other of two buffers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.compiler.choice import KernelChoice
from harness.compiler.cost.model import cost_of
from harness.compiler.plan import KernelUse, LayerCode, Plan
from harness.hardware.target import Target
from harness.ir.graph import Graph, Node, Tensor
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.kernels.base import Argument, At, Call, ConstantTable, Kernel, Lowered, Out
from harness.kernels.context import Context

BLOCK = 4
"""Output channels of a part are a multiple of this, as kernels take so many at once."""

LEAST = 1024
"""Bytes of weights that are worth a copy."""

HEADER = 16
"""Bytes before the two buffers, of which the first four say which copy was started."""

WORD_CYCLES = 1
"""Modelled cycles in which a DMA controller copies a word, beside what its memory takes."""


@dataclass(frozen=True)
class AheadTable(ConstantTable):
    """A table of weights that is copied ahead of its use; `number` of the copy in the order of the network."""

    number: int = 0


def with_weights_ahead(steps: Sequence[LayerCode], room: int) -> tuple[list[LayerCode], set[int]]:
    """The layers, with weights copied ahead where they are read once.

    Args:
        steps: of the network, in order.
        room: bytes of each of the two buffers.

        A room of 0 leaves all in place.

    Returns:
        The layers, and the numbers of those whose parts read the input again when outputs are written.
    """
    made: list[LayerCode] = []
    again: set[int] = set()
    number = 0
    for index, step in enumerate(steps):
        parts = _parts(step, room)
        if not parts:
            made.append(step)
            continue
        made.append(_joined(step, parts, number))
        number += len(parts)
        if len(parts) > 1:
            again.add(index)
    return made, again


def copies(steps: Sequence[LayerCode]) -> list[AheadTable]:
    """The tables that are copied ahead, in order."""
    arguments = (a for step in steps for call in step.lowered.calls for a in call.arguments)
    return [argument for argument in arguments if isinstance(argument, AheadTable)]


def buffers_of(tables: Sequence[AheadTable]) -> tuple[int, int]:
    """(bytes from the first buffer to the second, bytes of the arena that both take with the header).

    Copies take turns: the buffers are as large as the largest of theirs.
    """
    sizes = [table.data.nbytes for table in tables]
    second = -(-max(sizes[::2], default=0) // HEADER) * HEADER
    return second, HEADER + (second + max(sizes[1::2]) if len(sizes) > 1 else max(sizes, default=0))


@dataclass(frozen=True)
class AheadEstimate:
    """Expected modelled cycles of an inference.

    Attributes:
        cycles: with copies that run beside the core.
        without: of the same layers reading their weights in place.
        waited: of `cycles` those that the core waits for copies.
    """

    cycles: float
    without: float
    waited: float


def estimate_ahead(plan: Plan, target: Target) -> AheadEstimate:
    """What copies save on a target: a copy begins when the part before its own does, and takes its memory's time."""
    beside = replace(target, weights=None)
    total = without = waited = 0.0
    begun = done = 0.0
    copied = 0
    tables = copies(plan.steps)
    for step in plan.steps:
        plain = [use.times * cost_of(use.kernel, use.context).cycles for use in step.parts]
        without += step.overhead + sum(plain)
        if not copies([step]):
            total += step.overhead + sum(plain)
            continue
        for use in step.parts:
            done = begun + _copy_cycles(tables[copied].data.nbytes, target)
            waited += max(done - total, 0.0)
            total = begun = max(total, done)
            copied += 1
            total += cost_of(use.kernel, replace(use.context, target=beside)).cycles
    return AheadEstimate(total, without, waited)


def _copy_cycles(size: int, target: Target) -> float:
    waits = 0.0 if target.weights is None else target.weights.lines(size) * target.weights.load
    return waits + WORD_CYCLES * size / 4


def _parts(step: LayerCode, room: int) -> list[KernelChoice]:
    """A layer's output channels in parts whose weights a buffer holds; none where they are not copied."""
    if len(step.nodes) != 1 or len(step.parts) != 1 or not isinstance(step.node.attrs, FullyConnectedAttrs):
        return []
    context, kernel = step.context, step.kernel
    weights = context.graph.tensors[step.node.inputs[1]]
    out, depth = weights.shape[0], weights.shape[-1]
    rows = context.graph.tensors[step.node.outputs[0]].elements // out
    if weights.data is None or rows != 1 or out * depth < LEAST or not _is_plain(step.lowered):
        return []
    channels = out
    while channels >= BLOCK or channels == out:
        parts = _cut(context, kernel, channels)
        largest = max((_weights_of(part.lowered).data.nbytes for part in parts), default=0)
        if largest <= room:
            return parts
        channels = min(channels - 1, channels * room // largest) // BLOCK * BLOCK
    return []


def _is_plain(lowered: Lowered) -> bool:
    tables = [a for call in lowered.calls for a in call.arguments if isinstance(a, ConstantTable)]
    return bool(tables) and not lowered.repeats and not lowered.control


def _weights_of(lowered: Lowered) -> ConstantTable:
    """The largest table."""
    tables = (a for call in lowered.calls for a in call.arguments if isinstance(a, ConstantTable))
    return max(tables, key=lambda table: table.data.nbytes)


def _cut(context: Context, kernel: Kernel, channels: int) -> list[KernelChoice]:
    """The layer's parts of so many output channels each; none where the kernel does not compute one of them."""
    out = context.graph.tensors[context.node.inputs[1]].shape[0]
    parts = [_part(context, first, min(first + channels, out)) for first in range(0, out, channels)]
    found = [KernelChoice(part, kernel) for part in parts if kernel.applies(part)]
    return found if len(found) == len(parts) and all(_is_plain(one.lowered) for one in found) else []


def _part(context: Context, first: int, end: int) -> Context:
    """The layer's output channels `first` to before `end` as a layer."""
    tensors, node = list(context.graph.tensors), context.node
    for t in node.inputs[1:]:
        if t >= 0:
            tensors[t] = _channels(tensors[t], first, end)
    y = node.outputs[0]
    tensors[y] = replace(tensors[y], shape=(*tensors[y].shape[:-1], end - first), kept=None)
    graph: Graph = replace(context.graph, tensors=tuple(tensors))
    return Context(graph, node, context.target)


def _channels(tensor: Tensor, first: int, end: int) -> Tensor:
    assert tensor.data is not None
    quant = tensor.quant
    if quant is not None and len(quant.scales) > 1:
        quant = replace(quant, scales=quant.scales[first:end], zero_points=quant.zero_points[first:end])
    data = tensor.data[first:end]
    return replace(tensor, shape=data.shape, data=data, quant=quant, kept=None)


def _joined(step: LayerCode, parts: Sequence[KernelChoice], number: int) -> LayerCode:
    """The calls of all parts, one after the other."""
    calls: list[Call] = []
    channel = 0
    size = step.context.output().dtype.size
    for place, part in enumerate(parts):
        weights = _weights_of(part.lowered)
        for call in part.lowered.calls:
            assert isinstance(call, Call)
            moved = [_moved(a, weights, number + place, place, step.node, channel * size) for a in call.arguments]
            calls.append(replace(call, arguments=tuple(moved)))
        channel += part.context.output().shape[-1]
    uses = tuple(KernelUse(part.kernel, part.context) for part in parts)
    scratch = max(part.lowered.scratch for part in parts)
    return replace(step, parts=uses, lowered=Lowered(step.lowered.kernel, tuple(calls), scratch))


def _moved(argument: Argument, weights: ConstantTable, number: int, place: int, node: Node, offset: int) -> Argument:
    if argument is weights:
        return AheadTable(f"{place}_{weights.name}", weights.ctype, weights.data, weights.align, number)
    if isinstance(argument, ConstantTable):
        return replace(argument, name=f"{place}_{argument.name}")
    if isinstance(argument, Out):
        return At(node.outputs[0], offset, argument.ctype)
    return argument
