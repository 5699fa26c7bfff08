"""Counts the operations of a command stream without computing them: what they cost does not depend on the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.errors import CommandStreamError
from harness.ethosu.disassembly import commands
from harness.ethosu.fault import FaultError
from harness.ethosu.pmu import Counters, MemoryTiming
from harness.ethosu.registers import NpuRegisters
from harness.frontends.tflite.vela_file import NpuOperator

Beats = Mapping[tuple[int, str, str], int]
"""(port, "read" or "write", kind) -> beats."""


@dataclass(frozen=True)
class NpuOperation:
    """One operation of a stream, which computes or copies.

    Attributes:
        word: place of its command.
        name: such as CONV, DEPTHWISE, POOL, ELEMENTWISE, DMA_START.
        start, end: cycles since the stream began.
        spent: cycles by which it ends after all operations before it, so that those of a stream sum up to its cycles.
        computing: cycles of it with memory that never lets it wait.
        beats: what it moves.
    """

    word: int
    name: str
    start: int
    end: int
    spent: int
    computing: int
    beats: Beats


@dataclass(frozen=True)
class StreamCount:
    """What one run of a stream costs.

    Attributes:
        active: cycles from the first command to the end of the last operation.
        beats: of all operations, and of the commands themselves.
        operations: in the order of the stream.
    """

    active: int
    beats: Beats
    operations: tuple[NpuOperation, ...]


def count(operator: NpuOperator, memory: MemoryTiming) -> StreamCount:
    """Counts a stream.

    Raises:
        CommandStreamError: it has no end, or a word that is no command.
    """
    counters, registers, place = Counters(operator.accelerator, memory), NpuRegisters(), ""
    try:
        for command in commands(operator.words.tolist()):
            place = command.place
            if not command.form.starts:
                registers.set(command)
                continue
            counters.observe(command, registers)
            if command.form.name == "NPU_OP_STOP":
                break
    except FaultError as fault:
        raise CommandStreamError(
            f"{operator.place}: {fault.place or place}: {fault.message}", hint="compile the model again with Vela"
        ) from fault
    return StreamCount(counters.active, dict(counters.by_kind()), _operations(counters))


def _operations(counters: Counters) -> tuple[NpuOperation, ...]:
    found, latest = [], 0
    for one in counters.operations:
        spent = max(one.end - latest, 0)
        latest = max(one.end, latest)
        name = one.name.removeprefix("NPU_OP_")
        found.append(NpuOperation(one.word, name, one.start, one.end, spent, one.computing, dict(one.beats)))
    return tuple(found)


def sum_beats(parts: Sequence[Beats]) -> dict[tuple[int, str, str], int]:
    """Beats of several operations together."""
    total: dict[tuple[int, str, str], int] = {}
    for part in parts:
        for key, beats in part.items():
            total[key] = total.get(key, 0) + beats
    return total
