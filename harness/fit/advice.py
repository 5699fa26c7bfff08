"""What to change where a model does not fit: where the arena is fullest, how much weights must shrink, which layers
take the time, and what other modes would give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.compiler.plan import ArenaPlacement, LayerCode, Plan
from harness.fit.allowance import NAMED, largest, too_much
from harness.fit.fitting import Fit, ModeFit, Room
from harness.fit.wishes import TRIED
from harness.kernels.base import ConstantTable


@dataclass(frozen=True)
class Peak:
    """Where an arena is fullest.

    Attributes:
        layer: index of the layer that runs then; layers with rows of others fused count as one.
        name: of the layer.
        bytes: up to the highest byte that is kept then.
        kept: what is kept then, the largest first.
    """

    layer: int
    name: str
    bytes: int
    kept: tuple[ArenaPlacement, ...]


def peak_of(plan: Plan) -> Peak | None:
    """The layer at which the arena reaches highest; of several the one that keeps most. None without layers."""
    found = None
    for layer in plan.layers:
        kept = [place for place in plan.placements if place.first <= layer.index <= place.last]
        height = max((place.offset + place.size for place in kept), default=0)
        mark = (height, sum(place.size for place in kept))
        if found is None or mark > found[0]:
            ordered = tuple(sorted(kept, key=lambda place: (-place.size, place.name)))
            found = (mark, Peak(layer.index, layer.name, height, ordered))
    return None if found is None else found[1]


def advice(found: Fit) -> tuple[str, ...]:
    """Sentences for a model that does not fit a part for certain, the closest mode first; none where it fits."""
    best = found.best
    if best is None or best.verdict == "fits":
        return ()
    lines = [_room(room, best) for room in best.rooms if room.verdict != "fits"]
    lines += _time(found, best)
    lines += _spent(found, best)
    lines += _modes(found, best)
    return tuple(lines)


def _room(room: Room, mode: ModeFit) -> str:
    if room.verdict == "perhaps":
        return (
            f"{room.name}: {room.slack:,} B left by an estimate of code ({mode.code:,} B) that may be off by more; "
            f"`tinyhil analyze` builds it for the exact size"
        )
    short = f"{room.name} lacks {-room.slack:,} B of {room.size:,}"
    return f"{short}: {_arena(mode)}" if room.kind == "ram" else f"{short}: {_weights(room, mode)}"


def _arena(mode: ModeFit) -> str:
    peak = peak_of(mode.compiled.plan)
    if peak is None:
        return f"the arena takes {mode.arena:,} B"
    kept = ", ".join(f"{place.name} ({place.size:,})" for place in peak.kept[:NAMED])
    more = f" and {len(peak.kept) - NAMED} more" if len(peak.kept) > NAMED else ""
    return f"the arena of {mode.arena:,} B is fullest at layer {peak.layer}, {peak.name}, which keeps {kept}{more}"


def _weights(room: Room, mode: ModeFit) -> str:
    plan = mode.compiled.plan
    sizes = [(constants_of(step), layer.name) for step, layer in zip(plan.steps, plan.layers, strict=True)]
    most = ", ".join(f"{name} ({size:,})" for size, name in sorted(sizes, reverse=True)[:NAMED] if size)
    if -room.slack >= mode.constants:
        return f"code alone is about {mode.code:,} B: no weights would fit"
    share = -room.slack / mode.constants
    return f"weights and tables of {mode.constants:,} B must shrink by {share:.0%}; the largest are of {most}"


def constants_of(step: LayerCode) -> int:
    """Bytes of weights and tables that a layer's calls name; those that layers share count in each."""
    tables = {
        id(argument): argument.data.nbytes
        for call in step.lowered.calls
        for argument in call.arguments
        if isinstance(argument, ConstantTable)
    }
    return sum(tables.values())


def _time(found: Fit, mode: ModeFit) -> Iterator[str]:
    wished, time = found.wishes.latency_s, mode.time
    if mode.on_time == "fits" or wished is None:
        return
    if time is None:
        yield f"whether it takes {wished * 1e3:.4g} ms is not known: {found.untimed}"
        return
    told = f"{time.expected_s * 1e3:.4g} ms expected"
    if mode.on_time == "perhaps":
        bounds = f", at most {time.high_s * 1e3:.4g}" if time.high_s is not None else ", without an upper bound"
        yield f"{told}{bounds}, {wished * 1e3:.4g} wished: within the error; `tinyhil profile` or a board tells more"
        return
    names = [layer.name for layer in mode.compiled.plan.layers]
    yield (
        f"{told}, {wished * 1e3:.4g} wished: {time.expected_s / wished:.2f} times too slow; "
        f"most modelled cycles are in {largest(names, time.by_layer)}"
    )


def _spent(found: Fit, mode: ModeFit) -> Iterator[str]:
    """Of modelled cycles and energy; a latency is told as time."""
    for one in mode.spent:
        if one.what == "latency" or one.verdict == "fits":
            continue
        if one.used is None or mode.time is None:
            why = found.untimed or f"the supply current of {found.part.name} is in no table"
            yield f"whether its {one.what} is at most {one.limit:,.6g} is not known: {why}"
        elif one.verdict == "perhaps":
            high = "without an upper bound" if one.high is None else f"at most {one.high:,.6g}"
            yield f"{one.what} {one.used:,.6g} expected, {high}, {one.limit:,.6g} wished: within the error"
        else:
            names = [layer.name for layer in mode.compiled.plan.layers]
            told = too_much(one.what, one.used, one.limit)
            yield f"{told}: most cycles are in {largest(names, mode.time.by_layer)}"


def _modes(found: Fit, mode: ModeFit) -> Iterator[str]:
    others: Sequence[ModeFit] = [other for other in found.modes if other is not mode]
    less = [other for other in others if other.arena < mode.arena or _flash(other) < _flash(mode)]
    if less:
        told = ", ".join(f"{other.mode} (arena {other.arena:,} B, flash about {_flash(other):,} B)" for other in less)
        yield f"{mode.mode} comes closest; no better: {told}"
    elif others:
        yield f"{mode.mode} comes closest; no other mode takes less"
    left = [name for name in TRIED if name not in found.wishes.modes]
    if left:
        yield f"not tried: --optimize {', '.join(left)}"


def _flash(mode: ModeFit) -> int:
    return mode.constants + mode.code
