"""Operators of the model's file, each with what the NPU does for it or why it stays on the CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from harness.offload.compilation import NpuCompilation
from harness.offload.counting import Beats, NpuOperation, StreamCount, sum_beats
from harness.offload.cpu import CpuCost, CpuEstimate
from harness.offload.fallback import CpuOperator, name_of
from harness.offload.subject import NpuSubject


class Where(StrEnum):
    """Where an operator is computed. FOLDED: nowhere by itself, since others do it along or nothing is left to do."""

    NPU = "npu"
    CPU = "cpu"
    FOLDED = "folded"


@dataclass(frozen=True)
class NpuLayer:
    """A line of every table by layer.

    Attributes:
        number: the operator's in the file; None for operations that no operator is known for.
        name: such as CONV_2D.
        output: name of its output.
        cycles: by which the NPU ends later for it; 0 on the CPU.
        operations: those of the NPU.
        beats: what they move.
        reason: why it stays on the CPU, in Vela's words; "" where it does not, or where Vela gave none.
        cost: what it costs on the CPU where it stays there; None where that is not known.
        alone: what it costs where all stays there; None where that is not known, or with another layer.
    """

    number: int | None
    name: str
    output: str
    where: Where
    cycles: int
    operations: tuple[NpuOperation, ...]
    beats: Beats
    reason: str = ""
    cost: CpuCost | None = None
    alone: CpuCost | None = None


def layers_of(
    subject: NpuSubject,
    compilation: NpuCompilation,
    counts: Sequence[StreamCount],
    left: Sequence[CpuOperator],
    costs: Mapping[int, CpuCost],
    alone: CpuEstimate | None,
) -> tuple[NpuLayer, ...]:
    """One for each operator of the file, in its order; then one for operations that belong to none of them.

    Without a debug database (a file that was compiled before), one for each operation and each operator on the CPU.
    """
    if subject.compiled:
        return _operations(subject, compilation, counts, costs)
    done: dict[int | None, list[NpuOperation]] = {}
    numbers = {operator.index for operator in subject.subgraph.operators}
    for stream, one in enumerate(counts):
        for operation in one.operations:
            found = compilation.sources[stream].of(operation.word) if compilation.sources else None
            number = found.number if found is not None and found.number in numbers else None
            done.setdefault(number, []).append(operation)
    cpu = {operator.number: operator for operator in left if operator.number is not None}
    layers = []
    for operator in subject.subgraph.operators:
        number, own = operator.index, cpu.get(operator.index)
        layer = _layer(number, name_of(operator), subject.output_of(operator), done.pop(number, []))
        where = Where.CPU if own else layer.where if compilation.simulated else Where.NPU
        reason = own.reason if own else ""
        cost = costs.get(own.place) if own else None
        alone_cost = alone.layers.get(number) if alone else None
        layers.append(replace(layer, where=where, reason=reason, cost=cost, alone=alone_cost))
    layers += [_layer(None, "other operations", "", rest) for rest in done.values()]
    for made in (one for one in left if one.number is None):
        layers.append(_on_cpu(None, made.name, "", made.reason, costs.get(made.place)))
    return tuple(layers)


def _operations(
    subject: NpuSubject, compilation: NpuCompilation, counts: Sequence[StreamCount], costs: Mapping[int, CpuCost]
) -> tuple[NpuLayer, ...]:
    operators = () if compilation.model is None else compilation.model.operators
    streams = {number: one for (number, _), one in zip(operators, counts, strict=True)}
    layers = []
    for operator in compilation.subgraph.operators:
        index = operator.index
        if index not in streams:
            layers.append(_on_cpu(index, name_of(operator), subject.output_of(operator), "", costs.get(index)))
            continue
        for operation in streams[index].operations:
            layers.append(_layer(index, operation.name, f"word {operation.word}", [operation]))
    return tuple(layers)


def _layer(number: int | None, name: str, output: str, operations: list[NpuOperation]) -> NpuLayer:
    cycles, beats = sum(one.spent for one in operations), sum_beats([one.beats for one in operations])
    where = Where.NPU if operations else Where.FOLDED
    return NpuLayer(number, name, output, where, cycles, tuple(operations), beats)


def _on_cpu(number: int | None, name: str, output: str, reason: str, cost: CpuCost | None) -> NpuLayer:
    return NpuLayer(number, name, output, Where.CPU, 0, (), {}, reason, cost)
