"""Cost coefficients of loops from profiles: least squares without negative ones, on relative errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.kernels.cost_coefficients import Function, KernelCoefficients

Floats = npt.NDArray[np.float64]

KNOWN_WEIGHT = 3.0
"""How much more a layer of a known network counts than a generated one."""
SHARPENED, AT_MOST = 12, 30.0
"""Rounds in which layers of known networks that come out worst get more weight, and how much more in all."""


@dataclass(frozen=True)
class Sample:
    """One profiled layer.

    Attributes:
        layer: what it is called in tables.
        known: whether it is of a network that is named, not a generated one.
        kernel: its class name; core: that ran it.
        loops: how often each loop ran, `layer` included.
        instructions: executed.
        cycles: modelled core cycles with one memory that is never waited for; apart: what they are more with the
            board's memories.
        code: function that layers share -> lines of it that were executed; fresh: those of them that were not in the
            cache before.
        fetch, data: lines of code, and of constants besides those of reuse, missed in the board's caches.
        stalled: predicted modelled cycles of waiting for lines that are read again.
        board_cycles: modelled cycles on the board; 0 where no board's memory is known.
        predicted: (instructions, cycles) by the coefficients that were there before.
    """

    layer: str
    known: bool
    kernel: str
    core: str
    loops: dict[str, float]
    code: dict[str, float]
    fresh: float
    instructions: float
    cycles: float
    apart: float
    fetch: float
    data: float
    stalled: float
    board_cycles: float
    fetch_stall: float
    data_stall: float
    small_cache: bool
    predicted: tuple[float, float]
    basis: str


def fit(samples: Sequence[Sample]) -> KernelCoefficients:
    """Cost coefficients of one kernel on one core."""
    loops = list(dict.fromkeys(loop for sample in samples for loop in sample.loops))
    work = np.array([[sample.loops.get(loop, 0.0) for loop in loops] for sample in samples])
    known = np.array([sample.known for sample in samples])

    def row(values: Sequence[float], scale: Floats) -> dict[str, float]:
        found = _coefficients(work, np.array(values, np.float64), scale, known)
        return dict(zip(loops, (_rounded(value) for value in found), strict=True))

    instructions = np.array([sample.instructions for sample in samples], np.float64)
    cycles = np.array([sample.board_cycles or sample.cycles for sample in samples], np.float64)
    code: tuple[Function, ...] = ()
    rows = {"instructions": row(list(instructions), instructions), "cycles": row([s.cycles for s in samples], cycles)}
    if samples[0].board_cycles:
        rows["apart"] = row([sample.apart for sample in samples], cycles)
        rows["fetch"], part = _fetch(samples, loops, cycles / max(samples[0].fetch_stall, 1e-9))
        code = _code(samples, loops, part)
        rows["data"] = row([s.data for s in samples], cycles / max(samples[0].data_stall, 1e-9))
    predicted = work @ np.array([rows["instructions"][loop] for loop in loops])
    error = float(np.abs(predicted / instructions - 1).max())
    kept = {name: r for name, r in rows.items() if name in ("instructions", "cycles") or any(r.values())}
    return KernelCoefficients(layers=len(samples), error=_rounded(error), code=code, **kept)


def _fetch(samples: Sequence[Sample], loops: Sequence[str], scale: Floats) -> tuple[dict[str, float], float]:
    """Lines missed per run of a loop, and the part of code not in the cache before that is missed."""
    # Loops outgrow small caches alone.
    used = loops if samples[0].small_cache else ("layer",)
    work = np.array([[sample.fresh, *(sample.loops.get(loop, 0.0) for loop in used)] for sample in samples])
    known = np.array([sample.known for sample in samples])
    part, *found = _coefficients(work, np.array([sample.fetch for sample in samples]), scale, known)
    fitted = dict(zip(used, (_rounded(value) for value in found), strict=True))
    return {loop: fitted.get(loop, 0.0) for loop in loops}, float(part)


def _code(samples: Sequence[Sample], loops: Sequence[str], part: float) -> tuple[Function, ...]:
    """The functions that layers share, each with the loop that tells best which layers execute it.

    Lines are the mean over layers of known networks, where there are some.
    """
    found: list[Function] = []
    for name in sorted({name for sample in samples for name in sample.code}):
        lines: dict[bool, list[float]] = {True: [], False: []}
        for sample in samples:
            if name in sample.code:
                lines[sample.known].append(sample.code[name])

        def wrong(loop: str) -> int:
            return sum((sample.loops.get(loop, 0) > 0) != (name in sample.code) for sample in samples)  # noqa: B023

        loop = min(("layer", *loops), key=wrong)
        if wrong(loop) < len(lines[True]) + len(lines[False]):
            mean = float(np.mean(lines[True] or lines[False]))
            found.append(Function(name=name, loop=loop, lines=_rounded(part * mean)))
    return tuple(found)


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")


def _coefficients(work: Floats, values: Floats, scale: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """Coefficients whose errors, in units of `scale`, are small: squared, and for known layers the largest too."""
    rows, wanted = work / scale[:, None], values / scale
    weights = np.where(known, KNOWN_WEIGHT, 1.0)
    best, least = np.zeros(work.shape[1]), np.inf
    for _ in range(SHARPENED if known.any() else 1):
        root = np.sqrt(weights)
        tried = nnls(rows * root[:, None], wanted * root)
        errors = np.abs(rows @ tried - wanted)
        score = float(errors[known].max() if known.any() else 0) + 0.1 * float(np.sqrt(np.mean(errors**2)))
        if score < least:
            best, least = tried, score
        worst = errors / max(errors[known].max(), 1e-12) if known.any() else errors
        weights = np.where(known, np.minimum(weights * (0.5 + 1.5 * worst), KNOWN_WEIGHT * AT_MOST), 1.0)
    return best


def nnls(a: Floats, b: Floats) -> Floats:
    """x >= 0 that minimizes |a x - b|: Lawson and Hanson, Solving Least Squares Problems, chapter 23."""
    size = a.shape[1]
    norms = np.linalg.norm(a, axis=0)
    norms[norms == 0] = 1
    a = a / norms
    x, passive = np.zeros(size), np.zeros(size, bool)
    for _ in range(10 * size):
        gradient = a.T @ (b - a @ x)
        gradient[passive] = -np.inf
        if passive.all() or gradient.max() <= 1e-10:
            break
        passive[int(gradient.argmax())] = True
        while True:
            trial = np.zeros(size)
            trial[passive] = np.linalg.lstsq(a[:, passive], b, rcond=None)[0]
            if (trial[passive] > 0).all():
                x = trial
                break
            falling = passive & (trial <= 0)
            step = (x[falling] / np.maximum(x[falling] - trial[falling], 1e-300)).min()
            x = x + step * (trial - x)
            passive &= x > 1e-14
            x[~passive] = 0
            if not passive.any():
                break
    result: Floats = x / norms
    return result
