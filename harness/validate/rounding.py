"""How far floats may lie from a reference that another C library computes: of what exp, log, tanh and sin follow.

tinyhil computes these the same everywhere, host, emulator and board (harness/quantization/elementary.py); TFLM takes
those of the machine it runs on, whose last bit differs. What an operator adds is its `ulp`; what is computed from such
a value is held to a share of the tensor's largest value. Everything else must be the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from harness.ir.graph import ABSENT, Graph
from harness.ir.operators import operator_of
from harness.ir.operators.operator import Operator
from harness.quantization.types import Array, DType

SHARE = 2.0**-16
"""Of the largest value of a tensor that follows from inexact ones."""


@dataclass(frozen=True)
class Allowance:
    """What a tensor's elements may differ by.

    Attributes:
        ulp: of float32, units in the last place of each element, or of `least` where that is larger.
        share: of float32, of the largest element.
        lsb: of integers.
    """

    ulp: int = 0
    least: float = 0.0
    share: float = 0.0
    lsb: int = 0

    def covers(self, expected: Array, got: Array) -> npt.NDArray[np.bool_]:
        """Whether each element differs by no more than that."""
        if expected.dtype != np.float32:
            apart = np.abs(got.astype(np.float64) - expected.astype(np.float64))
            return np.asarray(apart <= self.lsb)
        want, have = expected.astype(np.float64), got.astype(np.float64)
        finite = np.isfinite(want) & np.isfinite(have)
        with np.errstate(all="ignore"):
            apart = np.abs(have - want)
            size = np.maximum(np.abs(expected), np.float32(self.least)).astype(np.float32)
            room = self.ulp * np.spacing(size).astype(np.float64)
        most = float(np.abs(want[finite]).max(initial=0.0))
        close = apart <= np.maximum(room, self.share * most)
        return np.asarray((finite & close) | (np.isnan(want) & np.isnan(have)) | (want == have))


EXACT = Allowance()


def allowance_of(operator: Operator) -> Allowance:
    """Of its float results, from inputs that are the same."""
    return Allowance(operator.ulp, operator.ulp_least)


def allowances(graph: Graph) -> Mapping[int, Allowance]:
    """Allowance of each tensor that needs one, by id."""
    found: dict[int, Allowance] = {}
    for node in graph.nodes:
        operator = operator_of(node)
        inexact = any(t != ABSENT and t in found for t in node.inputs) or any(map(allowances, node.attrs.graphs))
        for t in node.outputs:
            if graph.tensors[t].dtype is not DType.FLOAT32:
                if inexact:
                    found[t] = Allowance(lsb=1)
            elif inexact:
                found[t] = replace(allowance_of(operator), share=SHARE)
            elif operator.ulp:
                found[t] = allowance_of(operator)
    return found
