"""Which activations have one scale, and which scale each has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.compression.stacks import Floats, Stacks
from harness.errors import InputError
from harness.ir.graph import Graph
from harness.ir.operators import operator_of
from harness.ir.operators.traits import Trait
from harness.ptq.kinds import Kinds
from harness.ptq.network import FLOAT, requantized_copy, roles
from harness.ptq.ranges import SAMPLE, quantization_of, range_of
from harness.ptq.scheme import RANGES
from harness.quantization.types import Quantization


class ScalesError(InputError):
    """No scales of integers hold the values before and behind an operator."""

    code = "quantize-scales"
    stage = "quantize"


@dataclass(frozen=True)
class _Group:
    """Tensors with one scale; `fixed` is what their producers demand, by tensor."""

    members: tuple[int, ...]
    fixed: Mapping[int, tuple[float, int]]


def separated(graph: Graph, kinds: Kinds) -> tuple[Graph, Kinds]:
    """The graph with copies where an operator whose output has a scale of its own meets tensors of another scale."""
    while True:
        meeting = _meeting(graph, kinds)
        if meeting is None:
            return graph, kinds
        tensor, reader = meeting
        kinds = kinds.with_tensor(len(graph.tensors), kinds.of(tensor))
        graph = requantized_copy(graph, tensor, {reader})


def _meeting(graph: Graph, kinds: Kinds) -> tuple[int, int] | None:
    """(tensor whose scale is fixed, a node of one scale that reads others beside it); None where there is none."""
    fixed: dict[int, tuple[float, int]] = {}
    for index, node in enumerate(graph.nodes):
        operator, own = operator_of(node), roles(graph, node)
        demanded = {t: operator.fixed_scales[kinds.of(t)] for t in own.made if kinds.of(t) in operator.fixed_scales}
        if demanded:
            fixed |= demanded
        elif operator.one_scale or operator.has(Trait.ONE_SCALE_IN):
            demands = {fixed.get(t) for t in own.data}
            if len(demands) > 1:
                return next(t for t in own.data if t in fixed), index
            demand = next(iter(demands), None)
            if demand is not None and operator.one_scale:
                fixed |= dict.fromkeys(own.made, demand)
    return None


def scales(graph: Graph, values: Stacks, method: str, kinds: Kinds) -> dict[int, Quantization]:
    """The quantization of every float activation, and of float constants that are no weights.

    Args:
        graph: as `separated` gives it.
        values: all float activations, as stacks.
        method: one of harness.ptq.scheme.RANGES.
        kinds: the type of each.
    """
    found: dict[int, Quantization] = {}
    for group in _groups(graph, kinds):
        dtype = kinds.of(group.members[0])
        if dtype is FLOAT:
            continue
        if group.fixed:
            scale, zero = next(iter(group.fixed.values()))
            quant = Quantization((scale,), (zero,))
        else:
            whole = all(graph.tensors[t].data is not None for t in group.members)  # constants have no outliers
            found_by = RANGES[0] if whole else method
            quant = quantization_of(*range_of(_sample(graph, group, values), found_by, dtype), dtype)
        found |= dict.fromkeys(group.members, quant)
    return found


def _sample(graph: Graph, group: _Group, values: Stacks) -> Floats:
    parts = []
    for t in group.members:
        stack = values[t] if t in values else graph.tensors[t].data
        flat = np.asarray(stack, np.float32).reshape(-1)
        if flat.size > SAMPLE:
            ends = np.array([flat.min(), flat.max()], np.float32)
            flat = np.concatenate([np.random.default_rng(0).choice(flat, SAMPLE, replace=False), ends])
        parts.append(flat)
    return np.concatenate(parts)


def _groups(graph: Graph, kinds: Kinds) -> list[_Group]:
    """All float tensors but weights and biases, joined where an operator does not requantize."""
    root: dict[int, int] = {}
    fixed: dict[int, tuple[float, int]] = {}

    def top(t: int) -> int:
        while root.setdefault(t, t) != t:
            t = root[t]
        return t

    for t in (*graph.inputs, *graph.outputs):
        if graph.tensors[t].dtype is FLOAT:
            top(t)
    for node in graph.nodes:
        operator, own = operator_of(node), roles(graph, node)
        together = (*own.data, *own.made)
        for t in together:
            top(t)
        alike = together if operator.one_scale else own.data if operator.has(Trait.ONE_SCALE_IN) else ()
        for t in alike[1:]:
            root[top(t)] = top(alike[0])
        fixed |= {t: operator.fixed_scales[kinds.of(t)] for t in own.made if kinds.of(t) in operator.fixed_scales}
    members: dict[int, list[int]] = {}
    for t in root:
        members.setdefault(top(t), []).append(t)
    return [_Group(tuple(group), {t: fixed[t] for t in group if t in fixed}) for group in members.values()]
