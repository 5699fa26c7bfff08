"""How far estimates of whole models are from measured ones that were not fitted: instructions, arena, flash, stack."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from harness.tflm import records
from harness.tflm.arena import counts, kept, planned
from harness.tflm.costs import PROGRAM, stack_key
from harness.tflm.layer import SIZES
from harness.tflm.reading import TflmModel, TflmTensor
from harness.tflm.records import RecordedModel
from harness.tflm.scratch import STATES
from tests.bench.cost_fit import nnls
from tests.bench.tflm_fit import Costs, errors, estimated, fit, generated_only, samples


@dataclass(frozen=True)
class HeldOut:
    """A model that was not fitted.

    Attributes:
        kind: what it computes with, such as "int8".
        measured: instructions.
        estimated: None where a layer is not known.
    """

    name: str
    core: str
    kind: str
    measured: int
    estimated: float | None

    @property
    def error(self) -> float | None:
        """Of the estimate, relative; positive if it is too much."""
        return None if self.estimated is None else self.estimated / self.measured - 1


def held_out(core: str) -> list[HeldOut]:
    """All real models on a core, each by costs that were not fitted to layers that it alone has."""
    layers = records.layers()
    taken = samples(layers, core)
    by_row = {one.row: one for one in taken}
    has = {one.kernel for one in taken if one.generated}
    base = fit(one for one in taken if one.generated)
    real = [model for model in records.models() if not model.generated]
    uses = Counter(row for model in real for row in set(model.rows))
    found = []
    for model in real:
        alone = {row for row in model.rows if uses[row] == 1}
        own = [by_row.get(row) for row in model.rows]
        missing = {one.kernel for one in own if one is not None} - has
        costs = base | fit(one for one in generated_only(taken, alone) if one.kernel in missing)
        base_of = around(core, (other for other in real if other is not model))
        parts = [None if one is None else estimated(costs, one) for one in own]
        whole = None if None in parts else sum(part or 0 for part in parts) + base_of[0] + base_of[1] * len(parts)
        found.append(HeldOut(model.name, core, model.kind, model.runs[core].total, whole))
    return found


def around(core: str, models: Iterable[RecordedModel]) -> tuple[float, float]:
    """Instructions of the interpreter: for an inference, and for each operator of it."""
    runs = [(model.runs[core], len(model.rows)) for model in models]
    spent = np.array([run.total - sum(run.layers) for run, _ in runs], float)
    rows = np.array([(1.0, count) for _, count in runs])
    base, each = nnls(rows / spent[:, None], np.ones(len(spent)))
    return round(float(base), 2), round(float(each), 3)


def memory_of(model: RecordedModel) -> TflmModel | None:
    """What decides the arena of a recorded model; None where its file was not there when the record was made."""
    table = records.layers()
    layers = tuple(table[row].layer for row in model.rows)
    if model.memory is not None:
        return TflmModel(layers, model.memory.tensors, model.memory.count, model.memory.ends, model.size)
    if not model.generated:
        return None
    (layer,) = layers
    inputs = [
        (shape, layer.types[0 if place == 0 else 1])
        for place, shape in enumerate(layer.inputs)
        if shape is not None and place not in (*layer.constants, *STATES.get(layer.op, ()))
    ]
    ends = [*inputs, *((shape, layer.types[2]) for shape in layer.outputs)]
    tensors = tuple(TflmTensor(prod(shape) * SIZES.get(kind, 1), 0, 0) for shape, kind in ends)
    return TflmModel(layers, tensors, len(layer.constants) + len(ends), len(ends), model.size)


def arena_parts(core: str) -> list[Part]:
    """For each model whose tensors are known the bytes of TFLM's own records of it."""
    found = []
    for model in records.models():
        memory = memory_of(model)
        if memory is not None:
            rest = model.runs[core].arena - planned(memory, core) - kept(memory, core)
            found.append(Part(model, counts(memory), rest, model.runs[core].arena))
    return _once(found)


def _once(parts: Sequence[Part]) -> list[Part]:
    """Parts without generated models that are as others before."""
    seen: dict[Any, Part] = {}
    for part in parts:
        own = part.model.name if not part.model.generated else (tuple(part.counts.items()), part.value)
        seen.setdefault(own, part)
    return list(seen.values())


def flash_parts(core: str) -> list[Part]:
    """For each model whose program was measured which operators it has."""
    table = records.layers()
    found = []
    for model in records.models():
        size = model.runs[core].flash
        if size is not None:
            operators = {table[row].layer.op for row in model.rows}
            found.append(Part(model, {PROGRAM: 1, **dict.fromkeys(sorted(operators), 1)}, size, size))
    return _once(found)


@dataclass(frozen=True)
class Part:
    """A figure of a model as a sum: `value` is what `counts` make, of a `whole`."""

    model: RecordedModel
    counts: Mapping[str, float]
    value: int
    whole: int


def solve(parts: Sequence[Part]) -> Costs:
    """What each of the counts is worth; errors count relative to the whole."""
    names = sorted({name for part in parts for name in part.counts})
    rows = np.array([[part.counts.get(name, 0) / part.whole for name in names] for part in parts], float)
    worth = nnls(rows, np.array([part.value / part.whole for part in parts]))
    return {name: round(float(one), 1) for name, one in zip(names, worth, strict=True)}


def left_out(parts: Sequence[Part]) -> list[tuple[str, float]]:
    """The relative error of each real model by what was fitted to the others, where they have all that it has."""
    found = []
    for part in parts:
        if part.model.generated:
            continue
        worth = solve([other for other in parts if other is not part])
        if set(part.counts) <= set(worth):
            value = sum(worth[name] * count for name, count in part.counts.items())
            found.append((part.model.name, (value - part.value) / part.whole))
    return found


def stacks(core: str) -> dict[str, int]:
    """Operator and kernel -> the most stack of a generated layer, or the least of a real model that has it."""
    table = records.layers()
    most: dict[str, int] = {}
    least: dict[str, int] = {}
    for model in records.models():
        for name in {stack_key(table[row].layer, core) for row in model.rows}:
            own = model.runs[core].stack
            if model.generated:
                most[name] = max(most.get(name, 0), own)
            else:
                least[name] = min(least.get(name, own), own)
    return least | most


def stack_errors(core: str) -> list[tuple[str, float]]:
    """The relative error of the stack of each real model."""
    known, table = stacks(core), records.layers()
    return [
        (model.name, max(known[stack_key(table[row].layer, core)] for row in model.rows) / model.runs[core].stack - 1)
        for model in records.models()
        if not model.generated
    ]


def told(found: Sequence[tuple[str, float]]) -> float:
    """The error that nine of ten are within."""
    return round(max(float(np.quantile([abs(error) for _, error in found], 0.9)), 0.005), 4)


def make_costs() -> dict[str, Any]:
    """The content of harness/data/tflm/costs.json."""
    content: dict[str, Any] = {"kernels": {}, "around": {}, "arena": {}, "flash": {}, "stack": {}}
    for core in records.cores():
        taken = samples(records.layers(), core)
        found, wrong = fit(taken), errors(taken)
        number = Counter(one.kernel for one in taken)
        kernels: dict[str, dict[str, Any]] = defaultdict(dict)
        for (op, kernel), costs in sorted(found.items()):
            entry = {"costs": costs, "layers": number[op, kernel], "error": wrong[op, kernel]}
            kernels[op][kernel] = entry
        content["kernels"][core] = dict(kernels)
        content["around"][core] = around(core, records.models())
        for name, parts in (("arena", arena_parts(core)), ("flash", flash_parts(core))):
            content[name][core] = {"bytes": solve(parts), "error": told(left_out(parts))}
        content["stack"][core] = {"bytes": stacks(core), "error": told(stack_errors(core))}
    return content


def write_costs(path: Path) -> None:
    """Fits them all, and writes them."""
    path.write_text(json.dumps(make_costs(), separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
