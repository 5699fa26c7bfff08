"""Recorded figures of TensorFlow Lite Micro, to report ratios against.

harness/data/baselines.json holds them with their provenance and the meaning of every figure. A record is used only for
the same model (by hash), the same core and the same unit; figures are never scaled, nor used for another core.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from harness import resources
from harness.compiler.plan import Plan
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
        live: whether it was measured now, on the board of this run; else it is a record.
    """

    model: str
    sha256: str
    core: str
    machine: str
    kernels: KernelSet
    unit: Unit
    total: int
    layers: tuple[tuple[str, int], ...]
    arena: int
    stack: int
    flash: int
    build: str = ""
    live: bool = False


@dataclass(frozen=True)
class LayerBaseline:
    """TFLM's figure for the operators of one of tinyhil's layers, or for an operator that tinyhil removed.

    Attributes:
        layer: index in Plan.layers, or None for a removed operator.
        sources: operator indices in the model file, whose figures are summed in `value`.
    """

    layer: int | None
    op: str
    sources: tuple[int, ...]
    value: int


def find(sha256: str, core: str, kernels: KernelSet, unit: Unit) -> Baseline | None:
    """The record of this model, core, kernel set and unit, or None."""
    return records().get((sha256, core, kernels, unit))


def missing_reason(sha256: str, core: str, unit: Unit | None) -> str:
    """Why there is no record for this model, core and unit, as a sentence for the report."""
    known = [record for record in records().values() if record.sha256 == sha256]
    if not known:
        return "no recorded TFLM figures for this model"
    if unit is not _UNIT:
        here = f"measures {unit.value}" if unit else "has no time to tell"
        return f"TFLM's recorded figures are {_UNIT.value}, this board {here}: not comparable"
    cores = ", ".join(sorted({record.core for record in known}))
    return f"no recorded TFLM figures for {core} (there are some for {cores})"


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
        lines.append(LayerBaseline(layer.index, layer.op, own, sum(baseline.layers[s][1] for s in own)))
    lines += [
        LayerBaseline(None, name, (index,), value)
        for index, (name, value) in enumerate(baseline.layers)
        if index not in taken
    ]
    return tuple(lines)


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
