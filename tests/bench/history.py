"""A history of 10,000 runs and 200,000 layer rows a night: inserts, comparison, report, and its first paint."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from harness.history.html.page import write_page
from harness.history.selection import compare_named
from harness.history.store import HistoryStore
from tests.bench.common import table
from tests.support.browser import browser, chromium
from tests.support.nights import night, slower

NIGHTS, MODELS, BOARDS, LAYERS = 30, 42, 8, 596
"""336 runs a night and 10,080 in all, each with 596 layers: 200,256 layer rows a night, 6 million in all."""

PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def run(console: Console) -> None:
    """Print seconds and rows a second, for exact figures and for measured ones with noise."""
    made = table(
        f"{NIGHTS} nights of {MODELS} models on {BOARDS} boards, {LAYERS} layers each", "figures", "inserts, rows/s",
        "ingest of a night, s", "compare, s", "report, s", "report, MB", "first paint, s", "store, MB",
    )  # fmt: skip
    for unit, noise in (("instructions", 0.0), ("cycles", 0.01)):
        with tempfile.TemporaryDirectory() as folder:
            made.add_row(unit, *_measured(Path(folder), unit, noise))
    console.print(made)


def _measured(folder: Path, unit: str, noise: float) -> tuple[str, ...]:
    models = [f"model_{number:02d}" for number in range(MODELS)]
    boards = [f"board-{number}" for number in range(BOARDS)]
    rows, seconds = 0, 0.0
    with HistoryStore(folder / "history.db") as store:
        for number in range(NIGHTS):
            change = slower(7, 0.03) if number == NIGHTS - 1 else None
            document = night(
                number, models=models, boards=boards, layers=LAYERS, unit=unit, noise=noise, change=change
            )
            start = time.perf_counter()
            rows += store.add(document, session=f"night-{number}").rows
            seconds += time.perf_counter() - start
        page = folder / "report.html"
        compared = _timed(lambda: compare_named("last-good", f"session:night-{NIGHTS - 1}", store=store))
        reported = _timed(lambda: write_page(store, page))
    size = sum(file.stat().st_size for file in folder.glob("history.db*"))
    return (
        f"{rows / seconds:,.0f}", f"{seconds / NIGHTS:.2f}", compared, reported,
        f"{page.stat().st_size / 1e6:.2f}", _paint(page), f"{size / 1e6:.0f}",
    )  # fmt: skip


def _timed(work: Callable[[], object]) -> str:
    """Seconds by the clock, and of the processor, which others on the machine do not lengthen as much."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return f"{time.perf_counter() - clock:.2f} ({time.process_time() - processor:.2f} CPU)"


def _paint(page: Path) -> str:
    program = chromium()
    if program is None:
        return "no browser"
    with (
        tempfile.TemporaryDirectory() as profile,
        browser(program, Path(profile)) as started,
        started.page(page.as_uri()) as shown,
    ):
        return f"{shown.run(PAINT) / 1e3:.2f}"
