"""Checks: what a card asks for, judged by what a run gave. A check is a file here and its line in CHECKS.

One that cards can set takes a field in harness.validate.card.schema.Checks, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from harness.validate.card import Card
from harness.validate.checks.accuracy import AccuracyCheck
from harness.validate.checks.budgets import BudgetChecks
from harness.validate.checks.layers import LayersCheck
from harness.validate.checks.memory import MemoryCheck
from harness.validate.checks.outputs import OutputsCheck
from harness.validate.checks.result import CheckResult, Status
from harness.validate.evidence import Evidence

__all__ = ["CHECKS", "Check", "CheckResult", "Evidence", "Status", "check_names"]


class Check(Protocol):
    """One subject that a run is judged by."""

    def names(self, card: Card, board: str) -> tuple[str, ...]:
        """Names of the results that `judge` gives for this card on this board; () when the card does not ask for it."""

    def judge(self, card: Card, evidence: Evidence) -> Iterable[CheckResult]:
        """A result for each of these names, in their order."""


CHECKS: tuple[Check, ...] = (OutputsCheck(), LayersCheck(), AccuracyCheck(), MemoryCheck(), BudgetChecks())
"""In the order in which they are reported."""


def check_names(card: Card, board: str) -> tuple[str, ...]:
    """Names of the checks that a card asks for on `board`, in the order in which they are reported."""
    return tuple(name for check in CHECKS for name in check.names(card, board))
