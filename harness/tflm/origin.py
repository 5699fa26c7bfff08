"""Where a figure of TFLM comes from, which is never hidden: nearer ones win over those further away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Basis(StrEnum):
    """From the surest to the least sure."""

    LIVE = "live"
    RECORDED = "recorded"
    LOOKED_UP = "looked-up"
    ESTIMATED = "estimated"
    UNKNOWN = "unknown"

    @property
    def measured(self) -> bool:
        """Whether it was measured of this very model."""
        return self in (Basis.LIVE, Basis.RECORDED)


_ORDER = tuple(Basis)
_MOST_REASONS = 3


def least_sure(origins: Iterable[Basis]) -> Basis:
    """The origin of a sum of figures; RECORDED of none."""
    return max(origins, key=_ORDER.index, default=Basis.RECORDED)


@dataclass(frozen=True)
class TflmFigure:
    """A figure with where it comes from.

    Attributes:
        value: None where it is not known.
        error: nine of ten such figures were within this share of the measured one; 0 of measured ones.
        reason: what is not known, where the value is not.
    """

    value: int | None
    origin: Basis
    error: float = 0.0
    reason: str = ""


def unknown(reason: str) -> TflmFigure:
    """A figure that is not known, and what of it is not."""
    return TflmFigure(None, Basis.UNKNOWN, reason=reason)


def shortened(reasons: Iterable[str]) -> str:
    """Different reasons as one, the first of them where they are many."""
    found = list(dict.fromkeys(reasons))
    more = len(found) - _MOST_REASONS
    return ", ".join(found[:_MOST_REASONS]) + (f" and {more} more" if more > 0 else "")


def total(parts: Iterable[TflmFigure], besides: int = 0) -> TflmFigure:
    """The sum of figures and of what is exactly known besides; not known where one of them is not.

    Errors add up as if all went the same way, which is the worst that they can do.
    """
    figures = tuple(parts)
    origin = least_sure(figure.origin for figure in figures)
    if origin is Basis.UNKNOWN:
        return unknown(shortened(figure.reason for figure in figures if figure.value is None))
    value = sum(figure.value or 0 for figure in figures) + besides
    wrong = sum((figure.value or 0) * figure.error for figure in figures)
    return TflmFigure(value, origin, wrong / value if value else 0.0)
