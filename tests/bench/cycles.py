"""Modelled cycles of the MLPerf Tiny models by layer, on an STM32L4R5 and an STM32H7A3; and what profiling costs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from harness.boards import open_session, resolve
from harness.boards.session import open_client
from harness.build import build_image
from harness.cycles.document import prediction_document
from harness.cycles.record import observable, record
from harness.report import console as renderables
from harness.report import cycles
from harness.units import Unit, total
from harness.validate.card import RandomVectors
from harness.validate.profile import profile_model
from harness.validate.vectors import load
from harness.validate.workbench import Workbench
from tests.bench.common import mlperf_models, some_model, table

BOARDS = ("nucleo-l4r5", "nucleo-h7a3")
RUNS = 3


def run(console: Console) -> None:
    """Print a table of totals, one of layers per model and board, and one of times."""
    models = mlperf_models()
    if not models:
        console.print("cycles: no MLPerf Tiny model found; set TINYHIL_MODELS to a folder that has them")
        return
    bench = Workbench()
    made = table(
        "Modelled cycles per inference",
        *("model", "board", "instructions", "cycles", "low", "high", "ms", "stalls", "status"),
    )
    documents = []
    for name, path in models.items():
        for board in BOARDS:
            prediction = profile_model(path, board, vectors=RandomVectors(random=1), bench=bench)
            estimate, document = prediction.estimate, prediction_document(prediction)
            layers = total((layer.cycles for layer in estimate.layers), Unit.MODELLED_CYCLES)
            assert layers == estimate.cycles, f"{name} on {board}: layers add up to {layers}, not {estimate.cycles}"
            documents.append((name, board, document))
            figures = [f"{document[key]['value']:,}" for key in ("instructions", "cycles", "low", "high")]
            issued = document["causes"]["issue"]["value"]
            stalls = f"{100 - 100 * issued / document['cycles']['value']:.0f} %"
            time_ms = f"{document['milliseconds']['estimate']:.3g}"
            made.add_row(name, board, *figures, time_ms, stalls, document["label"])
    console.print(made)
    for name, board, document in documents:
        console.print(f"{name} on {board}", style="bold")
        renderables.show(console, [renderables.table(cycles.layers(document))])
    _cost(console)


def _cost(console: Console) -> None:
    """The same inference with and without the observer: start, first exchange, inference, end."""
    bench = Workbench()
    graph = bench.graph(mlperf_models().get("vww", some_model()))
    inputs = load(RandomVectors(random=1), graph, Path.cwd()).inputs[0]
    made = table(
        f"Profiling {graph.name}, best of {RUNS} runs",
        *("board", "emulator", "run s", "profiled s", "ratio", "trace bytes"),
    )
    for board in ("mps2-an386", "mps2-an500", "nucleo-l4r5"):
        resolved = observable(board)
        package = bench.package(graph, resolved.runs_on.core)
        image = build_image([package], resolved.runs_on)
        data = [array.tobytes() for array in inputs]

        def plain() -> None:
            with open_session(resolve(board), image) as session:  # noqa: B023 - used in this round only
                client = open_client(session, image)  # noqa: B023
                client.init(0)
                client.infer(data)  # noqa: B023

        sizes = []

        def profiled() -> None:
            with tempfile.TemporaryDirectory() as folder:
                found = record(resolved, image, package, inputs, cache_dir=Path(folder))  # noqa: B023
                sizes.append(found.profile.trace.stat().st_size)  # noqa: B023
                emulators.append(found.profile.emulator)  # noqa: B023

        emulators: list[str] = []
        profiled()  # which also builds the observer
        without, with_it = _best(plain), _best(profiled)
        made.add_row(
            board, emulators[0], f"{without:.2f}", f"{with_it:.2f}", f"{with_it / without:.2f}", f"{sizes[0]:,}"
        )
    console.print(made)


def _best(act: Callable[[], None]) -> float:
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
