"""Layers over the space of shapes beside TFLM with CMSIS-NN, each core's: where ours take more instructions.

    python -m tests.bench shapes
    python -m tests.bench shapes --core cortex-m55 --op CONV_2D --layers 0

The layers are those of TFLM's record (harness/data/tflm): their shapes and parameters, with random weights. Ours are
compiled for time. Instructions are those that the cost model expects where it was fitted on the core and stays far
from TFLM's; all others are executed on the emulated core, and counted. Layers that TFLM computes wrongly on a core are
left out there. The record has no Cortex-M3.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from statistics import median

import numpy as np
from rich.console import Console

from harness.boards import load_boards, open_session, resolve
from harness.boards.session import open_client
from harness.build import BuildOptions, build_image
from harness.compiler.compile import compile_graph
from harness.compiler.cost.estimate import estimate_costs
from harness.compiler.emit.package import emit
from harness.compiler.goals import Goals
from harness.compiler.plan import Plan
from harness.tflm import records
from harness.tflm.layer import TflmLayer
from harness.validate.measurement import measure
from tests.bench.common import table
from tests.bench.shape_layers import graph_of
from tests.support.generated import random_inputs

BOARDS = {
    "cortex-m55": "mps3-an547",
    "cortex-m7": "mps2-an500",
    "cortex-m4": "mps2-an386",
    "cortex-m33": "mps2-an505",
}
LAYERS = 400
"""Of the record, spread evenly over it."""
CLEAR = 0.8
"""Expected instructions below this share of TFLM's are not counted."""
TOGETHER, LARGEST, MOST_MACS = 16, 120_000, 40_000_000
"""Layers of an image; bytes of a layer's tensors and weights; products of a layer: what emulators hold and do soon."""


@dataclass(frozen=True)
class Row:
    """A layer on a core.

    Attributes:
        seed: its place in the record.
        ours, theirs: instructions.
        counted: whether ours were executed.
    """

    seed: int
    layer: TflmLayer
    kernel: str
    ours: float
    theirs: int
    counted: bool

    @property
    def ratio(self) -> float:
        """Above 1 where TFLM with CMSIS-NN is faster."""
        return self.ours / self.theirs


def run(console: Console, arguments: Sequence[str] = ()) -> None:
    """Print a summary of each core, and every layer that takes more instructions than TFLM's."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench shapes", description=__doc__)
    parser.add_argument("--core", action="append", choices=list(BOARDS), help="only this core; may be repeated")
    parser.add_argument("--op", action="append", help="only this operator; may be repeated")
    parser.add_argument("--layers", type=int, default=LAYERS, help="how many; 0 for all of the record")
    parser.add_argument("--over", type=float, default=1.0, help="print layers of more than this ratio")
    options = parser.parse_args(list(arguments))
    seeds = _chosen(options.op, options.layers)
    for core in options.core or list(BOARDS):
        rows = _rows(core, [seed for seed in seeds if core not in records.layers()[seed].wrong])
        console.print(_summary(core, rows))
        console.print(_over(core, rows, options.over))


def title(layer: TflmLayer) -> str:
    """Operator, shapes and window of a layer, for a table."""
    x, y = ("x".join(map(str, shape[1:] if len(shape) > 1 else shape)) for shape in (layer.input(0), layer.output))
    kernel = layer.kernel or (layer.input(1)[1:3] if layer.op.endswith("CONV_2D") else ())
    words = [layer.op.removesuffix("_2D"), x]
    words += ["x".join(map(str, kernel))] if kernel else []
    words += [f"stride {'x'.join(map(str, layer.stride))}"] if max(layer.stride, default=1) > 1 else []
    words += [f"dilation {'x'.join(map(str, layer.dilation))}"] if max(layer.dilation, default=1) > 1 else []
    if layer.op == "CONV_2D" and layer.input(1)[3] != layer.input(0)[3]:
        words.append(f"{layer.input(0)[3] // layer.input(1)[3]} groups")
    if layer.op in ("ADD", "SUB", "MUL") and layer.input(1) != layer.input(0):
        words.append(f"with {'x'.join(map(str, layer.input(1)))}")
    return f"{' '.join(words)} to {y}"


def _chosen(ops: Sequence[str] | None, count: int) -> list[int]:
    """Places in the record."""
    found = []
    for seed, measured in enumerate(records.layers()):
        layer = measured.layer
        size = sum(map(prod, (shape for shape in (*layer.inputs, *layer.outputs) if shape)))
        weights = prod(layer.input(1)) if layer.op.endswith(("CONV_2D", "FULLY_CONNECTED")) else 0
        large = size > LARGEST or weights * prod(layer.output[:-1]) > MOST_MACS
        if large or (ops and layer.op not in ops):
            continue
        if graph_of(layer, seed) is not None:
            found.append(seed)
    if not count or count >= len(found):
        return found
    return [found[int(place)] for place in np.linspace(0, len(found) - 1, count)]


def _rows(core: str, seeds: Sequence[int]) -> list[Row]:
    workers = min(os.cpu_count() or 1, 2)
    with ProcessPoolExecutor(max_workers=workers) as pool:
        expected = list(pool.map(partial(_expected, core), seeds, chunksize=8))
        close = [row.seed for row, sure in expected if not sure]
        parts = [close[first : first + TOGETHER] for first in range(0, len(close), TOGETHER)]
        counted = {seed: ticks for part in pool.map(partial(_count, core), parts) for seed, ticks in part}
    return [
        replace(row, ours=counted[row.seed], counted=True) if row.seed in counted else row for row, _ in expected
    ]


def _plan(core: str, seed: int) -> Plan:
    graph = graph_of(records.layers()[seed].layer, seed)
    assert graph is not None
    return compile_graph(graph, core=core, name=f"l{seed}", goals=Goals("time"))


def _expected(core: str, seed: int) -> tuple[Row, bool]:
    """The layer as the cost model has it, and whether that is enough."""
    measured, plan = records.layers()[seed], _plan(core, seed)
    costs = estimate_costs(plan)
    ours, theirs = sum(cost.instructions for cost in costs), measured.values[core]
    sure = all(cost.basis == "fitted" for cost in costs) and ours < CLEAR * theirs
    kernels = "+".join(type(part.kernel).__name__ for step in plan.steps for part in step.parts)
    return Row(seed, measured.layer, kernels, ours, theirs, False), sure


def _count(core: str, seeds: Sequence[int]) -> list[tuple[int, int]]:
    """Executed instructions of layers on the emulated core."""
    board = load_boards()[BOARDS[core]]
    packages = [emit(_plan(core, seed)) for seed in seeds]
    image, found = build_image(packages, board, BuildOptions(link="fast")), []
    with open_session(resolve(board.name), image) as session:
        client = open_client(session, image)
        for seed, package in zip(seeds, packages, strict=True):
            vectors = random_inputs(package.plan.graph, np.random.default_rng(seed), 1)
            measured = measure(session, image, package, vectors, layers=False, profile=True, client=client)
            found.append((seed, sum(measured.layer_ticks or ())))
    return found


def _summary(core: str, rows: Sequence[Row]) -> object:
    columns = ("operator", "layers", "counted", "median", "worst", "over 1")
    made = table(f"Layers on {core} beside TFLM with CMSIS-NN", *columns)
    by_op: dict[str, list[Row]] = {}
    for row in rows:
        by_op.setdefault(row.layer.op, []).append(row)
    for op, found in [*sorted(by_op.items()), ("all", list(rows))]:
        ratios = [row.ratio for row in found]
        counted, over = sum(row.counted for row in found), sum(ratio > 1 for ratio in ratios)
        made.add_row(op, f"{len(found)}", f"{counted}", f"{median(ratios):.2f}", f"{max(ratios):.2f}", f"{over}")
    return made


def _over(core: str, rows: Sequence[Row], most: float) -> object:
    made = table(f"Of more than {most:g} of TFLM's instructions, {core}", "layer", "kernel", "ours", "TFLM's", "ratio")
    for row in sorted(rows, key=lambda row: -row.ratio):
        if row.ratio > most:
            made.add_row(title(row.layer), row.kernel, f"{row.ours:,.0f}", f"{row.theirs:,}", f"{row.ratio:.2f}")
    return made
