"""What isolation costs a model, and what a crash costs: wall-clock milliseconds, the best of many rounds."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import numpy as np
from rich.console import Console

from harness.errors import OracleError
from harness.frontends.tflite.reader import load
from harness.oracle import open_oracle
from tests.bench.common import table
from tests.support.crashing import CRASHING
from tests.support.generated import random_inputs
from tests.support.paths import FIXTURES

ROUNDS = 60
VECTORS = 20


def run(console: Console) -> None:
    """Print the milliseconds of digits, 20 vectors with all layers, within this process and in one of its own."""
    graph = load(FIXTURES / "digits.tflite")
    bad = load(CRASHING["empty_second_subgraph"](), name="bad")
    vectors = random_inputs(graph, np.random.default_rng(0), VECTORS)

    def computed(name: str, isolated: bool) -> None:
        with open_oracle(name, graph, isolated=isolated) as session:
            for vector in vectors:
                session.invoke(vector, tensors=True)

    def crashed() -> None:
        with contextlib.suppress(OracleError):
            open_oracle("tflm", bad, isolated=True)

    made = table("Oracles in processes of their own, ms", "oracle", "within", "isolated", "a crash")
    for name in ("tflm", "litert-ref"):
        within, apart = _best(lambda n=name: computed(n, False)), _best(lambda n=name: computed(n, True))
        made.add_row(name, f"{within:.1f}", f"{apart:.1f}", f"{_best(crashed):.1f}" if name == "tflm" else "-")
    console.print(made)


def _best(action: Callable[[], None]) -> float:
    action()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)
