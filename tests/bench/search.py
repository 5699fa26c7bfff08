"""The searches of docs/search.md: Fashion-MNIST within the limits of three sizes of boards, and how long they take."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from harness.fit import NetworkLimits
from harness.search.settings import EFFORTS, SearchSettings
from tests.bench.common import table

if TYPE_CHECKING:
    from harness.training.data import TrainingData

JOBS = 2


@dataclass(frozen=True)
class Wanted:
    """A search of the page.

    Attributes:
        ram: of the board, in words.
        board: the board.
        effort: how much is trained.
        limits: arena, flash, modelled cycles.
    """

    ram: str
    board: str
    effort: str
    limits: NetworkLimits


SEARCHES = (
    Wanted("acceptance", "nucleo-l4r5", "normal", NetworkLimits(arena=24_000, flash=64_000, cycles=2e6)),
    Wanted("32 kB", "nucleo-g0b1", "quick", NetworkLimits(arena=24_000, flash=100_000, cycles=4e6)),
    Wanted("128 kB", "nrf52840dk", "quick", NetworkLimits(arena=100_000, flash=256_000, cycles=4e6)),
    Wanted("512 kB", "nucleo-h743", "quick", NetworkLimits(arena=400_000, flash=512_000, cycles=8e6)),
)


def run(console: Console) -> None:
    """Prints a table a search, as soon as it ends: what it found, beside what is scaled by hand."""
    from harness.training.data import fashion_mnist

    data = fashion_mnist()
    for wanted in SEARCHES:
        with tempfile.TemporaryDirectory() as folder:
            console.print(_searched(wanted, data, Path(folder), console))


def _searched(wanted: Wanted, data: TrainingData, folder: Path, console: Console) -> Table:
    from harness.search.output import confirmed, write_network
    from harness.search.run import search

    began = time.monotonic()
    settings: SearchSettings = replace(EFFORTS[wanted.effort], board=wanted.board, limits=wanted.limits, jobs=JOBS)
    found = search(settings, data, folder / "state")
    rows = []
    for final in found.finals:
        written = write_network(found, final, folder, final.name)
        seen, needs = confirmed(written, wanted.board), final.answer.needs
        rows.append((
            final.why, f"{written.float_accuracy:.2%}", f"{written.int8_accuracy:.2%}", f"{needs.arena:,}",
            f"{seen.arena:,}", f"{needs.flash:,}", f"{seen.flash:,}", f"{needs.cycles:,.0f}", f"{seen.cycles:,.0f}",
            "pass" if seen.outcome.passed else "fail",
        ))  # fmt: skip
    made = table(
        f"Fashion-MNIST, {wanted.ram}, {wanted.board}: {time.monotonic() - began:,.0f} s with validation",
        "network", "float", "int8", "arena", "measured", "flash about", "measured", "cycles", "of what ran", "board",
    )  # fmt: skip
    for row in rows:
        made.add_row(*row)
    for ranking in found.rankings:
        console.print(f"{wanted.board}: {ranking.name} ranks with tau {ranking.tau:.2f}")
    return made
