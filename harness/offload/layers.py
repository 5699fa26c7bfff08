"""Operators of the model's file, each with what the NPU does for it or why it stays on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.offload.compilation import NpuCompilation
from harness.offload.counting import Beats, NpuOperation, StreamCount, sum_beats
from harness.offload.cpu import CpuCost, CpuEstimate
from harness.offload.fallback import CpuOperator
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
        alone: what it costs on the CPU alone; None where that is not known, or with another layer.
    """

    number: int | None
    name: str
    output: str
    where: Where
    cycles: int
    operations: tuple[NpuOperation, ...]
    beats: Beats
    reason: str = ""
    alone: CpuCost | None = None


def layers_of(
    subject: NpuSubject,
    compilation: NpuCompilation,
    counts: Sequence[StreamCount],
    left: Sequence[CpuOperator],
    alone: CpuEstimate | None,
) -> tuple[NpuLayer, ...]:
    """One for each operator of the file, in its order; then one for operations that belong to none of them.

    Without a debug database (a file that was compiled before), one for each operation and each operator on the CPU.
    """
    if subject.compiled:
        return _operations(subject, compilation, counts)
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
        number = operator.index
        where = Where.CPU if number in cpu else Where.NPU if number in done else Where.FOLDED
        if where is Where.FOLDED and not compilation.simulated:
            where = Where.NPU
        reason = cpu[number].reason if where is Where.CPU else ""
        cost = None if alone is None else alone.layers.get(number)
        name, output = operator.name, subject.output_of(operator)
        layers.append(_layer(number, name, output, where, done.pop(number, []), reason, cost))
    for rest in done.values():
        layers.append(_layer(None, "other operations", "", Where.NPU, rest))
    for operator in left:
        if operator.number is None:
            layers.append(_layer(None, operator.name, "", Where.CPU, [], operator.reason))
    return tuple(layers)


def _operations(
    subject: NpuSubject, compilation: NpuCompilation, counts: Sequence[StreamCount]
) -> tuple[NpuLayer, ...]:
    streams = {} if compilation.model is None else dict(
        zip((number for number, _ in compilation.model.operators), counts, strict=True)
    )  # fmt: skip
    layers = []
    for operator in compilation.subgraph.operators:
        if operator.index not in streams:
            layers.append(_layer(operator.index, operator.name, subject.output_of(operator), Where.CPU, []))
            continue
        for operation in streams[operator.index].operations:
            place = f"word {operation.word}"
            layers.append(_layer(operator.index, operation.name, place, Where.NPU, [operation]))
    return tuple(layers)


def _layer(
    number: int | None,
    name: str,
    output: str,
    where: Where,
    operations: list[NpuOperation],
    reason: str = "",
    alone: CpuCost | None = None,
) -> NpuLayer:
    cycles, beats = sum(one.spent for one in operations), sum_beats([one.beats for one in operations])
    return NpuLayer(number, name, output, where, cycles, tuple(operations), beats, reason, alone)
