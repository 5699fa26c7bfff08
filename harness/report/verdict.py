"""Verdicts as JSON-ready documents."""

from __future__ import annotations

from typing import Any

from harness.validate.differences import LayerDiff, TensorDiff
from harness.validate.verdict import Verdict


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """All checks with their figures, and all differences."""
    return {
        "passed": verdict.passed,
        "checks": [
            {
                "name": c.name,
                "status": c.status.value,
                "summary": c.summary,
                "figures": dict(c.figures),
                "advice": c.advice,
            }
            for c in verdict.checks
        ],
        "outputs": [
            {**diff_document(diff), "metrics": dict(metrics)}
            for diff, metrics in zip(verdict.outputs, verdict.metrics, strict=True)
        ],
        "max_lsb": verdict.max_lsb,
        "layers_compared": len({d.layer for d in verdict.layers}),
        "layers_differing": [_layer_diff(d) for d in verdict.layers if d.diff.differing],
        "layers_uncompared": list(verdict.uncompared),
        "first_layer": _layer_diff(verdict.first_layer) if verdict.first_layer else None,
        "accuracy": dict(zip(("board", "reference"), verdict.accuracy, strict=True)) if verdict.accuracy else None,
        "confusion": [list(row) for row in verdict.confusion] if verdict.confusion else None,
    }


def _layer_diff(diff: LayerDiff) -> dict[str, Any]:
    return {"layer": diff.layer, "name": diff.name, "op": diff.op, "output": diff.output, **diff_document(diff.diff)}


def diff_document(diff: TensorDiff) -> dict[str, Any]:
    """The difference of one tensor."""
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
