"""Outcomes as JSON-ready documents: the one form that bundles, --json, console and HTML reports are made from.

docs/results.md describes the fields. SCHEMA_VERSION rises when a field changes its meaning or goes away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.compiler.emit.manifest import goals_document, manifest
from harness.compiler.plan import ArenaPlacement, Plan
from harness.errors import TinyhilError
from harness.ir.graph import Graph
from harness.validate.baselines import Baseline, by_layer, missing_reason
from harness.validate.checks import LayerDiff, TensorDiff
from harness.validate.verdict import flash_of

if TYPE_CHECKING:
    from harness.boards import Resolved
    from harness.build import Image
    from harness.validate.workbench import Outcome

SCHEMA_VERSION = 1
Document: TypeAlias = dict[str, Any]


def run_document(outcome: Outcome) -> Document:
    """One model on one board."""
    measured, plan = outcome.measurement, outcome.plan
    unit = measured.unit.value if measured.unit else None
    return finite(
        {
            "kind": "run",
            "model": model_document(outcome.graph, str(outcome.card.model)),
            "card": str(outcome.card.path) if outcome.card.path else None,
            "name": outcome.card.name,
            "board": board_document(outcome.resolved),
            "link": outcome.link,
            "oracle": {"name": outcome.reference.oracle, "version": outcome.reference.version},
            "vectors": {
                "name": outcome.vectors.name,
                "count": len(outcome.vectors),
                "sequence": bool(outcome.graph.states),
                "sha256": outcome.vectors.sha256,
            },
            "verdict": _verdict(outcome),
            "opinions": [
                {"oracle": o.oracle, "version": o.version, "outputs": [_diff(d) for d in o.outputs]}
                for o in outcome.opinions
            ],
            "opinion_notes": list(outcome.opinion_notes),
            "image": image_document(outcome.image),
            "memory": {
                "arena_planned": plan.arena_size,
                "arena_measured": measured.arena_high,
                "arena_untouched": measured.arena_untouched,
                "arena_overrun": measured.arena_overrun,
                "reads_unwritten": measured.reads_unwritten,
                "stack_measured": measured.stack_high or None,
                "stack_size": outcome.image.stack_size,
                "flash": flash_of(outcome.image),
                "constants": constant_bytes(plan),
            },
            "goals": goals_document(plan.goals),
            "arena": arena_document(plan),
            "time": {"unit": unit, "total": measured.total, "layers_sum": sum(measured.layer_ticks or ())},
            "macs": sum(layer.macs for layer in plan.layers),
            "layers": _layers(outcome),
            "removed": manifest(plan)["removed"],
            "baselines": [_baseline(b, outcome) for b in outcome.baselines],
            "baseline_note": None
            if outcome.baselines
            else missing_reason(outcome.graph.sha256, outcome.resolved.runs_on.core, measured.unit),
            "notes": list(outcome.notes),
            "seconds": dict(outcome.seconds),
            "transcript": outcome.transcript,
        }
    )


def error_document(name: str, board: str, error: TinyhilError, file: str = "") -> Document:
    """A run that an error kept from being judged; `file` is the card's, or the model's where it has none."""
    return {
        "kind": "error",
        "name": name,
        "file": file,
        "board": {"asked": board},
        "error": error.as_dict(),
        "transcript": error.transcript,
    }


def analysis_document(graph: Graph, plan: Plan, path: str, image: Image | None, note: str, board: str = "") -> Document:
    """What is known of a model without running it.

    Args:
        graph, plan: the model, compiled.
        path: of its file.
        image: what was built of it, or None.
        note: why there is no image.
        board: that it was compiled for.
    """
    ops: dict[str, int] = {}
    for op in graph.source_ops:
        ops[op] = ops.get(op, 0) + 1
    content = manifest(plan)
    return finite(
        {
            "kind": "analysis",
            "model": model_document(graph, path),
            "core": plan.core,
            "board": board,
            "expected": _expected(plan),
            "goals": goals_document(plan.goals),
            "operators": dict(sorted(ops.items(), key=lambda item: (-item[1], item[0]))),
            "layers": content["layers"],
            "removed": content["removed"],
            "macs": content["macs"],
            "arena": arena_document(plan),
            "constants": constant_bytes(plan),
            "image": image_document(image) if image else None,
            "flash": flash_of(image) if image else None,
            "flash_note": note,
        }
    )


def _expected(plan: Plan) -> list[Document]:
    """What each layer is expected to take, without running it; `basis` tells what the figures rest on."""
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
    }


def image_document(image: Image) -> Document:
    """Where the image's bytes went, and what built it."""
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


def arena_document(plan: Plan) -> Document:
    """The arena's map, and its size as a sum.

    peak is what is alive at the worst layer, each byte once; of it scratch, and what overlaps (an output over an input,
    counted under the larger). loss is the rest: alignment, and gaps that the placement leaves.
    """
    content: Document = dict(manifest(plan)["arena"])
    worst, alive = _worst_layer(plan)
    terms = _terms(alive)
    peak = sum(term["bytes"] for term in terms)
    content["layers"] = len(plan.layers)
    content["worst_layer"] = plan.layers[worst].name if plan.layers else None
    content["peak"] = peak
    content["scratch"] = sum(p.size for p in alive if p.tensor is None and p.state is None)
    content["overlapped"] = sum(p.size for p in _whole(alive)) - peak
    content["loss"] = plan.arena_size - peak
    content["sum"] = [*terms, {"name": "alignment and gaps", "bytes": content["loss"], "of": content["loss"]}]
    return content


def _worst_layer(plan: Plan) -> tuple[int, list[ArenaPlacement]]:
    best, alive = 0, [p for p in plan.placements]
    most = -1
    for index in range(len(plan.layers)):
        here = [p for p in plan.placements if p.first <= index <= p.last and p.size]
        covered = sum(term["bytes"] for term in _terms(here))
        if covered > most:
            best, alive, most = index, here, covered
    return best, alive


def _whole(placements: list[ArenaPlacement]) -> list[ArenaPlacement]:
    """Without those whose bytes all lie inside another's: views, parts, and what is computed in place."""
    kept: list[ArenaPlacement] = []
    for p in sorted(placements, key=lambda p: -p.size):
        if not any(k.offset <= p.offset and p.offset + p.size <= k.offset + k.size for k in kept):
            kept.append(p)
    return sorted(kept, key=lambda p: p.offset)


def _terms(placements: list[ArenaPlacement]) -> list[Document]:
    """What each placement adds to the bytes covered by those below it; `of` is its whole size."""
    terms: list[Document] = []
    end = 0
    for p in _whole(placements):
        added = max(p.offset + p.size - max(p.offset, end), 0)
        terms.append({"name": p.name, "bytes": added, "of": p.size})
        end = max(end, p.offset + p.size)
    return terms


def constant_bytes(plan: Plan) -> int:
    """Bytes of weights and tables in the generated C, exactly."""
    from harness.compiler.emit.layers import constants_of

    return constants_of(plan).bytes


def _verdict(outcome: Outcome) -> Document:
    verdict = outcome.verdict
    return {
        "passed": verdict.passed,
        "checks": [
            {"name": c.name, "status": c.status.value, "summary": c.summary, "figures": dict(c.figures)}
            for c in verdict.checks
        ],
        "outputs": [
            {**_diff(diff), "metrics": m.as_dict()} for diff, m in zip(verdict.outputs, verdict.metrics, strict=True)
        ],
        "max_lsb": verdict.max_lsb,
        "layers_compared": len({d.layer for d in verdict.layers}),
        "layers_differing": [_layer_diff(d) for d in verdict.layers if d.diff.differing],
        "layers_uncompared": list(verdict.uncompared),
        "first_layer": _layer_diff(verdict.first_layer) if verdict.first_layer else None,
        "accuracy": dict(zip(("board", "reference"), verdict.accuracy, strict=True)) if verdict.accuracy else None,
        "confusion": [list(row) for row in verdict.confusion] if verdict.confusion else None,
    }


def _layer_diff(diff: LayerDiff) -> Document:
    return {"layer": diff.layer, "name": diff.name, "op": diff.op, "output": diff.output, **_diff(diff.diff)}


def _diff(diff: TensorDiff) -> Document:
    first = diff.first
    return {
        "tensor": diff.name,
        "elements": diff.elements,
        "channels": list(diff.channels) if diff.channels else None,
        "differing": diff.differing,
        "vectors_differing": diff.vectors_differing,
        "max_lsb": diff.max_lsb,
        "histogram": [list(pair) for pair in diff.histogram],
        "first": None
        if first is None
        else {
            "vector": first.vector,
            "index": list(first.index),
            "expected": first.expected,
            "got": first.got,
        },
    }


def _layers(outcome: Outcome) -> list[Document]:
    """The plan's layers with what was measured and what TFLM takes at their place."""
    lines: list[Document] = manifest(outcome.plan)["layers"]
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
    return lines


def _baseline(baseline: Baseline, outcome: Outcome) -> Document:
    """TFLM's figures, tinyhil's, and tinyhil divided by TFLM."""
    measured = outcome.measurement
    pairs: Mapping[str, tuple[int, int | None]] = {
        "total": (baseline.total, measured.total),
        "arena": (baseline.arena, measured.arena_high),
        "stack": (baseline.stack, measured.stack_high or None),
        "flash": (baseline.flash, flash_of(outcome.image)),
    }
    places = by_layer(baseline, outcome.plan)
    return {
        "runtime": "tflm",
        "kernels": baseline.kernels,
        "core": baseline.core,
        "machine": baseline.machine,
        "unit": baseline.unit.value,
        **{name: theirs for name, (theirs, _) in pairs.items()},
        "ratio": {
            name: ours / theirs if ours is not None and theirs else None for name, (theirs, ours) in pairs.items()
        },
        "per_layer": bool(places),
        "removed": [{"op": p.op, "sources": list(p.sources), "value": p.value} for p in places if p.layer is None],
    }


def finite(document: Document) -> Document:
    """The same document with NaN and infinities as text: JSON has neither."""
    return {key: _finite(value) for key, value in document.items()}


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return finite(value)
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
