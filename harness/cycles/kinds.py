"""Kinds of load that a model of cycles errs on differently, and what a layer's profile says which it is.

The error of a figure is that of its kind in the board's table: whole networks that were compared with silicon are
integer convolutions, fully connected layers whose weights stream from flash, or float.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.cycles.instruction import Class, Instruction

FLOAT_SHARE = 0.05
"""Least share of float operations in the executed instructions of a float load. Software floats are not seen."""
STREAMED_SHARE = 0.1
"""Least share of the cycles that a streamed load waits for lines which its loads miss."""
VALIDATED_SHARE = 0.95
"""Least share of the cycles in kinds with results, for an inference to be validated."""

_FLOATS = frozenset(
    {Class.FP_ADD, Class.FP_MULTIPLY, Class.FP_MAC, Class.FP_DIVIDE, Class.FP_CONVERT, Class.FP_COMPARE}
)


class LoadKind(StrEnum):
    """Kind of load; the value is its name in tables and documents."""

    INTEGER = "integer"
    """Integer code that seldom waits for data: convolutions."""
    STREAMED = "streamed"
    """Integer code that waits for lines of data, used once: fully connected layers with weights in flash."""
    FLOAT = "float"
    """Floating point."""


@dataclass(frozen=True)
class KindError:
    """How far figures of one kind may be off.

    Attributes:
        error: |modelled / measured - 1| at most.
        results: number of measured whole networks of this kind that it was compared with; None where the table only
            states one error for all kinds.
        validated: whether there were any.
    """

    error: float
    results: int | None
    validated: bool

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        """What is measured where `low` to `high` is modelled."""
        return low / (1 + self.error), high / (1 - self.error)


def kind_of_load(
    counts: Mapping[int, int], code: Mapping[int, Instruction], load_stalls: float, cycles: float
) -> LoadKind:
    """The kind of a layer.

    Args:
        counts: address -> executions of the instruction there.
        code: the instructions.
        load_stalls: cycles of waiting for lines that loads miss.
        cycles: all.
    """
    floats = sum(count for address, count in counts.items() if count and code[address].kind in _FLOATS)
    return kind_by_shares(floats / max(sum(counts.values()), 1), load_stalls / max(cycles, 1))


def kind_by_shares(floats: float, load_stalls: float) -> LoadKind:
    """The kind by the share of float operations in instructions, and of waiting for loads in cycles."""
    if floats >= FLOAT_SHARE:
        return LoadKind.FLOAT
    return LoadKind.STREAMED if load_stalls >= STREAMED_SHARE else LoadKind.INTEGER
