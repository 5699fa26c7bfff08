"""Lifetimes: the values that lie in the arena, and from which layer to which each must be kept.

Tensors with the same bytes (harness/ir/aliases.py) are one value. A value that is part of another lies inside it at a
fixed distance. A layer may overwrite what it reads for the last time as far as its kernel's access order allows: how
far is kept by pair of values, for the allocation (arena.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from harness.compiler.memory.overlap import Overlap
from harness.compiler.plan import Plan
from harness.ir.aliases import Aliases, Key, state_key
from harness.ir.graph import ABSENT, ArenaPlace, Graph

ALIGNMENT = 4
"""Every offset in the arena is a multiple of this many bytes."""

BLOCK_ALIGNMENT = 16
"""The same of the blocks that nodes place their tensors in."""


@dataclass(frozen=True)
class Value:
    """Bytes that must be kept from layer `first` to layer `last` (-1: before the first, len(layers): to the end).

    Attributes:
        name: of a tensor, state or scratch buffer.
        size: in bytes.
        tensors: ids of the tensors with exactly these bytes; empty for scratch.
        state: index of the graph's state with these bytes, or None.
        inside: index of the outermost value that this one is part of, or None.
        at: bytes from the first byte of that value; 0 for one that is no part.
        align: the outermost value begins at a multiple of this.
    """

    name: str
    size: int
    first: int
    last: int
    tensors: tuple[int, ...] = ()
    state: int | None = None
    inside: int | None = None
    at: int = 0
    align: int = ALIGNMENT


@dataclass(frozen=True)
class MemoryUse:
    """The memory that a layer reads, writes and needs.

    Attributes:
        reads, writes: tensor ids, constants among the reads.
        scratch: bytes of each buffer that exists while the layer runs.
        overlaps: (tensor written, tensor read) -> how they may share bytes where the layer reads it for the last time.
        blocks: number of a block of the graph -> first byte of it that the layer works in, and the byte after the last.
    """

    reads: tuple[int, ...]
    writes: tuple[int, ...]
    scratch: tuple[int, ...] = ()
    overlaps: Mapping[tuple[int, int], Overlap] = field(default_factory=dict)
    blocks: Mapping[int, tuple[int, int]] = field(default_factory=dict)


def scratch_name(layer: int, number: int = 0) -> str:
    """Name of a layer's scratch buffer."""
    return f"scratch of layer {layer}" + (f", {number}" if number else "")


def block_name(layer: int, block: int) -> str:
    """Name of what a layer works in of a block of the graph."""
    return f"region {block} of layer {layer}"


def base_offset(plan: Plan, layer: int, tensor: int | None = None) -> int:
    """Where a tensor, or without one a layer's scratch buffer, begins in the arena of a plan, in bytes.

    Scratch apart from the arena is one layer's at a time, and begins at 0.
    """
    if tensor is not None:
        return plan.placement_of(tensor).offset
    return 0 if plan.scratch_apart else _offset_of(plan, scratch_name(layer))


def block_offset(plan: Plan, layer: int, block: int) -> int:
    """Where a block of the graph that a layer works in begins in the arena of a plan, in bytes."""
    start, _ = plan.steps[layer].node.attrs.blocks[block]
    return _offset_of(plan, block_name(layer, block)) - start


def _offset_of(plan: Plan, name: str) -> int:
    return next(p.offset for p in plan.placements if p.tensor is None and p.state is None and p.name == name)


def values_of(
    graph: Graph, uses: Sequence[MemoryUse], aliases: Aliases
) -> tuple[list[Value], dict[tuple[int, int], Overlap]]:
    """Every value with its lifetime, scratch last; and (value written, value read) -> how they may share bytes."""
    end = len(uses)
    spans: dict[Key, list[int]] = {state_key(i): [-1, end] for i in range(len(graph.states))}

    def touch(tensor: int, layer: int) -> None:
        if tensor != ABSENT and graph.tensors[tensor].data is None:
            span = spans.setdefault(aliases.bytes_of(tensor), [layer, layer])
            span[0], span[1] = min(span[0], layer), max(span[1], layer)

    for tensor in graph.inputs:
        touch(tensor, -1)
    for layer, use in enumerate(uses):
        for tensor in (*use.reads, *use.writes):
            touch(tensor, layer)
    for tensor in graph.outputs:
        touch(tensor, end)
    _connect(aliases, spans)
    members: dict[Key, list[int]] = {}
    for node in graph.nodes:
        for tensor in (*node.inputs, *node.outputs):
            if tensor != ABSENT and graph.tensors[tensor].data is None:
                held = members.setdefault(aliases.bytes_of(tensor), [])
                held += [] if tensor in held else [tensor]
    for tensor in graph.inputs:
        members.setdefault(tensor, [tensor])
    number = {key: i for i, key in enumerate(spans)}
    values = []
    for key, (first, last) in spans.items():
        root, at = aliases.place_of(key)
        inside = None if root == key else number[root]
        values.append(_value(graph, key, first, last, tuple(members.get(key, ())), inside, at))
    for layer, use in enumerate(uses):
        values += [Value(scratch_name(layer, i), size, layer, layer) for i, size in enumerate(use.scratch)]
    return _with_blocks(graph, uses, number, values), _overlaps(aliases, uses, number, values)


def _with_blocks(
    graph: Graph, uses: Sequence[MemoryUse], number: Mapping[Key, int], values: Sequence[Value]
) -> list[Value]:
    """The values, those with places inside of blocks, and what layers work in of these.

    The blocks' own layout lets some of them share bytes: it is the model's, and its tensors live as long as there.
    """
    found = list(values)
    first: dict[int, int] = {}
    placed: dict[Key, ArenaPlace] = dict(graph.places().items())
    placed.update({state_key(i): place for i, place in graph.state_places().items()})
    for key, place in placed.items():
        if key in number:
            i = number[key]
            root = first.setdefault(place.block, i)
            found[i] = replace(found[i], inside=root, at=place.offset, align=BLOCK_ALIGNMENT)
    for layer, use in enumerate(uses):
        for block, (start, stop) in use.blocks.items():
            name, root = block_name(layer, block), first.setdefault(block, len(found))
            found.append(Value(name, stop - start, layer, layer, inside=root, at=start, align=BLOCK_ALIGNMENT))
    return found


def _connect(aliases: Aliases, spans: dict[Key, list[int]]) -> None:
    """Extends the lifetimes of wholes and parts so that no gap is between them in which others could have the bytes."""
    for concat in aliases.concats:
        # The whole begins when its last part is written; every part must be kept until then.
        begins = max(spans[part][0] for part in concat.parts)
        whole = spans.setdefault(concat.whole, [begins, begins])
        whole[0] = begins
        whole[1] = max(whole[1], begins)
        for part in concat.parts:
            spans[part][1] = max(spans[part][1], begins)
    joined = {part for concat in aliases.concats for part in concat.parts}
    for part in aliases.part:
        if part not in joined and part in spans:
            whole_key = aliases.part[part][0]
            while whole_key not in spans:
                whole_key = aliases.part[whole_key][0]
            spans[part][0] = min(spans[part][0], spans[whole_key][0])


def _value(
    graph: Graph, key: Key, first: int, last: int, tensors: tuple[int, ...], inside: int | None, at: int
) -> Value:
    if isinstance(key, str):
        number = int(key.split()[1])
        state = graph.states[number]
        return Value(state.name, state.bytes, first, last, tensors, number, inside, at)
    tensor = graph.tensors[key]
    return Value(tensor.name, tensor.bytes, first, last, tensors, None, inside, at)


def _overlaps(
    aliases: Aliases, uses: Sequence[MemoryUse], number: Mapping[Key, int], values: Sequence[Value]
) -> dict[tuple[int, int], Overlap]:
    """Of each layer the pairs of a value that it writes first and a value that it reads last."""
    found: dict[tuple[int, int], Overlap] = {}
    for layer, use in enumerate(uses):
        for (written, read), overlap in use.overlaps.items():
            if aliases.bytes_of(read) not in number:
                continue  # a constant, which is not in the arena
            over, under = number[aliases.bytes_of(written)], number[aliases.bytes_of(read)]
            if over != under and values[over].first == layer == values[under].last:
                known = found.get((over, under))
                found[over, under] = overlap if known is None else known.both(overlap)
    return found


def liveness_bound(values: Sequence[Value], end: int) -> int:
    """Most bytes alive at once, scratch left out: the lower bound of layouts in which no two values overlap."""
    most = 0
    for time, alive in alive_by_layer(values):
        spans: dict[int, list[tuple[int, int]]] = {}
        for i in alive:
            v = values[i]
            if time <= end and (v.tensors or v.state is not None):
                root = i if v.inside is None else v.inside
                spans.setdefault(root, []).append((v.at, v.at + v.size))
        most = max(most, sum(union_size(parts) for parts in spans.values()))
    return most


def alive_by_layer(values: Sequence[Value]) -> Iterator[tuple[int, list[int]]]:
    """(layer, indices of the values alive then), of each layer at which a value begins: only there more are alive."""
    order = sorted((i for i, v in enumerate(values) if v.first <= v.last), key=lambda i: values[i].first)
    alive: list[int] = []
    for time, begun in groupby(order, key=lambda i: values[i].first):
        alive = [i for i in alive if values[i].last >= time] + list(begun)
        yield time, alive


def union_size(spans: Sequence[tuple[int, int]]) -> int:
    """Bytes in the union of the spans (start, end)."""
    total, end = 0, None
    for start, stop in sorted(spans):
        start = start if end is None else max(start, end)
        total += max(stop - start, 0)
        end = stop if end is None else max(end, stop)
    return total
