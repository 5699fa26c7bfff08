"""Figures of TensorFlow Lite Micro, to report ratios against: recorded, and where there is no record estimated.

harness/data/baselines.json holds records of a few models with both kernel sets, with their provenance and the meaning
of every figure. A record is used only for the same model (by hash), the same core and the same unit; figures are never
scaled, nor used for another core. For any other model harness.tflm has figures with CMSIS-NN, each with its origin.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from harness import resources
from harness.compiler.plan import Plan
from harness.ir.graph import Graph
from harness.tflm.figures import figures, refusal
from harness.tflm.origin import Basis, TflmFigure, total
from harness.units import Unit

KernelSet = Literal["reference", "cmsis-nn"]
KERNEL_SETS: tuple[KernelSet, ...] = ("reference", "cmsis-nn")
_UNIT = Unit.INSTRUCTIONS


@dataclass(frozen=True)
class Baseline:
    """One model on one core with one kernel set of TFLM.

    Attributes:
        model: its name in the record.
        unit: of `total` and `layers`.
        total: one Invoke() on the first input.
        layers: per operator of the model file: (operator name, figure).
        arena: bytes of the smallest arena that works.
        stack: bytes of stack used during Invoke(), by its paint.
        flash: bytes of text, rodata and data with int8-only registrations, plus the model file; of a live measurement
            with all operators that the program has.
        build: which program of TFLM it is.
        origin: of `total`. What is not live or recorded is never held against a limit.
        error: nine of ten totals of this origin are within this share; 0 of measured ones.
        layer_origins, layer_errors: of each layer.
        origins: of "arena", "stack" and "flash".
        faults: what TFLM is known to compute wrongly in this model on this core.
        missing: why figures are not known, by the figure's name.
    """

    model: str
    sha256: str
    core: str
    machine: str
    kernels: KernelSet
    unit: Unit
    total: int | None
    layers: tuple[tuple[str, int | None], ...]
    arena: int | None
    stack: int | None
    flash: int | None
    build: str = ""
    origin: Basis = Basis.RECORDED
    error: float = 0.0
    layer_origins: tuple[Basis, ...] = ()
    layer_errors: tuple[float, ...] = ()
    origins: Mapping[str, Basis] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """Whether it was measured now, on the board of this run."""
        return self.origin is Basis.LIVE

    def origin_of(self, figure: str) -> Basis:
        """Where "total", "arena", "stack" or "flash" comes from."""
        return self.origins.get(figure, self.origin)


@dataclass(frozen=True)
class LayerBaseline:
    """TFLM's figure for the operators of one of tinyhil's layers, or for an operator that tinyhil removed.

    Attributes:
        layer: index in Plan.layers, or None for a removed operator.
        sources: operator indices in the model file, whose figures are summed in `value`.
        value: None where one of them is not known.
        origin: that of the least sure of them.
        error: nine of ten such figures are within this share; 0 of measured ones.
    """

    layer: int | None
    op: str
    sources: tuple[int, ...]
    value: int | None
    origin: Basis = Basis.RECORDED
    error: float = 0.0


def find(sha256: str, core: str, kernels: KernelSet, unit: Unit) -> Baseline | None:
    """The record of this model, core, kernel set and unit, or None."""
    return records().get((sha256, core, kernels, unit))


def estimate(graph: Graph, core: str, unit: Unit | None) -> Baseline | None:
    """TFLM with CMSIS-NN for any model on a core that something is known of, in instructions; None elsewhere.

    Of a model that harness.tflm has measured it is a record; of others layers are looked up or estimated.
    """
    if unit is not _UNIT or not graph.model or refusal(core):
        return None
    found = figures(graph.model, graph.sha256, core, place=graph.name)
    sums = {"arena": found.arena, "stack": found.stack, "flash": found.flash}
    return Baseline(
        model=graph.name,
        sha256=graph.sha256,
        core=core,
        machine="",
        kernels="cmsis-nn",
        unit=_UNIT,
        total=found.total.value,
        layers=tuple((layer.op, layer.figure.value) for layer in found.layers),
        arena=found.arena.value,
        stack=found.stack.value,
        flash=found.flash.value,
        build=found.build,
        origin=found.total.origin,
        error=found.total.error,
        layer_origins=tuple(layer.figure.origin for layer in found.layers),
        layer_errors=tuple(layer.figure.error for layer in found.layers),
        origins={name: one.origin for name, one in sums.items()},
        faults=found.faults,
        missing={
            name: one.reason for name, one in {"total": found.total, **sums}.items() if one.origin is Basis.UNKNOWN
        },
    )


def missing_reason(core: str, unit: Unit | None) -> str:
    """Why there is no figure of TFLM for this core and unit, as a sentence for the report."""
    if unit is not _UNIT:
        here = f"measures {unit.value}" if unit else "has no time to tell"
        return f"TFLM's recorded figures are {_UNIT.value}, this board {here}: not comparable"
    return refusal(core) or "no recorded TFLM figures for this model"


def by_layer(baseline: Baseline, plan: Plan) -> tuple[LayerBaseline, ...]:
    """TFLM's figures by tinyhil's layers, with removed operators in the order of the file.

    A layer that computes several operators of the file has their sum. An operator that no layer computes has an entry
    of its own, so that the values always add up to TFLM's sum over all operators. Empty if the record's operators are
    not those of the file.
    """
    ops = plan.graph.source_ops
    if [name for name, _ in baseline.layers] != list(ops):
        return ()
    lines = []
    taken: set[int] = set()
    for layer in plan.layers:
        own = tuple(s for s in layer.sources if s not in taken)
        taken.update(own)
        lines.append(LayerBaseline(layer.index, layer.op, own, *_sum(baseline, own)))
    lines += [
        LayerBaseline(None, name, (index,), *_sum(baseline, (index,)))
        for index, (name, _) in enumerate(baseline.layers)
        if index not in taken
    ]
    return tuple(lines)


def _sum(baseline: Baseline, sources: Sequence[int]) -> tuple[int | None, Basis, float]:
    """The figure of some operators together, its origin and error."""
    origins = baseline.layer_origins or (baseline.origin,) * len(baseline.layers)
    errors = baseline.layer_errors or (0.0,) * len(baseline.layers)
    parts = [TflmFigure(baseline.layers[at][1], origins[at], errors[at]) for at in sources]
    whole = total(parts)
    return whole.value, whole.origin if parts else baseline.origin, whole.error


def provenance() -> Mapping[str, Any]:
    """Where the records come from: versions, flags and the meaning of each figure."""
    content = _content()
    return {key: content[key] for key in ("about", "provenance", "flags", "units")}


def _recorded_build() -> str:
    """Which build of TFLM was recorded, in a line."""
    made = _content()["provenance"]
    compiler = made["gcc"].rpartition(")")[2].split()[0]
    return f"TFLM {made['tflite_micro'][:7]}, GCC {compiler}, kernels and CMSIS-NN -O2, core -Os"


@cache
def _content() -> dict[str, Any]:
    text = resources.data("baselines.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


@cache
def records() -> dict[tuple[str, str, str, Unit], Baseline]:
    """All of them, by hash of the model, core, kernel set and unit."""
    found: dict[tuple[str, str, str, Unit], Baseline] = {}
    build = _recorded_build()
    for record in _content()["records"]:
        baseline = Baseline(
            model=record["model"],
            sha256=record["model_sha256"],
            core=record["core"],
            machine=record["machine"],
            kernels=record["kernels"],
            unit=_UNIT,
            total=record["instructions"],
            layers=tuple((layer["op"], layer["instructions"]) for layer in record["layers"]),
            arena=record["arena_min"],
            stack=record["stack_invoke"],
            flash=record["code_flash_int8"] + record["model_flash"],
            build=build,
        )
        found[(baseline.sha256, baseline.core, baseline.kernels, baseline.unit)] = baseline
    return found
