"""What a check gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from harness.validate.card import Tolerance


class Status(Enum):
    """Outcome of one check."""

    PASS = "pass"
    FAIL = "fail"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class CheckResult:
    """One check: its name as in the card, how it ended, in one sentence, and its figures."""

    name: str
    status: Status
    summary: str
    figures: Mapping[str, float | int | str] = field(default_factory=dict)


def allowed(tolerance: Tolerance) -> str:
    """A tolerance in words."""
    return "exact" if tolerance.max_lsb == 0 else f"{tolerance.max_lsb} LSB"


def how_equal(max_lsb: int) -> str:
    """How near tensors are that pass."""
    return "bit for bit" if max_lsb == 0 else f"within {max_lsb} LSB"
