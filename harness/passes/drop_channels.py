"""Removes channels that are constant or unused, and the weights that compute and read them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.ir.graph import Graph
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.passes.channel_cut import cut_channels
from harness.passes.channel_use import kept_channels
from harness.passes.channel_values import Known, known_channels
from harness.passes.fold_constants import fold_constants
from harness.passes.remove_dead import remove_dead
from harness.passes.rewrite import with_tensors, without
from harness.quantization.types import Array


def drop_channels(graph: Graph) -> Graph:
    """The graph without channels that are constant or never read, repeated until no more are found.

    Tensors of which all channels are constant become constants; in the others `kept` lists the channels left.
    """
    while True:
        graph = remove_dead(_constant_tensors(graph))
        known = known_channels(graph)
        kept = kept_channels(graph, known)
        if kept.everything:
            return graph
        graph = cut_channels(graph, known, kept)


def _constant_tensors(graph: Graph) -> Graph:
    """The graph with tensors of which all channels are constant as constants."""
    while True:
        known = known_channels(graph)
        found = [
            i
            for i, node in enumerate(graph.nodes)
            if not has(node, Trait.WRITES_STATE) and all(known[t].all for t in node.outputs)
        ]
        if not found:
            return graph
        made = {t: known[t] for i in found for t in graph.nodes[i].outputs}
        graph = with_tensors(graph, {t: replace(graph.tensors[t], data=_full(graph, t, k)) for t, k in made.items()})
        graph = fold_constants(without(graph, found, "constant, computed at compile time"))


def _full(graph: Graph, tensor: int, known: Known) -> Array:
    data = np.broadcast_to(known.values, graph.tensors[tensor].shape or (1,)).reshape(graph.tensors[tensor].shape)
    made = np.ascontiguousarray(data).reshape(graph.tensors[tensor].shape)
    made.setflags(write=False)
    return made
