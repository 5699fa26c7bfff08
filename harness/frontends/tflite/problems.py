"""What a .tflite file uses and tinyhil does not compile, collected for one message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.errors import UnsupportedModelError
from harness.frontends.foreign import step_for


@dataclass
class Problems:
    """Operators, types and features that tinyhil does not compile, with counts, in order of appearance."""

    operators: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    features: Counter[str] = field(default_factory=Counter)
    pairs: set[tuple[str, str]] = field(default_factory=set)

    def error(self, place: str, supported: Iterable[str]) -> UnsupportedModelError | None:
        """One error for all of them; None when there are none. `supported` are the operators that are compiled."""
        groups = [
            (title, ", ".join(f"{what} x{n}" for what, n in counter.items()))
            for title, counter in (
                ("operators", self.operators),
                ("types", self.types),
                ("features", self.features),
            )
            if counter
        ]
        if not groups:
            return None
        hint = step_for(self.operators, self.types, self.pairs, self.features) or (
            "tinyhil compiles int8, int16x8 and float32 (`tinyhil analyze --ops`), and the operators "
            + ", ".join(supported)
        )
        return UnsupportedModelError(
            f"{place}: not supported: " + "; ".join(f"{title}: {text}" for title, text in groups), hint=hint
        )
