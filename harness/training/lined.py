"""Int8 networks in which every channel that can is requantized by a line: what they cost follows from their shape."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.fit.lines import with_lines
from harness.frontends.tflite.origin import ORIGIN, origin_note
from harness.frontends.tflite.reader import load
from harness.frontends.tflite.writer import write
from harness.ir.graph import Graph
from harness.ptq.quantizer import QuantizedModel
from harness.training.data import TrainingData
from harness.training.export import SCHEME, VECTORS, float_graph, int8_of
from harness.training.headroom import with_headroom

_ROUNDS = 4
"""Most quantizations until no channel is too large."""


def lined(graph: Graph, data: TrainingData, *, scheme: str = SCHEME, vectors: int = VECTORS) -> QuantizedModel:
    """A float graph in int8, so that it runs as fast as its shape says.

    Raises:
        ScalesError: as of int8_of.
    """
    for _ in range(_ROUNDS):
        made = int8_of(graph, data, scheme=scheme, vectors=vectors)
        changed = with_headroom(graph, made.graph)
        if changed is graph:
            break
        graph = changed  # smaller channels may leave a smaller scale of all outputs, for which others are large
    better = with_lines(made.graph)
    if all(one is other for one, other in zip(better.tensors, made.graph.tensors, strict=True)):
        return made
    file = write(better, {ORIGIN: origin_note(made.file, graph.name).encode()})
    return replace(made, file=file, graph=load(file, name=graph.name))


def lined_model(
    module: Any, data: TrainingData, *, name: str = "network", scheme: str = SCHEME, vectors: int = VECTORS
) -> QuantizedModel:
    """A torch module in int8, so that it runs as fast as its shape says.

    Raises:
        UnsupportedModelError, ScalesError: as of float_graph and int8_of.
    """
    return lined(float_graph(module, data.shape, name), data, scheme=scheme, vectors=vectors)
