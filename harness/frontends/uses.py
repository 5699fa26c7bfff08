"""What a model file uses and tinyhil does not compile, counted for one message."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class UnsupportedUses:
    """Operators, types and features, with counts, in order of appearance."""

    operators: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    features: Counter[str] = field(default_factory=Counter)

    def listed(self, most: int | None = None) -> str:
        """All of them, such as "operators: CONV x2; types: int4 x1"; "" where there are none.

        `most` entries of a group are named; None names all.
        """
        groups = {"operators": self.operators, "types": self.types, "features": self.features}
        return "; ".join(f"{title}: {_entries(counter, most)}" for title, counter in groups.items() if counter)


def _entries(counter: Counter[str], most: int | None) -> str:
    named = [f"{what} x{n}" for what, n in list(counter.items())[:most]]
    more = len(counter) - len(named)
    return ", ".join(named) + (f" and {more} others" if more else "")
