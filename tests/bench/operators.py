"""Every operator by element type: instructions per output element of the kernel that a core takes.

Layers are those of the property tests on inputs of the sizes that networks have, chosen by the operator's name: the
figures rank kernels, they are no record.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from rich.console import Console

from harness.boards import load_boards, open_session, resolve
from harness.boards.session import open_client
from harness.build import BuildOptions, build_image
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.compiler.goals import Goals
from harness.errors import TinyhilError
from harness.ir.graph import Graph
from harness.ir.operators import OPERATORS
from harness.ir.verifier import verify
from harness.quantization.types import DType
from harness.validate.measurement import measure
from tests.bench.common import table
from tests.bench.recurrent import BOARDS
from tests.support.builders import BUILDERS
from tests.support.draft import Draft
from tests.support.generated import random_inputs

SHAPES = ((1, 16, 12, 16), (1, 48, 32), (16, 48), (1, 640))
"""Of inputs; an operator takes the first that its builder does not refuse."""
FEWEST, TRIES, TOGETHER = 200, 30, 24
"""Elements of an output; layers that are drawn; layers of an image."""


@dataclass(frozen=True)
class Layer:
    """A layer of one operator, and how many elements it makes."""

    op: str
    dtype: DType
    graph: Graph
    elements: int


def run(console: Console) -> None:
    """Print a table of operators by core, the slowest last."""
    layers = [layer for op in BUILDERS for dtype in _types(op) if (layer := layer(op, dtype)) is not None]
    columns = [measured(board, layers) for board in BOARDS]
    cores = [load_boards()[board].core for board in BOARDS]
    made = table("Operators, instructions per output element", "operator", "type", "input", "kernels", *cores)
    for number in sorted(range(len(layers)), key=lambda i: columns[0][i][1] / layers[i].elements):
        layer, found = layers[number], [column[number] for column in columns]
        kernels = list(dict.fromkeys(kernel for kernel, _ in found if kernel))
        if kernels:
            cells = [layer.op, layer.dtype.value, shape(layer), "\n".join(kernels)]
            made.add_row(*cells, *(f"{ticks / layer.elements:.2f}" for _, ticks in found))
    console.print(made)


def shape(layer: Layer) -> str:
    node = layer.graph.nodes[0]
    return "x".join(map(str, layer.graph.tensors[node.inputs[0]].shape)) if node.inputs else ""


def _types(op: str) -> list[DType]:
    return list(dict.fromkeys(types.x for types in OPERATORS[op].types if types.x is not None))


def layer(op: str, dtype: DType) -> Layer | None:
    """A layer of one operator on elements of a type, or None where its builder makes none."""
    for seed in range(TRIES):
        for shape in SHAPES:
            draft = Draft(np.random.default_rng([zlib.crc32(op.encode()), seed]), zeros=0.0)
            try:
                x = draft.input(shape, dtype=dtype)
                BUILDERS[op](draft, x)
                graph = draft.finish(op.lower(), draft.nodes[-1].outputs)
                verify(graph)
            except (AssertionError, IndexError, KeyError, TypeError, ValueError, TinyhilError):
                continue
            (*more, node) = graph.nodes
            elements = sum(graph.tensors[t].elements for t in node.outputs)
            if not more and node.op == op and graph.tensors[node.inputs[0]].dtype is dtype and elements >= FEWEST:
                return Layer(op, dtype, graph, elements)
    return None


def measured(board_name: str, layers: list[Layer]) -> list[tuple[str, int]]:
    """(kernel, instructions) of each layer on a board."""
    board, found = load_boards()[board_name], []
    for first in range(0, len(layers), TOGETHER):
        packages = [
            emit(compile_graph(layer.graph, core=board.core, name=f"l{first + i}", goals=Goals("time")))
            for i, layer in enumerate(layers[first : first + TOGETHER])
        ]
        image = build_image(packages, board, BuildOptions(link="fast"))
        with open_session(resolve(board_name), image) as session:
            client = open_client(session, image)
            for package in packages:
                vectors = random_inputs(package.plan.graph, np.random.default_rng(0), 1)
                measured = measure(session, image, package, vectors, layers=False, profile=True, client=client)
                kernels = "+".join(layer.kernel for layer in package.plan.layers)
                found.append((kernels, sum(measured.layer_ticks or ())))
    return found
