"""Outcomes as JSON-ready documents, from which bundles, --json, console and HTML reports are made.

docs/results.md describes the fields. SCHEMA_VERSION is raised when a field is removed or changes its meaning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.compiler.plan import Plan
from harness.errors import TinyhilError
from harness.ir.graph import Graph
from harness.npu.compiling import accelerator_of_graph
from harness.report.addresses import addresses_document, static_document
from harness.report.arena import arena_document
from harness.report.compression import compressed_document, compression_document
from harness.report.edges import reads_from
from harness.report.verdict import diff_document, verdict_document
from harness.runtimes import ProgramRuntime
from harness.runtimes.forms import DEFAULT_FORM, Way
from harness.validate.baselines import Baseline, by_layer, missing_reason

if TYPE_CHECKING:
    from harness.boards import Resolved
    from harness.build import Image
    from harness.build.fit import RegionUse
    from harness.compiler.emit.package import Package
    from harness.compression.network import CompressedModel
    from harness.validate.measurement import Measurement
    from harness.validate.outcome import Outcome

SCHEMA_VERSION = 1
Document: TypeAlias = dict[str, Any]


def run_document(outcome: Outcome) -> Document:
    """The document of one model on one board."""
    measured, plan = outcome.measurement, outcome.plan
    return finite(
        {
            "kind": "run",
            "model": model_document(outcome.graph, str(outcome.card.model)),
            "card": str(outcome.card.path) if outcome.card.path else None,
            "name": outcome.card.name,
            "board": board_document(outcome.resolved),
            "runtime": outcome.runtime.name,
            "form": outcome.form,
            "npu": accelerator_of_graph(outcome.graph),
            "program": outcome.image.toolchain if isinstance(outcome.runtime, ProgramRuntime) else None,
            "link": outcome.link,
            "link_check": _link_check(outcome),
            "oracle": {"name": outcome.reference.oracle, "version": outcome.reference.version},
            "vectors": {
                "name": outcome.vectors.name,
                "count": len(outcome.vectors),
                "sequence": bool(outcome.graph.states),
                "sha256": outcome.vectors.sha256,
            },
            "verdict": verdict_document(outcome.verdict),
            "opinions": [
                {"oracle": o.oracle, "version": o.version, "outputs": [diff_document(d) for d in o.outputs]}
                for o in outcome.opinions
            ],
            "opinion_notes": list(outcome.opinion_notes),
            "image": image_document(outcome.image),
            "memory": _memory(outcome),
            "goals": outcome.package.manifest["goals"],
            "arena": arena_document(plan, outcome.package.manifest["arena"]),
            "time": _time(measured),
            "macs": outcome.package.manifest["macs"],
            "macs_of_file": outcome.package.manifest["macs_of_file"],
            "layers": _layers(outcome),
            "addresses": addresses_document(outcome),
            "static": static_document(outcome),
            "removed": outcome.package.manifest["removed"],
            "baselines": [_baseline(b, outcome) for b in outcome.baselines],
            "baseline_note": None
            if outcome.baselines
            else _no_baseline(outcome),
            "float_model": None if outcome.float_model is None else asdict(outcome.float_model),
            "compression": compression_document(outcome.compression),
            "notes": list(outcome.notes),
            "seconds": dict(outcome.seconds),
            "transcript": outcome.transcript,
        }
    )


def _no_baseline(outcome: Outcome) -> str:
    if isinstance(outcome.runtime, ProgramRuntime):
        return f"these are the figures of runtime {outcome.runtime.name} itself"
    return missing_reason(outcome.resolved.runs_on.core, outcome.measurement.unit)


def _link_check(outcome: Outcome) -> Document | None:
    """What went over another link than the run's besides; None if nothing did."""
    check = outcome.link_check
    return None if check is None else {"link": check.link, "vectors": check.vectors, "layers": check.layers}


def _memory(outcome: Outcome) -> Document:
    """Bytes of memory, planned and measured; None where the board or the runtime does not measure them."""
    measured, shown = outcome.measurement, outcome.runtime.measures
    return {
        "arena_planned": outcome.plan.arena_size,
        "arena_measured": measured.arena_high if shown.arena else None,
        "arena_untouched": measured.arena_untouched if shown.arena_bytes else None,
        "arena_overrun": measured.arena_overrun if shown.arena_bytes else None,
        "reads_unwritten": measured.reads_unwritten,
        "stack_measured": _stack(outcome),
        "stack_size": outcome.image.stack_size,
        "flash": _flash(outcome),
        "constants": outcome.package.constant_bytes,
        **({"scratch": outcome.plan.scratch_size} if outcome.plan.scratch_apart else {}),
    }


def _stack(outcome: Outcome) -> int | None:
    return (outcome.measurement.stack_high or None) if outcome.runtime.measures.stack else None


def _flash(outcome: Outcome) -> int | None:
    """Bytes of flash of the network without the harness; None where it is not measured."""
    return outcome.image.sizes.network.flash if outcome.runtime.measures.flash else None


def _time(measured: Measurement) -> Document:
    return {
        "unit": measured.unit.value if measured.unit else None,
        "total": measured.total,
        "layers_sum": sum(measured.layer_ticks or ()),
    }


def error_document(
    name: str,
    board: str,
    error: TinyhilError,
    file: str = "",
    *,
    mode: str = "",
    way: Way | None = None,
    npu: str | None = None,
) -> Document:
    """The document of a run that an error ended.

    Args:
        name, board: of the card or model, and the board that was asked for.
        error: what ended it.
        file: the card's path, or the model's if there is no card.
        mode: what was to be optimized for; "" where it is not known.
        way: what was to compute it, and in which form; None where it is not known.
        npu: the accelerator that it was to be compiled for; None for the core alone.
    """
    return {
        "kind": "error",
        "name": name,
        "file": file,
        "board": {"asked": board},
        "goals": {"optimize": mode},
        "runtime": "" if way is None else way.runtime,
        "form": DEFAULT_FORM if way is None else way.form,
        "npu": npu,
        "error": error.as_dict(),
        "transcript": error.transcript,
    }


def analysis_document(
    graph: Graph,
    package: Package,
    path: str,
    image: Image | None,
    note: str,
    board: str = "",
    uses: Sequence[RegionUse] = (),
    tried: str = "",
    compressed: CompressedModel | None = None,
) -> Document:
    """The document of an analysis, which does not run the model.

    Args:
        graph, package: the model, and its compiled package.
        path: of the model file.
        image: built from the package, or None.
        note: why there is no image; "" if there is one.
        board: name of the board that it was compiled for.
        uses: of the board's memory, before building; none for a board without memory.
        tried: what would help where that is too small.
        compressed: how `graph` was made of the file; None where it is that.
    """
    ops: dict[str, int] = {}
    for op in graph.source_ops:
        ops[op] = ops.get(op, 0) + 1
    plan, content = package.plan, package.manifest
    return finite(
        {
            "kind": "analysis",
            "model": model_document(graph, path),
            "core": plan.core,
            "board": board,
            "expected": _expected(plan),
            "goals": content["goals"],
            "operators": dict(sorted(ops.items(), key=lambda item: (-item[1], item[0]))),
            "layers": content["layers"],
            "removed": content["removed"],
            "macs": content["macs"],
            "macs_of_file": content["macs_of_file"],
            "arena": arena_document(plan, content["arena"]),
            "constants": package.constant_bytes,
            "image": image_document(image) if image else None,
            "flash": image.sizes.network.flash if image else None,
            "flash_note": note,
            "fit": _fit(uses, tried),
            "compression": None if compressed is None else compressed_document(compressed),
        }
    )


def _fit(uses: Sequence[RegionUse], tried: str) -> Document | None:
    """Whether the model fits the board's memory, by region; None for a board without memory."""
    if not uses:
        return None
    return {
        "fits": not any(use.excess for use in uses),
        "try": tried,
        "regions": [
            {
                "region": use.region.name,
                "kind": use.region.kind,
                "size": use.region.size,
                "used": use.used,
                "excess": use.excess,
                "parts": [{"name": p.name, "bytes": p.bytes, "estimated": p.estimated} for p in use.parts],
            }
            for use in uses
        ],
    }


def _expected(plan: Plan) -> list[Document]:
    """The expected cost of each layer; `basis` says where the figures come from, see Cost."""
    from harness.compiler.cost.estimate import estimate_costs
    from harness.units import Unit

    return [
        {
            "instructions": {"value": round(cost.instructions), "unit": Unit.INSTRUCTIONS.value},
            "cycles": {"value": round(cost.cycles), "unit": Unit.MODELLED_CYCLES.value},
            "basis": cost.basis,
        }
        for cost in estimate_costs(plan)
    ]


def model_document(graph: Graph, path: str) -> Document:
    """The model file and its inputs and outputs."""

    def tensor(index: int) -> Document:
        t = graph.tensors[index]
        scale = t.quant.scale if t.quant else None
        zero_point = t.quant.zero_point if t.quant else None
        return {
            "name": t.name,
            "shape": list(t.shape),
            "dtype": t.dtype.value,
            "bytes": t.bytes,
            "scale": scale,
            "zero_point": zero_point,
        }

    return {
        "name": graph.name,
        "file": path,
        "sha256": graph.sha256,
        "bytes": len(graph.model),
        "operators": len(graph.source_ops),
        "inputs": [tensor(t) for t in graph.inputs],
        "outputs": [tensor(t) for t in graph.outputs],
        "state_bytes": sum(state.bytes for state in graph.states),
        "notes": list(graph.notes),
    }


def board_document(resolved: Resolved) -> Document:
    """The board that was asked for and the one that ran."""
    return {
        "asked": resolved.asked.name,
        "ran_on": resolved.ran_on,
        "stand_in": resolved.stand_in,
        "reason": resolved.reason,
        "core": resolved.runs_on.core,
        "backend": resolved.runs_on.backend,
        "clock_hz": resolved.runs_on.clock_hz,
        "memory": [{"name": r.name, "kind": r.kind, "size": r.size} for r in resolved.runs_on.memory],
    }


def image_document(image: Image) -> Document:
    """The image's sizes, and the compiler that built it."""
    return {
        "file": str(image.elf),
        "build_id": image.build_id,
        "toolchain": image.toolchain,
        "compiled": image.compiled,
        "seconds": image.seconds,
        "groups": {
            name: {"text": s.text, "rodata": s.rodata, "data": s.data, "bss": s.bss}
            for name, s in image.sizes.groups.items()
        },
        "placement": None if image.placement is None else dict(image.placement),
        "regions": dict(image.regions),
    }


def _layers(outcome: Outcome) -> list[Document]:
    """The plan's layers with measured figures, and TFLM's for the same operators."""
    lines: list[Document] = [dict(line) for line in outcome.package.manifest["layers"]]
    for line, read in zip(lines, reads_from(outcome.plan), strict=True):
        line["reads_from"] = read
    ticks = outcome.measurement.layer_ticks
    if ticks is not None:
        total = sum(ticks)
        running = 0
        for line, value in zip(lines, ticks, strict=True):
            running += value
            line["value"] = value
            line["share"] = value / total if total else 0.0
            line["cumulative"] = running / total if total else 0.0
            line["per_mac"] = value / line["macs"] if line["macs"] else None
    for baseline in outcome.baselines:
        for place in by_layer(baseline, outcome.plan):
            if place.layer is not None:
                lines[place.layer].setdefault("tflm", {})[baseline.kernels] = place.value
                lines[place.layer].setdefault("tflm_origin", {})[baseline.kernels] = place.origin.value
                lines[place.layer].setdefault("tflm_error", {})[baseline.kernels] = place.error
    return lines


def _baseline(baseline: Baseline, outcome: Outcome) -> Document:
    """TFLM's figures, tinyhil's, and tinyhil divided by TFLM."""
    measured = outcome.measurement
    arena = measured.arena_high + outcome.plan.scratch_size  # TFLM's holds its scratch
    pairs: Mapping[str, tuple[int | None, int | None]] = {
        "total": (baseline.total, measured.total),
        "arena": (baseline.arena, arena if outcome.runtime.measures.arena else None),
        "stack": (baseline.stack, _stack(outcome)),
        "flash": (baseline.flash, None if baseline.live else _flash(outcome)),  # a program of all operators: no ratio
    }
    places = by_layer(baseline, outcome.plan)
    return {
        "runtime": "tflm",
        "kernels": baseline.kernels,
        "core": baseline.core,
        "machine": baseline.machine,
        "unit": baseline.unit.value,
        "live": baseline.live,
        "origin": {name: baseline.origin_of(name).value for name in pairs},
        "error": baseline.error,
        "missing": dict(baseline.missing),
        "faults": list(baseline.faults),
        "build": baseline.build,
        **{name: theirs for name, (theirs, _) in pairs.items()},
        "ratio": {
            name: ours / theirs if ours is not None and theirs else None for name, (theirs, ours) in pairs.items()
        },
        "per_layer": bool(places),
        "removed": [
            {"op": p.op, "sources": list(p.sources), "value": p.value, "origin": p.origin.value}
            for p in places
            if p.layer is None
        ],
    }


def finite(document: Document) -> Document:
    """The document with NaN and infinities as text, since JSON has neither."""
    return {key: _finite(value) for key, value in document.items()}


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return finite(value)
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
