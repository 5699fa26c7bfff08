"""The order of microcontrollers that a model fits: the cheapest first."""

from __future__ import annotations

from collections.abc import Sequence

from harness.fit.fitting import VERDICTS, Fit, lack
from harness.fit.prices import Prices


def ranked(fits: Sequence[Fit], prices: Prices | None = None) -> tuple[Fit, ...]:
    """All of them: those that fit first, the cheapest of them first; those that do not by what they lack.

    Cheaper is what costs less, where both have a price; else what has less RAM, less flash (one on another chip is more
    than any), and a lower clock.
    """

    def place(found: Fit) -> tuple[object, ...]:
        part, best = found.part, found.best
        price = None if prices is None else prices.by_part.get(part.name)
        size = (part.bytes_of("ram"), part.external_flash, part.bytes_of("flash"), part.clock_hz, part.name)
        short = lack(best) if best is not None and found.verdict == "no" else 0.0
        return (best is None, VERDICTS.index(found.verdict), short, price is None, price or 0.0, *size)

    return tuple(sorted(fits, key=place))


def cheapest(fits: Sequence[Fit], prices: Prices | None = None) -> Fit | None:
    """The first of `ranked` that keeps all wishes and is no emulator; None where none does."""
    return next((one for one in ranked(fits, prices) if one.verdict == "fits" and not one.part.emulated), None)
