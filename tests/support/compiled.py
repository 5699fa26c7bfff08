"""Many random graphs in one image, each held against the specification on a board."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from harness.boards import load_boards, open_session, resolve
from harness.boards.session import open_client
from harness.build import BuildOptions, build_image
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.compiler.goals import MODES, Goals, Mode
from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.ir.interpreter import run
from harness.quantization.types import Array
from harness.validate.measurement import measure
from tests.support.generated import KINDS, random_graph, random_inputs

VECTORS = 3
TOGETHER = 200
"""Graphs of an image: of many more, weights do not fit a board's flash."""


def random_graphs(seed: int, count: int) -> list[Graph]:
    """Graphs of every kind in turn, those of the next seed from where these end."""
    rng = np.random.default_rng(seed)
    return [random_graph(rng, op=KINDS[(seed * count + i) % len(KINDS)]) for i in range(count)]


def assert_same_bits(ours: Array, theirs: Array, where: str) -> None:
    """Equal, zeros of the same sign; what is no number has many forms, which cores choose from."""
    np.testing.assert_array_equal(ours, theirs, err_msg=where)
    if ours.dtype == np.float32:
        numbers = ~np.isnan(theirs)
        np.testing.assert_array_equal(np.signbit(ours)[numbers], np.signbit(theirs)[numbers], f"signs of {where}")


def check_on_board(
    graphs: list[Graph],
    board_name: str,
    *,
    sanitize: bool = False,
    prefer: Collection[str] = (),
    target: Target | None = None,
    odd: float = 0.0,
    prefetch: int = 0,
    modes: Sequence[Mode] = MODES,
) -> int:
    """Run every graph on a board, a few vectors each, states carried on; returns how many inferences were compared.

    Graphs are compiled for `modes` in turn.

    `prefer` are class names of kernels to take wherever they apply. `target` is what to compile for, where that is not
    the board's core alone. `odd` is the share of inputs that are odd floats. `prefetch`: bytes of buffers for weights.

    Outputs and every layer's outputs must equal the specification's on every byte.
    """
    if len(graphs) > TOGETHER:
        parts = [graphs[first : first + TOGETHER] for first in range(0, len(graphs), TOGETHER)]
        options = {"sanitize": sanitize, "prefer": prefer, "target": target, "odd": odd, "prefetch": prefetch}
        return sum(check_on_board(part, board_name, **options, modes=modes) for part in parts)
    board = load_boards()[board_name]
    packages = [
        emit(
            compile_graph(
                graph,
                core=target or board.core,
                name=f"g{i:03d}_{graph.name}",
                prefer=prefer,
                goals=Goals(modes[(i + i // len(KINDS)) % len(modes)], prefetch=prefetch),
            )
        )
        for i, graph in enumerate(graphs)
    ]
    image = build_image(packages, board, BuildOptions(link="fast", sanitize=sanitize, unity=True))
    compared = 0
    with open_session(resolve(board_name), image) as session:
        client = open_client(session, image)
        for seed, (graph, package) in enumerate(zip(graphs, packages, strict=True)):
            vectors = random_inputs(graph, np.random.default_rng(seed), VECTORS, odd)
            measured = measure(session, image, package, vectors, layers=True, profile=False, client=client)
            # Every byte that was planned is written: none too many for the layers, none for their scratch. Of graphs
            # within nodes some may not run, or not read what they are given.
            branches = any(node.attrs.graphs for node in graph.nodes)
            assert measured.arena_high == package.plan.arena_size or branches, package.plan.name
            assert measured.arena_high <= package.plan.arena_size, package.plan.name
            states = None
            for number, vector in enumerate(vectors):
                wanted = run(graph, vector, states)
                states = wanted.states
                by_source = {tensor.source: tensor.data for tensor in graph.tensors if tensor.data is not None}
                by_source |= {graph.tensors[index].source: values for index, values in wanted.tensors.items()}
                described = f"{package.plan.name} ({', '.join(n.op for n in graph.nodes)}), vector {number}"
                for ours, theirs in zip(measured.outputs[number], wanted.outputs, strict=True):
                    assert_same_bits(ours, theirs, described)
                layers = measured.layer_outputs[number]
                for layer, outputs in zip(package.plan.layers, layers, strict=True):
                    for tensor, ours in zip(layer.outputs, outputs, strict=True):
                        source = package.plan.graph.tensors[tensor].source
                        if source is not None:
                            theirs = package.plan.graph.tensors[tensor].left_of(by_source[source])
                            assert_same_bits(ours, theirs, f"{described}, layer {layer.name}")
                compared += 1
    return compared
