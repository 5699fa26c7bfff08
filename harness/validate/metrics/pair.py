"""The values that metrics compare."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.validate.classification import Reals


@dataclass(frozen=True, eq=False)
class OutputPair:
    """One output over all vectors, in real numbers: scale * (q - zero_point) where it is quantized.

    Attributes:
        reference, board: [vectors, ...], of equal shape.
        classes: whether the output is a classifier's.
    """

    reference: Reals
    board: Reals
    classes: bool

    @cached_property
    def r(self) -> Reals:
        """The reference's values as one flat list."""
        return self.reference.ravel()

    @cached_property
    def v(self) -> Reals:
        """The board's values as one flat list."""
        return self.board.ravel()

    @cached_property
    def e(self) -> Reals:
        """The error, r - v."""
        return self.r - self.v

    @cached_property
    def squared_error(self) -> float:
        """sum(e^2)."""
        return float(np.sum(self.e * self.e))


def ratio(above: float, below: float) -> float:
    """above / below; 0 when both are 0, infinite when only `below` is."""
    if below == 0.0:
        return 0.0 if above == 0.0 else float("inf")
    return above / below
