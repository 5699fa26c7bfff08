"""How long costs from shapes alone take: networks of the search's spaces on the nucleo-l4r5, each asked once.

Kernels of all shapes of layers are costed before, as within a search. The time is the processor's, the least of a few
for each network, so that other work on the machine counts little; the oracle keeps nothing of a network.
"""

from __future__ import annotations

import random
import time
from statistics import median, quantiles

from rich.console import Console

from harness.cycles.targets import target_of
from harness.fit import NetworkLimits, NetworkShape, ShapeOracle, fits
from harness.hardware.boards_file import known_board
from harness.search.architecture import Architecture, shape_of
from harness.search.space import spaces_for
from tests.bench.common import table

BOARD = "nucleo-l4r5"
LIMITS = NetworkLimits(arena=24_000, flash=64_000, cycles=2e6)
SIZES = {"Fashion-MNIST": (28, 28, 1), "digits": (8, 8, 1)}
DRAWN, REPEATS = 100, 3


def run(console: Console) -> None:
    """Prints one table, a row for each size of pictures: microseconds of `harness.fit.fits`."""
    board = known_board(BOARD)
    assert board is not None
    title = f"harness.fit.fits on {BOARD}, microseconds a network of known layers"
    made = table(title, "pictures", "networks", "layers", "median", "90 %", "most", "compiled")
    for name, size in SIZES.items():
        oracle = ShapeOracle(target_of(board))
        drawn = networks(size)
        for net in drawn:
            oracle.needs(shape_of(net))
        times = sorted(1e6 * _seconds(shape_of(net), oracle) for net in drawn)
        layers = [len(shape_of(net).layers) for net in drawn]
        made.add_row(
            name, f"{len(drawn)}", f"{min(layers)} to {max(layers)}", f"{median(times):.0f}",
            f"{quantiles(times, n=10)[-1]:.0f}", f"{times[-1]:.0f}", f"{oracle.compiled}",
        )  # fmt: skip
    console.print(made)


def networks(size: tuple[int, int, int]) -> list[Architecture]:
    """Members of two spaces for pictures of this size in turn, no two alike."""
    rng, spaces = random.Random(0), spaces_for(size, 10, (0.75, 1.0))[:2]
    found: dict[Architecture, None] = {}
    while len(found) < DRAWN:
        found[spaces[len(found) % len(spaces)].draw(rng)] = None
    return list(found)


def _seconds(net: NetworkShape, oracle: ShapeOracle) -> float:
    spent = []
    for _ in range(REPEATS):
        start = time.thread_time()
        fits(net, LIMITS, oracle)
        spent.append(time.thread_time() - start)
    return min(spent)
