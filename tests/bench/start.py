"""Wall-clock time from a command to its first result, with an empty and with a filled build cache."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from rich.console import Console

from tests.bench.common import some_model, table
from tests.support.paths import REPOSITORY

BOARD = "mps2-an500"
RUNS = 3


def run(console: Console) -> None:
    """Print the times of `tinyhil validate MODEL --board ... --vectors 1`, `tinyhil profile` and `tinyhil npu`."""
    made = table(f"Start to first result, {some_model().stem} on {BOARD}", "command", "cold s", "warm s (best of 3)")
    for name, arguments in (
        ("validate, 1 vector", ["validate", str(some_model()), "--board", BOARD, "--vectors", "1"]),
        (
            "validate, 1 vector, fast link",
            ["validate", str(some_model()), "--board", BOARD, "--vectors", "1", "--link", "fast"],
        ),
        ("profile", ["profile", str(some_model()), "--board", BOARD]),
        ("npu, on no board", ["npu", str(some_model())]),
    ):
        with tempfile.TemporaryDirectory() as cache:
            environment = {**os.environ, "TINYHIL_CACHE": cache}
            cold = _timed(arguments, environment)
            warm = min(_timed(arguments, environment) for _ in range(RUNS))
        made.add_row(name, f"{cold:.2f}", f"{warm:.2f}")
    console.print(made)


def _timed(arguments: list[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "harness.cli", *arguments],
        cwd=REPOSITORY,
        env=environment,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - start
