"""How long costs from shapes alone take: networks of the search's spaces on the nucleo-l4r5, by their depth.

Kernels of all shapes of layers are costed before, as within a search. The time is the processor's, the least of a few
for each network, so that other work on the machine counts little; the oracle keeps nothing of a network.
"""

from __future__ import annotations

import random
import time
from statistics import mean, median, quantiles

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
DEPTHS = (12, 20, 99)
"""Most layers of the networks of each row; those of the first are small."""
DRAWN, REPEATS = 100, 5


def run(console: Console) -> None:
    """Prints one table, a row for each depth: microseconds of `harness.fit.fits`."""
    board = known_board(BOARD)
    assert board is not None
    title = f"harness.fit.fits on {BOARD}, microseconds a network of known layers: of {' and '.join(SIZES)}"
    made = table(title, "layers", "networks", "median", "90 %", "mean", "most", "compiled")
    oracle = ShapeOracle(target_of(board))
    nets = [shape_of(net) for size in SIZES.values() for net in networks(size)]
    for net in nets:
        oracle.needs(net)
    for least, most in zip((0, *DEPTHS), DEPTHS, strict=False):
        of_depth = [net for net in nets if least < len(net.layers) <= most]
        depths = [len(net.layers) for net in of_depth]
        times = sorted(1e6 * _seconds(net, oracle) for net in of_depth)
        figures = (median(times), quantiles(times, n=10)[-1], mean(times), times[-1])
        counted = (f"{min(depths)} to {max(depths)}", f"{len(times)}", *[f"{figure:.0f}" for figure in figures])
        made.add_row(*counted, f"{oracle.compiled}")
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
