"""The searches of docs/search.md: Fashion-MNIST within the limits of three sizes of boards, and how long they take."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from harness.fit import NetworkLimits
from harness.search.settings import EFFORTS, SearchSettings

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
    """Prints one table: what each search found, beside what is scaled by hand."""
    from harness.search.output import confirmed, write_network
    from harness.search.run import search
    from harness.training.data import fashion_mnist

    table = Table(title="Fashion-MNIST: searches, trained and confirmed on virtual boards")
    columns = ("SRAM", "board", "network", "float", "int8", "arena", "measured", "flash about", "measured ",
               "cycles", "of what ran", "s")  # fmt: skip
    for name in columns:
        table.add_column(name, justify="left" if name in ("SRAM", "board", "network") else "right")
    data = fashion_mnist()
    for wanted in SEARCHES:
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            settings: SearchSettings = replace(
                EFFORTS[wanted.effort], board=wanted.board, limits=wanted.limits, jobs=JOBS
            )
            found = search(settings, data, Path(folder) / "state")
            spent = time.monotonic() - began
            for ranking in found.rankings:
                console.print(f"{wanted.board}: {ranking.name} ranks with tau {ranking.tau:.2f}")
            for final in found.finals:
                written = write_network(found, final, Path(folder), final.name)
                seen, needs = confirmed(written, wanted.board), final.answer.needs
                table.add_row(
                    wanted.ram, wanted.board, final.why, f"{written.float_accuracy:.2%}",
                    f"{written.int8_accuracy:.2%}", f"{needs.arena:,}", f"{seen.arena:,}", f"{needs.flash:,}",
                    f"{seen.flash:,}", f"{needs.cycles:,.0f}", f"{seen.cycles:,.0f}", f"{spent:,.0f}",
                )  # fmt: skip
    console.print(table)
