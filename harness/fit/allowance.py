"""What an inference may take of time, modelled cycles or energy, and the words for what takes too much of something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Spent = Literal["latency", "cycles", "energy"]

Answer = Literal["fits", "perhaps", "no"]

NAMED = 3
"""Layers or values that a sentence names."""


@dataclass(frozen=True)
class SpentLimit:
    """A limit of what is spent in an inference: seconds, modelled cycles or joules.

    Attributes:
        what: is limited.
        limit: most that may be spent.
        used, low, high: what is expected, and its bounds; `high` is None where nothing bounds it, and `used` where
            nothing is known.
    """

    what: Spent
    limit: float
    used: float | None
    low: float
    high: float | None

    @property
    def slack(self) -> float | None:
        """What is expected to be left; below 0: that lacks. None where it is not known."""
        return None if self.used is None else self.limit - self.used

    @property
    def verdict(self) -> Answer:
        """Certain only where both bounds are on one side of the limit."""
        if self.used is None:
            return "perhaps"
        if self.high is not None and self.high <= self.limit:
            return "fits"
        return "no" if self.low > self.limit else "perhaps"


def too_much(what: str, used: float, limit: float) -> str:
    """By how much a limit is broken."""
    return f"{what} {used:,.6g} of {limit:,.6g}, {(used - limit) / used:.0%} too much"


def largest(names: Sequence[str], figures: Sequence[float]) -> str:
    """The layers with most of something, and their shares of it."""
    order = sorted(range(len(figures)), key=lambda i: -figures[i])[:NAMED]
    return ", ".join(f"{names[i]} ({figures[i] / max(sum(figures), 1e-9):.0%})" for i in order)
