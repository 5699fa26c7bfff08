"""Costs of TFLM's loops, fitted to measured layers: non-negative least squares, every layer's error relative to it.

What is shipped is fitted to all measured layers, generated ones and those of real models. Errors are of layers and
models that were not fitted: costs are fitted to generated layers alone, and real ones are estimated; kernels that no
generated layer has are fitted to the layers of other real models.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.tflm.loops import loops
from harness.tflm.loops.products import product
from harness.tflm.records import MeasuredLayer
from tests.bench.cost_fit import nnls

Costs = dict[str, float]
"""What is done -> instructions."""

Kernel = tuple[str, str]
"""Operator and kernel."""

OF_THE_LIBRARY = ("copy", "fill")
"""Counts whose first word is this are of memcpy and memset: they cost the same wherever they are called."""

LIBRARY, PRODUCT = "library", "product"
OF_ONE_PRODUCT = (("CONV_2D", "1x1"), ("CONV_2D", "1x1 strided"), ("FULLY_CONNECTED", "as 1x1"))
"""Kernels that do little but one product of matrices."""

_PRODUCT = frozenset({*product(1, 1, 1, mve=True), *product(1, 1, 1, mve=False)})

FOLDS = 5
_FEW = 5
TOO_FEW = 3
"""Fewer layers do not tell the loops of a kernel apart."""

LAYER, MULTIPLIED = "layer", "product"
_GUESSED = 0.25
"""The error that is told where too few layers were measured to see one."""

_LEAST = 0.01
_MOST_ERROR = 1.0


@dataclass(frozen=True)
class Sample:
    """A measured layer on a core; `row` is its place in the table of layers."""

    row: int
    kernel: Kernel
    counts: Mapping[str, float]
    value: int
    generated: bool


def samples(layers: Sequence[MeasuredLayer], core: str) -> list[Sample]:
    """Layers whose costs can be fitted: without convolutions that TFLM got wrong, which it may have left out."""
    found = []
    for row, measured in enumerate(layers):
        counted = loops(measured.layer, core)
        if counted is None or (measured.layer.op == "CONV_2D" and core in measured.wrong):
            continue
        kernel = measured.layer.op, counted.kernel
        found.append(Sample(row, kernel, counted.counts, measured.values[core], measured.generated))
    return told_apart(found)


def fit(taken: Iterable[Sample]) -> dict[Kernel, Costs]:
    """The costs of each kernel; those that share what they do are fitted together."""
    groups: dict[Kernel | str, list[Sample]] = defaultdict(list)
    for one in taken:
        groups[_group(one)].append(one)
    found: dict[Kernel, Costs] = {}
    for group, members in groups.items():
        rows = [{_column(name, one, group): count for name, count in one.counts.items() if count} for one in members]
        columns = _solve(rows, [one.value for one in members])
        shared = {name: cost for name, cost in columns.items() if isinstance(group, str) and _is_shared(name, group)}
        for one in members:
            own = found.setdefault(one.kernel, dict(shared))
            own |= {name: columns.get(_column(name, one, group), 0.0) for name, count in one.counts.items() if count}
    return found


def _group(one: Sample) -> Kernel | str:
    """What a sample is fitted with: its kernel, or what several have in common."""
    if any(one.counts.get(name) for name in OF_THE_LIBRARY):
        return LIBRARY
    return PRODUCT if one.kernel in OF_ONE_PRODUCT else one.kernel


def _is_shared(name: str, group: str) -> bool:
    """Whether what is counted costs the same in all kernels of a group."""
    return name in _PRODUCT if group == PRODUCT else name.split(" ")[0] in OF_THE_LIBRARY


def _column(name: str, one: Sample, group: Kernel | str) -> str:
    return name if not isinstance(group, str) or _is_shared(name, group) else f"{one.kernel}: {name}"


def _solve(rows: Sequence[Mapping[str, float]], values: Sequence[int]) -> Costs:
    names = sorted({name for row in rows for name in row})
    if len(rows) < TOO_FEW:  # the layer itself, and what is done most often
        often = sorted(names, key=lambda name: (-sum(row.get(name, 0) for row in rows), name != LAYER))
        names = sorted({LAYER, often[0]} & set(names)) if len(rows) > 1 else often[:1]
    matrix = np.array([[row.get(name, 0) / value for name in names] for row, value in zip(rows, values, strict=True)])
    costs = nnls(matrix, np.ones(len(values)))
    return {name: float(f"{cost:.5g}") for name, cost in zip(names, costs, strict=True)}


def told_apart(taken: Sequence[Sample]) -> list[Sample]:
    """The samples of kernels that can be fitted: of those that multiply, enough have to be measured."""
    number = Counter(one.kernel for one in taken)
    return [one for one in taken if number[one.kernel] >= TOO_FEW or not one.counts.get(MULTIPLIED)]


def estimated(costs: Mapping[Kernel, Costs], one: Sample) -> float | None:
    """Instructions of a layer by these costs; None without costs for its kernel."""
    own = costs.get(one.kernel)
    return None if own is None else sum(own.get(name, 0.0) * count for name, count in one.counts.items())


def generated_only(taken: Sequence[Sample], without: Collection[int] = ()) -> list[Sample]:
    """Generated layers, and of kernels that have none those of real models, without some rows."""
    has = {one.kernel for one in taken if one.generated}
    return [one for one in taken if one.generated or (one.kernel not in has and one.row not in without)]


def errors(taken: Sequence[Sample]) -> dict[Kernel, float]:
    """For each kernel the error that nine of ten layers that were not fitted are within."""
    seen: dict[Kernel, list[float]] = defaultdict(list)
    has = {one.kernel for one in taken if one.generated}
    held = fit(generated_only(taken))
    for one in taken:
        if not one.generated and one.kernel in has:
            seen[one.kernel].append(_error(held, one))
    folded: dict[Kernel, list[float]] = defaultdict(list)
    basis = generated_only(taken)
    for fold in range(FOLDS):
        costs = fit(one for place, one in enumerate(basis) if place % FOLDS != fold)
        for place, one in enumerate(basis):
            if place % FOLDS == fold:
                folded[one.kernel].append(_error(costs, one))
    return {kernel: _told(seen[kernel], folded[kernel]) for kernel in {one.kernel for one in taken}}


def _error(costs: Mapping[Kernel, Costs], one: Sample) -> float:
    value = estimated(costs, one)
    return _MOST_ERROR if value is None else abs(value / one.value - 1)


def _told(real: Sequence[float], folded: Sequence[float]) -> float:
    """The error to tell: of real layers if there are some, else of generated ones that were left out in turn."""
    best = real if len(real) >= _FEW else folded
    told = float(np.quantile(best, 0.9)) if len(best) >= _FEW else _GUESSED
    return round(min(max(told, _LEAST), _MOST_ERROR), 4)
