"""Vectors per second over each link, and what the harness adds to a vector beside emulation."""

from __future__ import annotations

import time

import numpy as np
from rich.console import Console

from harness import frontends
from harness.boards import load_boards, open_session, resolve
from harness.boards.session import open_client
from harness.build import BuildOptions, build_image
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import Package, emit
from harness.ir.graph import Graph, NoAttrs, Node, Tensor
from harness.quantization.types import DType, Quantization
from tests.bench.common import some_model, table

BOARD = "mps2-an500"
VECTORS = 100


def run(console: Console) -> None:
    """Print a row per link and model."""
    graph = frontends.load(some_model())
    packages = [emit(compile_graph(graph, core="cortex-m7")), _idle(graph)]
    made = table(
        f"Link, {VECTORS} vectors on {BOARD}",
        *("link", "model", "bytes in/out", "vectors/s", "ms/vector", "of it waiting for device and line", "harness"),
    )
    for link in ("uart", "fast"):
        image = build_image(packages, load_boards()[BOARD], BuildOptions(link=link))
        with open_session(resolve(BOARD), image) as session:
            client = open_client(session, image)
            for index, package in enumerate(packages):
                tensors = package.plan.graph.tensors
                sizes = [tensors[t].bytes for t in package.plan.graph.inputs]
                data = [np.zeros(size, np.uint8).tobytes() for size in sizes]
                client.init(index, 1)
                client.infer(data)
                waited, start = session.line_seconds, time.perf_counter()
                for _ in range(VECTORS):
                    client.infer(data)
                wall = 1000 * (time.perf_counter() - start) / VECTORS
                device = 1000 * (session.line_seconds - waited) / VECTORS
                out = sum(tensors[t].bytes for t in package.plan.graph.outputs)
                cells = [f"{1000 / wall:,.0f}", f"{wall:.2f}", f"{device:.2f}", f"{wall - device:.2f}"]
                made.add_row(link, package.plan.name, f"{sum(sizes)}/{out}", *cells)
    console.print(made)
    console.print("  'idle' computes nothing on the same input: its ms/vector is the whole overhead beside the model.")


def _idle(like: Graph) -> Package:
    """A model with the same inputs whose only work is to look up 12 bytes: what is left is the link."""
    quant = Quantization((0.1,), (0,))
    inputs = [like.tensors[t] for t in like.inputs]
    small = Tensor("small", (1, 12), DType.INT8, quant)
    made = Tensor("made", (1, 12), DType.INT8, quant)
    data = Tensor("data", (1, 12), DType.INT8, quant, np.arange(12, dtype=np.int8).reshape(1, 12))
    tensors = (*inputs, small, made, data)
    n = len(inputs)
    copied = Node("RESHAPE", (n + 2,), (n,), NoAttrs())
    graph = Graph("idle", tensors, (copied, Node("LOGISTIC", (n,), (n + 1,), NoAttrs())), tuple(range(n)), (n + 1,))
    return emit(compile_graph(graph, core="cortex-m7", name="idle"))
