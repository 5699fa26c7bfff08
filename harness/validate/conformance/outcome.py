"""What became of each model of a suite."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ModelStatus(Enum):
    """What became of a model."""

    EXACT = "exact"
    """Every output is the reference's, bit for bit."""
    WITHIN = "within ULP"
    """Floats that differ by no more than their operators state (Operator.ulp)."""
    REFUSED = "refused"
    """It is not compiled, or has no room on the board; the reason says why."""
    WRONG = "wrong"
    """An output differs."""
    ERROR = "error"
    """Nothing is known: the oracle or the device crashed, or the model's files cannot be used."""


@dataclass(frozen=True)
class ModelOutcome:
    """What became of a model.

    Attributes:
        name: of the case.
        operators: names of the operators in the file, each once, sorted; none where it cannot be read.
        concerned: those of them that it counts for: the one that differs first, or those refused, where known.
        status: see ModelStatus.
        reason: why it is not exact; "" where it is.
        reference: "golden files" or the oracle; "" where nothing was compared.
        vectors: how many were compared.
    """

    name: str
    operators: tuple[str, ...]
    concerned: tuple[str, ...]
    status: ModelStatus
    reason: str = ""
    reference: str = ""
    vectors: int = 0


@dataclass(frozen=True)
class SuiteResult:
    """All models of a suite on a board.

    Attributes:
        board: the board asked for.
        images: how many images were built.
        outcomes: of all models, in the order of the suite.
    """

    board: str
    images: int
    outcomes: tuple[ModelOutcome, ...]

    def count(self, status: ModelStatus) -> int:
        """How many models have a status."""
        return sum(outcome.status is status for outcome in self.outcomes)

    def passes(self, *, refusals: bool = True) -> bool:
        """Whether no model is wrong and none ended in an error; with `refusals` False nor was one refused."""
        bad = {ModelStatus.WRONG, ModelStatus.ERROR} | (set() if refusals else {ModelStatus.REFUSED})
        return not any(outcome.status in bad for outcome in self.outcomes)
