"""Records of a comparison: what changed of each figure, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.errors import Category
from harness.history.metrics import Better, metric_of
from harness.history.records import FigureKey, Number, RunSubject, StoredRun


class Change(StrEnum):
    """What became of a figure, a run, or all that was compared.

    UNSTABLE: it differs between repeats of one run though it is exact, or scatters so much that nothing can be said.
    NEW and MISSING: only the candidate has it, or only the base. ERROR: the candidate was not measured.
    """

    REGRESSED = "regressed"
    ERROR = "error"
    MISSING = "missing"
    UNSTABLE = "unstable"
    IMPROVED = "improved"
    NEW = "new"
    UNCHANGED = "unchanged"


WORST_FIRST = tuple(Change)


def worst(changes: Iterable[Change]) -> Change:
    """The one that counts for all of them; UNCHANGED for none."""
    return min(changes, key=WORST_FIRST.index, default=Change.UNCHANGED)


def change_of(figure: FigureKey, difference: float, allowed: float) -> Change:
    """What a difference means for a figure, of which `allowed` is let pass."""
    worse = difference if metric_of(figure.metric).better is not Better.HIGHER else -difference
    if worse > allowed:
        return Change.REGRESSED
    return Change.IMPROVED if worse < -allowed else Change.UNCHANGED


@dataclass(frozen=True)
class Delta:
    """One figure of base and candidate.

    Attributes:
        figure: metric and unit; both sides have the same.
        layer: its name, or "" for a figure of the whole run.
        base, cand: medians; None where a side has none.
        allowed: the largest change for the worse that the policy allows, in the unit.
        noise: the largest change that is noise, in the unit; 0 of an exact figure.
        repeats: how many measurements each side is of.
        note: why it is unstable, or what else there is to say.
    """

    figure: FigureKey
    layer: str
    base: Number | None
    cand: Number | None
    change: Change
    allowed: float = 0.0
    noise: float = 0.0
    repeats: tuple[int, int] = (1, 1)
    note: str = ""

    @property
    def difference(self) -> Number | None:
        """Candidate less base; None where a side has none."""
        return None if self.base is None or self.cand is None else self.cand - self.base

    @property
    def share(self) -> float | None:
        """The difference as a share of the base; None where there is none, or the base is 0."""
        return self.difference / abs(self.base) if self.difference is not None and self.base else None


@dataclass(frozen=True)
class SubjectComparison:
    """One model on one board, before and after.

    Attributes:
        base, cand: the runs that were compared, those of one side being repeats; empty where a side has none.
        deltas: of all figures that differ, the worst first; equal ones only in `counts`.
        counts: how many figures each word was said of.
        causes: what else differs between the two sides, in words: model, compiler, oracle, vectors.
    """

    subject: RunSubject
    base: tuple[StoredRun, ...]
    cand: tuple[StoredRun, ...]
    change: Change
    deltas: tuple[Delta, ...] = ()
    counts: Mapping[Change, int] = field(default_factory=dict)
    causes: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class RunComparison:
    """Everything that was compared.

    Attributes:
        base, cand: what they were called.
        fails: whether it fails under the policy.
    """

    base: str
    cand: str
    subjects: tuple[SubjectComparison, ...]
    fails: bool

    @property
    def change(self) -> Change:
        """The word for all of them."""
        return worst([subject.change for subject in self.subjects])

    @property
    def exit_code(self) -> int:
        """1 where it fails; 4 where a candidate was not measured; else 0."""
        if self.fails:
            return Category.CHECK.value
        return Category.INFRASTRUCTURE.value if self.change is Change.ERROR else 0

    def count(self, change: Change) -> int:
        """How many subjects a word was said of."""
        return sum(subject.change is change for subject in self.subjects)
