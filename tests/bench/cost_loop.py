"""One more loop of kernels that have coefficients: fitted alone, the others stay as they are.

A loop that a new property of layers adds, such as their rounding, is in no layer that was profiled before.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.kernels.cost_coefficients import KernelCoefficients, Row
from tests.bench.cost_fit import Sample


def with_loop(entry: KernelCoefficients, loop: str, samples: Sequence[Sample]) -> KernelCoefficients:
    """The coefficients with that of `loop`, from layers that run it: what they take beyond the other loops.

    Raises:
        ValueError: no layer runs it.
    """
    used = [sample for sample in samples if sample.loops.get(loop)]
    if not used:
        raise ValueError(f"no layer runs '{loop}'")
    rows: dict[str, Row] = {}
    for name in ("instructions", "cycles", "apart"):
        row = {key: value for key, value in getattr(entry, name).items() if key != loop}
        above = below = 0.0
        for sample in used:
            whole, times = getattr(sample, name), sample.loops[loop]
            rest = whole - sum(row.get(key, 0.0) * count for key, count in sample.loops.items())
            weight = 1 / max(sample.cycles, 1.0) ** 2
            above, below = above + weight * rest * times, below + weight * times * times
        rows[name] = {**row, loop: float(f"{max(above / below, 0.0):.5g}")}
    zeros = {name: {**row, loop: 0.0} for name in ("fetch", "data") if (row := getattr(entry, name))}
    return entry.model_copy(update={**rows, **zeros})
