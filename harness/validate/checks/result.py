"""The result of a check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from harness.validate.card import Tolerance


class Status(Enum):
    """Whether a check passed; NOT_MEASURED where the board cannot tell."""

    PASS = "pass"
    FAIL = "fail"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class CheckResult:
    """The result of a check: its name as in the card, status, one sentence, and figures by name."""

    name: str
    status: Status
    summary: str
    figures: Mapping[str, float | int | str] = field(default_factory=dict)


def allowed(tolerance: Tolerance) -> str:
    """A tolerance in words."""
    return "exact" if tolerance.max_lsb == 0 else f"{tolerance.max_lsb} LSB"


def how_equal(max_lsb: int) -> str:
    """The largest difference of tensors that pass, in words."""
    return "bit for bit" if max_lsb == 0 else f"within {max_lsb} LSB"
