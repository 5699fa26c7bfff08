"""What is particular to models that run on an NPU: which boards have one, and what they are compared with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.build.progress import Progress
from harness.errors import OptionError, PlacementError
from harness.ir.graph import Graph
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.npu.compiling import accelerator_of_graph
from harness.quantization.types import Array
from harness.validate.reference import Reference, References

if TYPE_CHECKING:
    from harness.hardware.board import Board, Placement
    from harness.validate.running import Subject

SPECIFICATION = "spec"
"""The oracle that runs command streams: in our simulator."""


def check_npu(graph: Graph, board: Board, placement: Placement | None = None) -> None:
    """Refuses a board without the NPU that a graph wants, and memory that this does not reach.

    Raises:
        OptionError: it has none, or another.
        PlacementError: arena or weights lie elsewhere.
    """
    wanted = accelerator_of_graph(graph)
    if wanted is None:
        return
    if board.npu is None:
        raise OptionError(
            f"board {board.name} has no NPU", hint="run it on mps3-an547, or without --npu on the core alone"
        )
    if wanted not in board.npu.accelerators:
        there = ", ".join(board.npu.accelerators)
        raise OptionError(f"board {board.name} has no {wanted}", hint=f"compile for what it has: --npu {there}")
    placed = {} if placement is None else {"arena": placement.arena, "weights": placement.weights}
    for part, region in placed.items():
        if region not in board.npu.memory:
            reached = " or ".join(board.npu.memory)
            raise PlacementError(
                f"{part} in {region} of {board.name}, where its NPU does not reach",
                hint=f"--placement {part}={reached}",
            )


def reference_of(references: References, oracle: str, subject: Subject, tell: Progress) -> Reference:
    """The oracle's outputs of the model, with the tensors of the graph that runs.

    Of a graph that Vela made these are the specification's, but for tensors outside of the NPU that the model has, too.
    """
    model, graph, given = subject.model, subject.graph, subject.vectors
    reference = references.get(oracle, model, given, count=len(given), tensors=subject.compared, progress=tell)
    if graph is model or not subject.compared:
        return reference
    count = subject.compared
    own = references.get(SPECIFICATION, graph, given, count=count, tensors=count, progress=tell)
    shared = _shared(model, graph)
    rows = zip(own.tensors, reference.tensors, strict=True)
    names = f"{SPECIFICATION} and {oracle}" if shared else SPECIFICATION
    tensors = tuple(_merged(mine, theirs, shared) for mine, theirs in rows)
    return replace(reference, tensors=tensors, tensors_of=names)


def _merged(own: Mapping[int, Array], theirs: Mapping[int, Array], shared: Mapping[int, int]) -> dict[int, Array]:
    return {**own, **{t: theirs[other] for t, other in shared.items() if other in theirs}}


def _shared(model: Graph, graph: Graph) -> dict[int, int]:
    """Tensors of both files that operators of the core write: by name, shape and type, each once in either file."""

    def known(of: Graph) -> dict[object, int]:
        found = {t.source: (t.name, t.shape, t.dtype) for t in of.tensors if t.source is not None and t.data is None}
        times = Counter(found.values())
        return {key: source for source, key in found.items() if times[key] == 1}

    theirs = known(model)
    core = {t for node in graph.nodes if not has(node, Trait.PLACED) for t in node.outputs}
    written = {graph.tensors[t].source for t in core}
    return {source: theirs[key] for key, source in known(graph).items() if source in written and key in theirs}
