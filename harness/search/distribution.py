"""Which space to search: of drawn architectures that memory allows, the distribution of MACs and modelled cycles.

As MCUNet does it (Lin et al. 2020, section 3.1): of spaces that all keep the memory, the one whose members have more
MACs has the more accurate ones. Here those within all limits count, modelled cycles too.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from harness.build.progress import Progress
from harness.compiler.goals import Mode
from harness.cycles.targets import target_of
from harness.errors import OptionError
from harness.fit.limits import LimitAnswer, NetworkLimits, fits
from harness.fit.oracle import ShapeOracle
from harness.hardware.boards_file import known_board
from harness.hardware.target import Target
from harness.search.architecture import Architecture, shape_of
from harness.search.settings import SearchSettings
from harness.search.space import SearchSpace

QUANTILE = 0.8
"""At which the MACs of spaces are compared."""

LEAST = 0.02
"""Share of a space's members that must keep the limits, for it to be searched."""


@dataclass(frozen=True)
class SpaceSample:
    """What was drawn of a space.

    Attributes:
        space: the space.
        drawn: architectures.
        in_memory: of them, (MACs, modelled cycles) of those whose arena and flash keep the limits, by MACs.
        fitting: MACs of those that keep all limits, ascending.
    """

    space: SearchSpace
    drawn: int
    in_memory: tuple[tuple[int, float], ...]
    fitting: tuple[int, ...]

    @property
    def share(self) -> float:
        """Share of the members that keep all limits."""
        return len(self.fitting) / self.drawn

    @property
    def worth(self) -> float:
        """MACs at QUANTILE of those that keep all limits; 0 where too few do."""
        if self.share < LEAST or not self.fitting:
            return 0.0
        return float(self.fitting[int(QUANTILE * (len(self.fitting) - 1))])

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "space": self.space.text,
            "drawn": self.drawn,
            "in_memory": [[macs, round(cycles)] for macs, cycles in self.in_memory],
            "fitting": list(self.fitting),
            "share": self.share,
            "worth": self.worth,
        }


class ArchitectureCosts:
    """What architectures take, each asked once."""

    def __init__(self, oracle: ShapeOracle, limits: NetworkLimits) -> None:
        self.oracle, self.limits = oracle, limits
        self._known: dict[Architecture, LimitAnswer] = {}

    def of(self, net: Architecture) -> LimitAnswer:
        """What one takes, beside the limits."""
        found = self._known.get(net)
        if found is None:
            found = self._known[net] = fits(shape_of(net), self.limits, self.oracle)
        return found

    @property
    def count(self) -> int:
        """How many were asked for."""
        return len(self._known)

    def within(self, cycles: float | None = None) -> Callable[[Architecture], bool]:
        """Whether one keeps the limits, and takes at most so many modelled cycles."""

        def keeps(net: Architecture) -> bool:
            answer = self.of(net)
            return answer.fits and (cycles is None or answer.needs.cycles <= cycles)

        return keeps


def costs_for(settings: SearchSettings) -> ArchitectureCosts:
    """Costs on the board of a search.

    Raises:
        OptionError: there is no such board.
    """
    board = known_board(settings.board)
    if board is None:
        raise OptionError(f"there is no board '{settings.board}'", hint="`tinyhil boards` lists them")
    return ArchitectureCosts(_oracle(target_of(board), settings.mode), settings.limits)


@cache
def _oracle(target: Target, mode: Mode) -> ShapeOracle:
    """One a target and mode, so that searches after each other cost layers once."""
    return ShapeOracle(target, mode)


def sampled(
    spaces: Sequence[SearchSpace], costs: ArchitectureCosts, count: int, seed: int, progress: Progress | None = None
) -> tuple[SpaceSample, ...]:
    """So many architectures drawn in each space."""
    found = []
    for number, space in enumerate(spaces):
        rng = random.Random(f"{seed} {space.text}")
        in_memory, fitting = [], []
        for i in range(count):
            answer = costs.of(space.draw(rng))
            if answer.slack("arena") >= 0 and answer.slack("flash") >= 0:
                in_memory.append((answer.needs.macs, answer.needs.cycles))
            if answer.fits:
                fitting.append(answer.needs.macs)
            if progress and i % 20 == 0:
                progress(f"space {space.text}", number * count + i, len(spaces) * count)
        found.append(SpaceSample(space, count, tuple(sorted(in_memory)), tuple(sorted(fitting))))
    return tuple(found)


def best_space(samples: Sequence[SpaceSample]) -> SpaceSample | None:
    """The one of the most worth, of equals the first; None where in none enough members keep the limits."""
    found = max(samples, key=lambda sample: sample.worth, default=None)
    return found if found is not None and found.worth > 0 else None
