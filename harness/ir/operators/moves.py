"""Moves: what an operator that only copies elements says of itself, from which kernels follow; see Operator.moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Move:
    """Elements of one input that become elements of one output, by a nest of loops.

    Attributes:
        loops: (iterations, step in the input, step in the output) in elements, the outermost first.
        source, target: positions among the node's inputs and outputs.
        start, to: first element read, and first one written.
    """

    loops: tuple[tuple[int, int, int], ...]
    source: int = 0
    target: int = 0
    start: int = 0
    to: int = 0


def dense(shape: Sequence[int]) -> tuple[int, ...]:
    """Step per dimension of a row-major tensor, in elements."""
    steps, step = [0] * len(shape), 1
    for i in reversed(range(len(shape))):
        steps[i] = step
        step *= shape[i]
    return tuple(steps)


def loops(counts: Sequence[int], reading: Sequence[int], writing: Sequence[int]) -> tuple[tuple[int, int, int], ...]:
    """Loops of these iterations and steps."""
    return tuple(zip(counts, reading, writing, strict=True))
