"""What an ONNX file uses and tinyhil does not compile, collected for one message."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.errors import UnsupportedModelError

_MOST = 12
"""Entries of a group that the message names."""


@dataclass
class Refusals:
    """Operators, types and features that have no exact form here, with counts, in order of appearance."""

    operators: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    features: Counter[str] = field(default_factory=Counter)

    def error(self, place: str) -> UnsupportedModelError | None:
        """One error for all of them; None when there are none."""
        groups = [
            f"{title}: {_listed(counter)}"
            for title, counter in (
                ("operators", self.operators),
                ("types", self.types),
                ("features", self.features),
            )
            if counter
        ]
        if not groups:
            return None
        return UnsupportedModelError(
            f"{place}: not supported: {'; '.join(groups)}",
            hint="`tinyhil docs onnx` says what has a form; replace these in the network, and export again",
        )


def _listed(counter: Counter[str]) -> str:
    named = [f"{what} x{n}" for what, n in list(counter.items())[:_MOST]]
    more = len(counter) - len(named)
    return ", ".join(named) + (f" and {more} others" if more else "")
