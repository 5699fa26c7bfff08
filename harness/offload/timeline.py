"""In which order NPU and CPU work, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from harness.ethosu.payload import CUSTOM_CODE
from harness.offload.layers import Where
from harness.offload.running import OffloadRun


@dataclass(frozen=True)
class TimeSegment:
    """A stretch of time in which a layer is computed; cycles are None where they are not known."""

    layer: int
    where: Where
    cycles: float | None


def timeline(run: OffloadRun) -> tuple[TimeSegment, ...]:
    """Stretches of time in order; those of a layer that follow each other are one. () where nothing was counted."""
    if not run.compilation.simulated:
        return ()
    owner = {id(operation): index for index, layer in enumerate(run.layers) for operation in layer.operations}
    on_cpu = iter([index for index, layer in enumerate(run.layers) if layer.where is Where.CPU])
    by_number = {layer.number: index for index, layer in enumerate(run.layers) if layer.where is Where.CPU}
    numbers = {operator.place: operator.number for operator in run.left}
    counts = iter(run.counts)
    found: list[TimeSegment] = []
    for operator in run.compilation.subgraph.operators:
        if operator.custom != CUSTOM_CODE:
            number = numbers.get(operator.index)
            index = by_number[number] if number in by_number else next(on_cpu, None)
            if index is not None:
                cost = run.costs.get(operator.index)
                found.append(TimeSegment(index, Where.CPU, None if cost is None else cost.cycles))
            continue
        for operation in next(counts).operations:
            index = owner[id(operation)]
            if found and found[-1].layer == index:
                before = found.pop()
                found.append(TimeSegment(index, Where.NPU, (before.cycles or 0) + operation.spent))
            else:
                found.append(TimeSegment(index, Where.NPU, operation.spent))
    return tuple(found)
