"""Which tensors share bytes, and from which layer to which each must be kept.

Tensors that hold the same bytes (a RESHAPE, a variable read and not yet assigned) are one value. A value that is part
of another's bytes lies inside it at a fixed distance. A layer may write over what it reads for the last time as far as
its kernel's order of accesses allows: how far is kept per pair of values, and used by the planner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.compiler.memory.overlap import Overlap
from harness.ir.aliases import Aliases, Key, state_key
from harness.ir.graph import ABSENT, Graph


@dataclass(frozen=True)
class Value:
    """Bytes that must be kept from layer `first` to layer `last` (-1: before the first, len(layers): to the end).

    Attributes:
        tensors: tensor ids that have exactly these bytes; empty for scratch.
        state: index of the variable that it is, or None.
        inside: index of the value among whose bytes this one's are, or None.
        at: bytes from the first byte of the outermost value that this one lies in; 0 when it lies in none.
    """

    name: str
    size: int
    first: int
    last: int
    tensors: tuple[int, ...] = ()
    state: int | None = None
    inside: int | None = None
    at: int = 0


@dataclass(frozen=True)
class Use:
    """What a layer means for the arena.

    Attributes:
        reads, writes: tensor ids, constants among the reads.
        scratch: bytes of each buffer that exists while the layer runs.
        overlaps: (tensor written, tensor read) -> how they may share bytes if this is the last use of the one read.
    """

    reads: tuple[int, ...]
    writes: tuple[int, ...]
    scratch: tuple[int, ...] = ()
    overlaps: Mapping[tuple[int, int], Overlap] = field(default_factory=dict)


def scratch_name(layer: int, number: int = 0) -> str:
    """Name of a layer's scratch buffer."""
    return f"scratch of layer {layer}" + (f", {number}" if number else "")


def values_of(graph: Graph, uses: Sequence[Use], views: Aliases) -> tuple[list[Value], dict[tuple[int, int], Overlap]]:
    """Every value with its lifetime, scratch last; and which pairs may share bytes (value written, value read)."""
    end = len(uses)
    spans: dict[Key, list[int]] = {state_key(i): [-1, end] for i in range(len(graph.states))}

    def touch(tensor: int, layer: int) -> None:
        if tensor != ABSENT and graph.tensors[tensor].data is None:
            span = spans.setdefault(views.bytes_of(tensor), [layer, layer])
            span[0], span[1] = min(span[0], layer), max(span[1], layer)

    for tensor in graph.inputs:
        touch(tensor, -1)
    for layer, use in enumerate(uses):
        for tensor in (*use.reads, *use.writes):
            touch(tensor, layer)
    for tensor in graph.outputs:
        touch(tensor, end)
    _connect(views, spans)
    members: dict[Key, list[int]] = {}
    for node in graph.nodes:
        for tensor in (*node.inputs, *node.outputs):
            if tensor != ABSENT and graph.tensors[tensor].data is None:
                held = members.setdefault(views.bytes_of(tensor), [])
                held += [] if tensor in held else [tensor]
    for tensor in graph.inputs:
        members.setdefault(tensor, [tensor])
    number = {key: i for i, key in enumerate(spans)}
    values = []
    for key, (first, last) in spans.items():
        root, at = views.place_of(key)
        inside = None if root == key else number[root]
        values.append(_value(graph, key, first, last, tuple(members.get(key, ())), inside, at))
    for layer, use in enumerate(uses):
        values += [Value(scratch_name(layer, i), size, layer, layer) for i, size in enumerate(use.scratch)]
    return values, _overlaps(views, uses, number, values)


def _connect(views: Aliases, spans: dict[Key, list[int]]) -> None:
    """Lifetimes of wholes and parts joined without a gap, in which their bytes would be free."""
    for join in views.joins:
        # the whole exists from when its last part is written; until then every part must
        begins = max(spans[part][0] for part in join.parts)
        whole = spans.setdefault(join.whole, [begins, begins])
        whole[0] = begins
        whole[1] = max(whole[1], begins)
        for part in join.parts:
            spans[part][1] = max(spans[part][1], begins)
    joined = {part for join in views.joins for part in join.parts}
    for part in views.part:
        if part not in joined and part in spans:
            whole_key = views.part[part][0]
            while whole_key not in spans:
                whole_key = views.part[whole_key][0]
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
    views: Aliases, uses: Sequence[Use], number: Mapping[Key, int], values: Sequence[Value]
) -> dict[tuple[int, int], Overlap]:
    """Of each layer the pairs of a value that it writes and a value that nobody needs afterwards."""
    found: dict[tuple[int, int], Overlap] = {}
    for layer, use in enumerate(uses):
        for (written, read), overlap in use.overlaps.items():
            if views.bytes_of(read) not in number:
                continue  # a constant, which is not in the arena
            over, under = number[views.bytes_of(written)], number[views.bytes_of(read)]
            if over != under and values[over].first == layer == values[under].last:
                known = found.get((over, under))
                found[over, under] = overlap if known is None else known.both(overlap)
    return found


def liveness_bound(values: Sequence[Value], end: int) -> int:
    """Bytes alive at once at the worst moment, scratch left out: no placement without overlap needs less."""
    most = 0
    for time in range(-1, end + 1):
        spans: dict[int, list[tuple[int, int]]] = {}
        for i, v in enumerate(values):
            if v.first <= time <= v.last and (v.tensors or v.state is not None):
                root = i if v.inside is None else v.inside
                spans.setdefault(root, []).append((v.at, v.at + v.size))
        most = max(most, sum(covered(parts) for parts in spans.values()))
    return most


def covered(spans: Sequence[tuple[int, int]]) -> int:
    """Bytes in at least one of the spans (start, end)."""
    total, end = 0, None
    for start, stop in sorted(spans):
        start = start if end is None else max(start, end)
        total += max(stop - start, 0)
        end = stop if end is None else max(end, stop)
    return total
