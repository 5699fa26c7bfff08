"""Vectors per second over each link, what they cost on the line, and what the harness adds beside emulation.

Layers are looked at in three ways: not at all, by fetching all that they write, and by comparing it on the device.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from rich.console import Console

from harness import frontends
from harness.boards import Session, load_boards, open_session, resolve
from harness.build import BuildOptions, Image, build_image
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import Package, emit
from harness.ir.graph import Graph, NoAttrs, Node, Tensor
from harness.link.client import Client
from harness.link.compare import ExpectedLayers
from harness.quantization.types import DType, Quantization
from tests.bench.common import some_model, table
from tests.support.counting import BITS, Counting

BOARD = "mps2-an500"
VECTORS = {"none": 100, "fetched": 10, "compared": 50}
BAUDS = (115_200, 921_600)


def run(console: Console) -> None:
    """Print a row per link, model and way of looking at layers."""
    graph = frontends.load(some_model())
    packages = [emit(compile_graph(graph, core="cortex-m7")), _idle(graph)]
    made = table(
        f"Link, vectors on {BOARD}",
        *("link", "model", "layers", "vectors/s", "ms", "device", "harness", "requests", "to", "from"),
        *(f"{baud:,}" for baud in BAUDS),
    )
    for link in ("uart", "fast"):
        image = build_image(packages, load_boards()[BOARD], BuildOptions(link=link))
        with open_session(resolve(BOARD), image) as session:
            for index, package in enumerate(packages):
                for way in VECTORS:
                    made.add_row(link, package.plan.name, way, *_measured(session, image, index, package, way))
    console.print(made)
    console.print("  By vector: ms in all, of it waiting for device and line, and the harness's own; bytes to and from")
    console.print("  the device, and ms that a line of so many baud takes for them: 10 bits a byte, each way in turn.")
    console.print("  'idle' computes nothing on the same input: its ms are the whole overhead beside the model.")


def _measured(session: Session, image: Image, index: int, package: Package, way: str) -> Sequence[str]:
    """Cells of one row."""
    tensors = package.plan.graph.tensors
    data = [np.zeros(tensors[t].bytes, np.uint8).tobytes() for t in package.plan.graph.inputs]
    line = Counting(session.stream())
    client = Client(line)
    client.hello(image.build_id)
    client.init(index, 1)
    client.infer(data)
    expected = _written(client, data) if way == "compared" else None
    count = VECTORS[way]
    sent, received, requests = line.sent, line.received, line.requests.total()
    waited, start = session.line_seconds, time.perf_counter()
    for _ in range(count):
        client.infer(data, layers=way != "none", expected=expected)
    wall = 1000 * (time.perf_counter() - start) / count
    device = 1000 * (session.line_seconds - waited) / count
    to, back = (line.sent - sent) / count, (line.received - received) / count
    return (
        *(f"{1000 / wall:,.0f}", f"{wall:.2f}", f"{device:.2f}", f"{wall - device:.2f}"),
        *(f"{(line.requests.total() - requests) / count:,.0f}", f"{to:,.0f}", f"{back:,.0f}"),
        *(f"{1000 * BITS * (to + back) / baud:,.1f}" for baud in BAUDS),
    )


def _written(client: Client, data: Sequence[bytes]) -> ExpectedLayers:
    """What the layers write for this input."""
    made = client.infer(data, layers=True).layer_outputs
    assert made is not None
    return made


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
