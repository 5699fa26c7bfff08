"""What a .tflite file uses and tinyhil does not compile, collected for one message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.errors import UnsupportedModelError
from harness.frontends.foreign import step_for
from harness.frontends.uses import UnsupportedUses


@dataclass
class Problems(UnsupportedUses):
    """Operators, types and features that tinyhil does not compile."""

    pairs: set[tuple[str, str]] = field(default_factory=set)

    def error(self, place: str, supported: Iterable[str]) -> UnsupportedModelError | None:
        """One error for all of them; None when there are none. `supported` are the operators that are compiled."""
        listed = self.listed()
        if not listed:
            return None
        hint = step_for(self.operators, self.types, self.pairs, self.features) or (
            "tinyhil compiles int8, int16x8 and float32 (`tinyhil analyze --ops`), and the operators "
            + ", ".join(supported)
        )
        return UnsupportedModelError(f"{place}: not supported: {listed}", hint=hint)
