"""The result of a check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from harness.validate.card import Tolerance


class Status(Enum):
    """Whether a check passed; NOT_MEASURED where the board cannot tell."""

    PASS = "pass"
    FAIL = "fail"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class CheckResult:
    """The result of a check.

    Attributes:
        name: as in the card.
        summary: one sentence.
        figures: by name.
        advice: what to try next after a failure; "" otherwise.
    """

    name: str
    status: Status
    summary: str
    figures: Mapping[str, float | int | str] = field(default_factory=dict)
    advice: str = ""


def allowed(tolerance: Tolerance) -> str:
    """A tolerance in words."""
    return "exact" if tolerance.max_lsb == 0 else f"{tolerance.max_lsb} LSB"


def with_advice(result: CheckResult, advice: str) -> CheckResult:
    """The result with that advice if it is a failure."""
    return replace(result, advice=advice) if result.status is Status.FAIL else result


def about_difference(oracle: str, board: str) -> str:
    """What to try next when values differ from the oracle's."""
    if oracle not in ("tflm", "spec"):
        return (
            f"compare with tflm (--oracle tflm): {oracle} rounds otherwise in known places (tinyhil docs oracles); "
            f"`max_lsb` in the card allows that"
        )
    if board != "host":
        return "run the same on --board host: if it differs there too, the compiler is wrong, else board or toolchain"
    return "compare with the other specification (--oracle spec or tflm): one that agrees shows which side is wrong"


def how_equal(max_lsb: int, near: int = 0) -> str:
    """The largest difference of tensors that pass, in words; `near` floats are as near as C libraries are."""
    words = "bit for bit" if max_lsb == 0 else f"within {max_lsb} LSB"
    return f"{words} but for {near:,} floats, near as C libraries are" if near else words
