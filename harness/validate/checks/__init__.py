"""Checks of a run, as its card asks for. A check is a file here and its line in CHECKS.

A check that cards can configure has a field in harness.validate.card.schema.Checks, too.
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
from harness.validate.checks.places import PlacesCheck
from harness.validate.checks.result import CheckResult, Status
from harness.validate.checks.task import TASK_CHECKS
from harness.validate.evidence import Evidence

__all__ = ["CHECKS", "Check", "CheckResult", "Evidence", "Status", "check_names"]


class Check(Protocol):
    """A check: gives results for a run if the card asks for it."""

    def names(self, card: Card, board: str) -> tuple[str, ...]:
        """Names of the results of `judge` for this card on this board; () if the card does not ask for it."""

    def judge(self, card: Card, evidence: Evidence) -> Iterable[CheckResult]:
        """A result for each of `names`, in order."""


CHECKS: tuple[Check, ...] = (
    OutputsCheck(),
    LayersCheck(),
    PlacesCheck(),
    AccuracyCheck(),
    *TASK_CHECKS,
    MemoryCheck(),
    BudgetChecks(),
)
"""All checks, in the order of reports."""


def check_names(card: Card, board: str) -> tuple[str, ...]:
    """Names of the checks that a card asks for on `board`, in the order of reports."""
    return tuple(name for check in CHECKS for name in check.names(card, board))
