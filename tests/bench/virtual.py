"""A board behind pyOCD, on the virtual STM32H743: flash rate, vectors a second, time from command to first result."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from rich.console import Console

from harness import frontends
from harness.boards import load_boards, open_session, resolve
from harness.boards.backends.pyocd.session import PyocdSession
from harness.boards.session import open_client
from harness.build import BuildOptions, build_image
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from tests.bench.common import some_model, table
from tests.support.paths import REPOSITORY
from tests.support.probe import virtual_probes

BOARD = "nucleo-h743"
VECTORS = 50
RUNS = 3


def run(console: Console) -> None:
    """Print two tables: one of flashing and running, one of start-up."""
    if importlib.util.find_spec("unicorn") is None:
        console.print("virtual: the extra tinyhil[virtual] is not installed")
        return
    with tempfile.TemporaryDirectory() as folder, _set(virtual_probes(BOARD, folder=folder)):
        _flash_and_run(console)
        _start(console)


def _flash_and_run(console: Console) -> None:
    graph = frontends.load(some_model())
    package = emit(compile_graph(graph, core="cortex-m7"))
    data = [np.zeros(graph.tensors[t].bytes, np.uint8).tobytes() for t in graph.inputs]
    made = table(
        f"{graph.name} on the virtual {BOARD} through pyOCD, {VECTORS} vectors",
        *("link", "flash bytes", "s", "kB/s", "verify s", "start, already flashed s", "vectors/s"),
    )
    for link in ("uart", "rtt"):
        image = build_image([package], load_boards()[BOARD], BuildOptions(link=link))
        cells: list[str] = []
        with open_session(resolve(BOARD), image) as session:
            assert isinstance(session, PyocdSession) and session.loaded is not None
            loaded = session.loaded
            assert loaded.programmed
            cells += [f"{loaded.bytes:,}", f"{loaded.seconds:.2f}", f"{loaded.bytes / loaded.seconds / 1000:,.0f}"]
            cells.append(f"{loaded.verify_seconds:.2f}")
        start = time.perf_counter()
        with open_session(resolve(BOARD), image) as session:
            client = open_client(session, image)
            cells.append(f"{time.perf_counter() - start:.2f}")
            client.init(0, 1)
            client.infer(data)
            start = time.perf_counter()
            for _ in range(VECTORS):
                client.infer(data)
            cells.append(f"{VECTORS / (time.perf_counter() - start):,.0f}")
        made.add_row(link, *cells)
    console.print(made)


def _start(console: Console) -> None:
    made = table(f"Command to first result, {some_model().stem} on the virtual {BOARD}", "state", "s")
    arguments = ["validate", str(some_model()), "--board", BOARD, "--vectors", "1"]
    with tempfile.TemporaryDirectory() as cache, _set({"TINYHIL_CACHE": cache}):
        made.add_row("nothing built, nothing flashed", f"{_timed(arguments):.2f}")
        made.add_row("built and flashed before (best of 3)", f"{min(_timed(arguments) for _ in range(RUNS)):.2f}")
    console.print(made)


@contextmanager
def _set(variables: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _timed(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "harness.cli", *arguments], cwd=REPOSITORY, check=True, capture_output=True)
    return time.perf_counter() - start
