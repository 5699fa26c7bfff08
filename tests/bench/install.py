"""Updating a model on a running virtual nucleo-h743 over its UART: seconds, and the bytes' time on the line."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

from rich.console import Console

from harness import frontends
from harness.boards import find_board, open_session, resolve
from harness.boards.session import open_client
from harness.build import BuildOptions, Image
from harness.compiler.compile import compile_graph
from harness.cycles.targets import target_of
from harness.hardware.board import Resolved
from harness.relocatable.make import make_relocatable
from harness.runtimes.slot import own_sizes, slot_image
from tests.bench.common import some_model, table

BOARD = "nucleo-h743"
UPDATES = 5
BITS = 10
"""Of a byte on the line."""


def run(console: Console) -> None:
    """Print a row per rate: the median of some updates."""
    path, board = some_model(), find_board(BOARD)
    plan = compile_graph(frontends.load(path), core=target_of(board), name="model")
    file = make_relocatable(plan).file
    resolved = resolve(BOARD)
    runs_on = resolved.runs_on
    image = replace(slot_image(runs_on, BuildOptions(link="uart"), own_sizes(runs_on)), packages=("slot",))
    made = table(f"Updating {path.stem} on a running {runs_on.name}", "baud", "bytes", "s", "on the line", "more")
    for fast in (False, True):
        baud, seconds = _updates(resolved, image, file, fast)
        taken, line = statistics.median(seconds), len(file) * BITS / baud
        made.add_row(f"{baud:,}", f"{len(file):,}", f"{taken:.2f}", f"{line:.2f}", f"{taken - line:+.2f}")
    console.print(made)


def _updates(resolved: Resolved, image: Image, file: bytes, fast: bool) -> tuple[int, list[float]]:
    """(rate of the line, seconds of each update of the firmware that runs)."""
    board = resolved.runs_on
    assert board.uart is not None
    if not fast:
        resolved = replace(resolved, runs_on=replace(board, uart=replace(board.uart, fast_baud=None)))
    seconds = []
    with open_session(resolved, image) as session:
        client = open_client(session, image)
        for _ in range(UPDATES):
            start = time.monotonic()
            client.install(file)
            client.init(0)
            seconds.append(time.monotonic() - start)
        assert session.baud is not None
        return session.baud, seconds
