"""What an inference on the emulated NPU of mps3-an547 costs besides the simulator: docs/ethos-u.md has the figures."""

from __future__ import annotations

import statistics
import time
from unittest.mock import patch

from rich.console import Console

from harness.boards import find_board, open_session
from harness.boards.session import open_client
from harness.ethosu.simulator import Simulator
from tests.bench.common import mlperf_models, table
from tests.support.npu_image import BOARD, npu_graph, npu_image, vectors_for

INFERENCES = 20
LINK = "semihost"
"""So that transfers cost little."""


def run(console: Console) -> None:
    """Prints all."""
    made = table(f"NPU of {BOARD}: ms an inference, median", "model", "in all", "besides the simulator")
    for name in mlperf_models():
        spent, inside = _inferences(f"mlperftiny_{name}_int8")
        besides = [all_of_it - simulator for all_of_it, simulator in zip(spent, inside, strict=True)]
        made.add_row(name, f"{statistics.median(spent) * 1e3:.0f}", f"{statistics.median(besides) * 1e3:.0f}")
    console.print(made)


def _inferences(model: str) -> tuple[list[float], list[float]]:
    """Seconds of each inference after the first, and those that the simulator took of it."""
    graph = npu_graph(model)
    _, image = npu_image(graph, LINK)
    inputs = [array.tobytes() for array in vectors_for(graph, 1)[0]]
    spent: list[float] = []
    inside: list[float] = []
    simulate = Simulator.run

    def timed(*arguments: object) -> None:
        start = time.perf_counter()
        simulate(*arguments)  # type: ignore[arg-type]
        inside.append(time.perf_counter() - start)

    with patch.object(Simulator, "run", timed), open_session(find_board(BOARD), image) as session:
        client = open_client(session, image)
        client.init(0)
        for _ in range(INFERENCES + 1):
            start = time.perf_counter()
            client.infer(inputs)
            spent.append(time.perf_counter() - start)
    return spent[1:], inside[1:]
