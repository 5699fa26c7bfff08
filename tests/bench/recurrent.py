"""SVDF and LSTM layers of the shapes that were measured with TFLM and CMSIS-NN, instructions on every core.

The record of those (tflm_layers.json.gz) is no part of the project: $TINYHIL_BASELINES names its folder, else it is
looked for beside the checkout. Without it a few shapes stand alone. Of LSTMs of one step CMSIS-NN leaves out the sums
over the hidden state, which TFLM does not hand to it.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from rich.console import Console

from harness.boards import load_boards, open_session, resolve
from harness.boards.session import open_client
from harness.build import BuildOptions, build_image
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.ir.graph import Graph
from harness.validate.measurement import measure
from tests.bench.common import table
from tests.support.builders.lstm import lstm
from tests.support.builders.svdf import svdf
from tests.support.draft import Draft
from tests.support.generated import random_inputs
from tests.support.paths import REPOSITORY

BOARDS = ("mps2-an386", "mps2-an500", "mps3-an547")
LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"


@dataclass(frozen=True)
class Shape:
    """A layer; `theirs` has instructions of TFLM with CMSIS-NN by core. For an LSTM `rank` and `memory` say nothing."""

    op: str
    x: tuple[int, ...]
    units: int
    rank: int = 1
    memory: int = 1
    theirs: Mapping[str, int] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """For a table."""
        size = "x".join(map(str, self.x))
        more = "" if self.op == LSTM else f", rank {self.rank}, memory {self.memory}"
        return f"{'LSTM' if self.op == LSTM else self.op} {size} -> {self.units}{more}"

    def graph(self) -> Graph:
        """A layer of this shape with random weights, none larger than networks have."""
        for seed in range(200):
            draft = Draft(np.random.default_rng(seed))
            x = draft.input(self.x)
            if self.op == LSTM:
                y = lstm(draft, x, units=self.units)
            else:
                y = svdf(draft, x, units=self.units, memory=self.memory, rank=self.rank)
            if self._is_usual(draft):
                return draft.finish(self.op.lower(), (y,))
        raise AssertionError(f"no weights found for {self.title}")

    def _is_usual(self, draft: Draft) -> bool:
        """Whether factors and types are those of networks."""
        if self.op != LSTM:
            return draft.states[0].dtype.value == "int8"
        inputs = draft.nodes[0].inputs
        hidden = draft.quant(draft.nodes[0].outputs[0]).scale
        products = [draft.quant(0).scale * draft.quant(w).scale for w in inputs[1:5]]
        products += [hidden * draft.quant(w).scale for w in inputs[5:9]]
        return max(products) < 2.0**-14 and not getattr(draft.nodes[0].attrs, "time_major", False)


ALONE = (Shape(LSTM, (1, 28, 28), 20), Shape(LSTM, (1, 49, 40), 64), Shape("SVDF", (1, 40), 64, 1, 8))


def run(console: Console) -> None:
    """Print a table of layers by core."""
    print_beside(console, "SVDF and LSTM, instructions", recorded() or ALONE)


class Beside(Protocol):
    """A layer to measure beside what TFLM with CMSIS-NN took of it, by core."""

    @property
    def title(self) -> str: ...

    @property
    def theirs(self) -> Mapping[str, int]: ...

    def graph(self) -> Graph: ...


def print_beside(console: Console, title: str, shapes: Sequence[Beside]) -> None:
    """Measures layers on all cores, and prints them beside CMSIS-NN."""
    made = table(title, "layer", *(c for b in BOARDS for c in (b, "CMSIS-NN", "ratio")))
    columns = [measured(board, shapes) for board in BOARDS]
    for number, shape in enumerate(shapes):
        cells = []
        for board, ours in zip(BOARDS, columns, strict=True):
            theirs = shape.theirs.get(load_boards()[board].core)
            ratio = f"{ours[number] / theirs:.2f}" if theirs else "-"
            cells += [f"{ours[number]:,}", f"{theirs:,}" if theirs else "-", ratio]
        made.add_row(shape.title, *cells)
    console.print(made)


def models_on_record() -> list[Any]:
    """The models of the record; none where it is not there."""
    folder = Path(os.environ.get("TINYHIL_BASELINES") or REPOSITORY.parent / "shared" / "baselines")
    path = folder / "tflm_layers.json.gz"
    return json.loads(gzip.decompress(path.read_bytes()))["models"] if path.is_file() else []


def recorded() -> list[Shape]:
    """The shapes of the record."""
    found = []
    for model in models_on_record():
        (layer, *more), runs = model["layers"] or [{"op": ""}], model["runs"]
        if more or layer["op"] not in ("SVDF", LSTM) or layer["dtype"] != "int8":
            continue
        theirs = {r["core"]: r["layer_instructions"][0] for r in runs if r["kernels"] == "cmsis_nn"}
        sizes = layer["in"]
        rank = layer.get("rank", 1)
        memory = sizes[2][1] if layer["op"] == "SVDF" else 1
        found.append(Shape(layer["op"], tuple(sizes[0]), layer["out"][0][-1], rank, memory, theirs))
    return found


def measured(board_name: str, shapes: Sequence[Beside]) -> list[int]:
    """Instructions of each layer on a board."""
    board = load_boards()[board_name]
    packages = [emit(compile_graph(shape.graph(), core=board.core, name=f"l{i}")) for i, shape in enumerate(shapes)]
    image = build_image(packages, board, BuildOptions(link="fast"))
    ticks = []
    with open_session(resolve(board_name), image) as session:
        client = open_client(session, image)
        for package in packages:
            vectors = random_inputs(package.plan.graph, np.random.default_rng(0), 1)
            measured = measure(session, image, package, vectors, layers=False, profile=True, client=client)
            ticks.append(sum(measured.layer_ticks or ()))
    return ticks
