"""Published MLPerf Tiny latencies on silicon, and what the tables that ship model for the same images.

fixtures/silicon.csv holds, for each result, what was published and what one inference of its image executed and missed
in the board's caches, recorded once under Unicorn; the images are their submitters' and not in this repository.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from harness.cycles.board_tables import Setup, board_table, setup
from harness.cycles.kinds import LoadKind, kind_by_shares
from tests.support.paths import FIXTURES

RESULTS = FIXTURES / "silicon.csv"


@dataclass(frozen=True)
class SiliconResult:
    """One published result.

    Attributes:
        board: the table's name; device: as published; flash: set-up of the flash, "" for the only one.
        clock_hz: of the core.
        submitter, version, model, variant: which result it is.
        floats: whether the network is of floats; rebuilt: whether the image was built anew, by another compiler.
        published: cycles: the published latency times the clock.
        instructions, core: executed, and their cycles without memory.
        fetch, sequential, loads, next_loads: reads of flash that the caches missed; `next_loads` is known of few.
        ram_loads, ram_stores: the same of SRAM behind a cache.
    """

    board: str
    device: str
    flash: str
    clock_hz: int
    submitter: str
    version: str
    model: str
    variant: str
    floats: bool
    rebuilt: bool
    published: float
    instructions: int
    core: int
    fetch: int
    sequential: int
    loads: int
    next_loads: int
    ram_loads: int
    ram_stores: int

    @property
    def setup(self) -> Setup:
        """The board's set-up."""
        return setup(board_table(self.board), {}, flash=self.flash or None, clock_hz=self.clock_hz)

    @property
    def _ram(self) -> str:
        return "axi" if self.board == "nucleo-h7a3" else "sram"

    @property
    def load_stalls(self) -> float:
        """Modelled cycles of waiting for loads."""
        flash, ram = self.setup.stalls["flash"], self.setup.stalls[self._ram]
        far = self.loads - self.next_loads
        return far * flash.load + self.next_loads * flash.next_load + self.ram_loads * ram.load

    @property
    def modelled(self) -> float:
        """Modelled cycles."""
        flash, ram = self.setup.stalls["flash"], self.setup.stalls[self._ram]
        fetches = (self.fetch - self.sequential) * flash.fetch + self.sequential * flash.sequential
        return self.core + fetches + self.load_stalls + self.ram_stores * ram.store

    @property
    def error(self) -> float:
        """modelled / published - 1."""
        return self.modelled / self.published - 1

    @property
    def kind(self) -> LoadKind:
        """Kind of load."""
        return kind_by_shares(1.0 if self.floats else 0.0, self.load_stalls / self.modelled)

    @property
    def held(self) -> bool:
        """Whether all that the board's table counts was recorded: the nRF5340's loads from SRAM were not."""
        return self.board != "nrf5340dk"


def silicon_results(path: Path = RESULTS) -> list[SiliconResult]:
    """All results, by board."""
    found = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            counts = {name: int(row[f"flash_{name}"]) for name in ("fetch", "sequential", "loads", "next_loads")}
            counts |= {name: int(row[name]) for name in ("instructions", "ram_loads", "ram_stores")}
            texts = {name: row[name] for name in ("board", "device", "flash", "submitter", "version")}
            texts |= {name: row[name] for name in ("model", "variant")}
            found.append(
                SiliconResult(
                    **texts,
                    **counts,
                    clock_hz=int(row["clock_hz"]),
                    floats=row["numbers"] == "float",
                    rebuilt=row["image"] == "rebuilt",
                    published=1e6 * float(row["published_mcycles"]),
                    core=int(row["core_cycles"]),
                )
            )
    return sorted(found, key=lambda result: (result.board, result.model, result.submitter, result.version))
