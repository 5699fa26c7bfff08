"""The arena of a plan as data: the offsets of all placements, and its size as a sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.compiler.plan import ArenaPlacement, Plan


def arena_document(plan: Plan, described: Mapping[str, Any]) -> dict[str, Any]:
    """The arena's map, and its size as a sum.

    `described` is the arena as the package's manifest has it.

    peak: bytes alive at the worst layer, each byte counted once; among them scratch, and overlaps (an output over an
    input, counted for the larger). loss: the rest, from alignment and gaps in the layout.
    """
    content: dict[str, Any] = dict(described)
    worst, alive = _worst_layer(plan)
    terms = _terms(alive)
    peak = sum(term["bytes"] for term in terms)
    content["layers"] = len(plan.layers)
    content["worst_layer"] = plan.layers[worst].name if 0 <= worst < len(plan.layers) else None
    content["worst_at"] = _moment(plan, worst)
    content["worst_index"] = worst if plan.layers else None
    content["peak"] = peak
    content["scratch"] = sum(p.size for p in alive if p.tensor is None and p.state is None)
    content["overlapped"] = sum(p.size for p in _whole(alive)) - peak
    content["loss"] = plan.arena_size - peak
    content["sum"] = [*terms, {"name": "alignment and gaps", "bytes": content["loss"], "of": content["loss"]}]
    return content


def _worst_layer(plan: Plan) -> tuple[int, list[ArenaPlacement]]:
    """(index of the layer at which most bytes are alive, what is alive there).

    -1 is before the first layer, where all inputs are written, those too that nothing reads; len(layers) behind all.
    """
    count = len(plan.layers)
    best, alive, most = 0, list(plan.placements), -1
    for index in (*range(count), -1, count):
        here = [p for p in plan.placements if p.first <= index <= p.last and p.size]
        covered = sum(term["bytes"] for term in _terms(here))
        if covered > most:
            best, alive, most = index, here, covered
    return best, alive


def _moment(plan: Plan, index: int) -> str:
    """The time of an index of `_worst_layer` in words; "" for a plan without layers."""
    if not plan.layers:
        return ""
    if index < 0:
        return "before the first layer, with all inputs"
    return f"at layer {plan.layers[index].name}" if index < len(plan.layers) else "after the last layer"


def _whole(placements: list[ArenaPlacement]) -> list[ArenaPlacement]:
    """The placements without those that lie inside another one: aliases, parts, and outputs in place."""
    kept: list[ArenaPlacement] = []
    for p in sorted(placements, key=lambda p: -p.size):
        if not any(k.offset <= p.offset and p.offset + p.size <= k.offset + k.size for k in kept):
            kept.append(p)
    return sorted(kept, key=lambda p: p.offset)


def _terms(placements: list[ArenaPlacement]) -> list[dict[str, Any]]:
    """The bytes that each placement adds to those covered by placements below it; `of` is its size in bytes."""
    terms: list[dict[str, Any]] = []
    end = 0
    for p in _whole(placements):
        added = max(p.offset + p.size - max(p.offset, end), 0)
        terms.append({"name": p.name, "bytes": added, "of": p.size})
        end = max(end, p.offset + p.size)
    return terms
