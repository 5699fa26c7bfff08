"""Iterations of a row schedule that differ only in evenly moving pointers, merged into loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.kernels.base import Argument, At, Call, ConstantTable, Repeat


def merge_repeats(iterations: Sequence[Sequence[Call]]) -> tuple[tuple[Call, ...], tuple[Repeat, ...]]:
    """The calls of all iterations in order, each run of iterations that can be a loop given by its first.

    Returns:
        The calls, and which of them are repeated how often. Iterations are a run where they make the same calls with
        the same shapes and constants, and each pointer moves by the same number of bytes from one to the next.
    """
    calls: list[Call] = []
    repeats: list[Repeat] = []
    at = 0
    while at < len(iterations):
        times = 1
        moves: list[tuple[int, ...]] | None = None
        while at + times < len(iterations):
            found = _pointer_moves(iterations[at + times - 1], iterations[at + times])
            if found is None or (moves is not None and found != moves):
                break
            moves, times = found, times + 1
        iteration = list(iterations[at])
        if moves is not None:
            repeats.append(Repeat(len(calls), len(iteration), times))
            iteration = [
                replace(call, arguments=tuple(map(_with_step, call.arguments, by)))
                for call, by in zip(iteration, moves, strict=True)
            ]
        calls += iteration
        at += times
    return tuple(calls), tuple(repeats)


def _pointer_moves(one: Sequence[Call], two: Sequence[Call]) -> list[tuple[int, ...]] | None:
    """Bytes by which each argument moves from one iteration to the next; None where they differ otherwise."""
    if len(one) != len(two):
        return None
    found = []
    for a, b in zip(one, two, strict=True):
        if a.function != b.function or a.shape != b.shape or len(a.arguments) != len(b.arguments):
            return None
        moves = [_pointer_move(x, y) for x, y in zip(a.arguments, b.arguments, strict=True)]
        if any(move is None for move in moves):
            return None
        found.append(tuple(move for move in moves if move is not None))
    return found


def _pointer_move(a: Argument, b: Argument) -> int | None:
    if isinstance(a, At) and isinstance(b, At):
        return b.offset - a.offset if (a.tensor, a.ctype) == (b.tensor, b.ctype) else None
    if isinstance(a, ConstantTable) and isinstance(b, ConstantTable):
        same = a.data is b.data or (a.ctype == b.ctype and a.name == b.name and np.array_equal(a.data, b.data))
        return 0 if same else None
    return 0 if a == b else None


def _with_step(argument: Argument, by: int) -> Argument:
    return replace(argument, step=by) if isinstance(argument, At) else argument
