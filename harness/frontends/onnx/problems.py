"""What an ONNX file uses and tinyhil does not compile, collected for one message."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import UnsupportedModelError
from harness.frontends.uses import UnsupportedUses

_MOST = 12
"""Entries of a group that the message names."""


@dataclass
class Refusals(UnsupportedUses):
    """Operators, types and features that have no exact form here."""

    def error(self, place: str) -> UnsupportedModelError | None:
        """One error for all of them; None when there are none."""
        listed = self.listed(_MOST)
        if not listed:
            return None
        return UnsupportedModelError(
            f"{place}: not supported: {listed}",
            hint="`tinyhil docs onnx` says what has a form; replace these in the network, and export again",
        )
