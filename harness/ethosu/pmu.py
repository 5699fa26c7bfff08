"""The NPU's counters: cycles, and beats of its ports, for each operation of a stream.

Computation and DMA run side by side and meet where the stream waits. Memory is as fast as a `MemoryTiming` says; an
operation takes the longest of computing and of the transfers of either port.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from harness.ethosu.accelerators import Accelerator
from harness.ethosu.disassembly import WORD, NpuCommand
from harness.ethosu.registers import NpuRegisters
from harness.ethosu.timing import cycles
from harness.ethosu.traffic import COMMANDS, DMA_READ, WRITTEN, transfers

READ, WRITE = "read", "write"
BEAT = {0: 8, 1: 16}
"""Bytes of a beat on the ports of the U55 (0) and the U65 (1)."""

_COMPUTES = ("NPU_OP_CONV", "NPU_OP_DEPTHWISE", "NPU_OP_POOL", "NPU_OP_ELEMENTWISE")


@dataclass(frozen=True)
class MemoryTiming:
    """How fast the memories behind the ports are.

    Attributes:
        name: what reports call it.
        bytes_per_cycle: of port AXI0 and of port AXI1.
        latency: cycles to the first byte, of either port.
        ports: region -> port; others are on AXI0.
    """

    name: str
    bytes_per_cycle: tuple[float, float]
    latency: tuple[int, int]
    ports: Mapping[int, int]


NO_WAITS = MemoryTiming("no waits", (inf, inf), (0, 0), {0: 1})
"""Memory that never lets a U55 wait, constants on AXI1: closest to Arm's published figures."""

SHARED_SRAM = MemoryTiming("Shared_Sram, Ethos_U55_High_End_Embedded", (8, 1), (32, 64), {0: 1})
"""Arena in SRAM on AXI0, constants in slow flash on AXI1, as Vela assumes for the U55."""

DEDICATED_SRAM = MemoryTiming("Dedicated_Sram, Ethos_U65_Client_Server", (16, 12), (32, 500), {0: 1, 1: 1})
"""Fast memory in SRAM on AXI0, constants and arena in DRAM on AXI1, as Vela assumes for the U65."""


@dataclass(frozen=True)
class OperationCounts:
    """What one operation of a stream cost.

    Attributes:
        word: place of its command.
        name: the command.
        start, end: cycles since the stream began.
        computing: cycles of it with memory that never lets it wait.
        beats: (port, READ or WRITE, kind) -> beats.
    """

    word: int
    name: str
    start: int
    end: int
    computing: int
    beats: Mapping[tuple[int, str, str], int]


@dataclass
class Counters:
    """Counts a stream's operations; its `observe` is for Simulator.run.

    Attributes:
        accelerator: what runs the stream.
        memory: how fast the memories are.
        operations: those that compute or move, in order.
    """

    accelerator: Accelerator
    memory: MemoryTiming
    operations: list[OperationCounts] = field(default_factory=list)
    _now: int = 0
    _computed: list[int] = field(default_factory=list)
    _copied: list[int] = field(default_factory=list)
    _words: int = 0

    def observe(self, command: NpuCommand, registers: NpuRegisters) -> None:
        """Counts one operation."""
        name = command.form.name
        if name in _COMPUTES:
            self._add(command, registers, self._computed, cycles(command, registers, self.accelerator))
        elif name == "NPU_OP_DMA_START":
            self._add(command, registers, self._copied, 0)
        elif name == "NPU_OP_DMA_WAIT":
            self._wait(self._copied, command.parameter & 1)
        elif name == "NPU_OP_KERNEL_WAIT":
            self._wait(self._computed, command.parameter & 3)
        elif name == "NPU_OP_STOP":
            self._words += command.word + 1

    @property
    def active(self) -> int:
        """Cycles from the first command to the end of the last operation."""
        return max([self._now, *self._computed[-1:], *self._copied[-1:]])

    def total(self, host: int) -> int:
        """Cycles from the driver's start of the cycle counter to its reading; those that are not active are idle.

        The NPU itself does not idle in a stream. What it waits for is its host: the driver's own work, and operators
        that the core runs between streams, `host` cycles of the NPU's clock in all.
        """
        return self.active + host

    def beats(self, port: int, direction: str) -> int:
        """Beats of a port; the commands themselves are read over AXI1."""
        return sum(beats for key, beats in self.by_kind().items() if key[:2] == (port, direction))

    def by_kind(self) -> Counter[tuple[int, str, str]]:
        """(port, READ or WRITE, kind) -> beats of the stream."""
        total: Counter[tuple[int, str, str]] = Counter()
        for operation in self.operations:
            total.update(operation.beats)
        if self._words:
            total[1, READ, COMMANDS] = -(-self._words * WORD // BEAT[self.accelerator.product])
        return total

    def _wait(self, ends: list[int], outstanding: int) -> None:
        if len(ends) > outstanding:
            self._now = max(self._now, ends[len(ends) - 1 - outstanding])

    def _add(self, command: NpuCommand, registers: NpuRegisters, ends: list[int], computing: int) -> None:
        cores = self.accelerator.cores if registers.of("PARALLEL_MODE") & 1 else 1
        sizes: Counter[tuple[int, str, str]] = Counter()
        for transfer in transfers(command, registers, cores):
            port = self.memory.ports.get(transfer.region, 0)
            sizes[port, WRITE if transfer.kind in WRITTEN else READ, transfer.kind] += transfer.size
        beat = BEAT[self.accelerator.product]
        start = max([self._now, *ends[-1:]])
        length = max(computing, self._moving(sizes))
        ends.append(start + length)
        counts = {key: -(-size // beat) for key, size in sizes.items()}
        self.operations.append(
            OperationCounts(command.word, command.form.name, start, start + length, computing, counts)
        )

    def _moving(self, sizes: Mapping[tuple[int, str, str], int]) -> int:
        """Cycles of the slower port; a copy starts late by the latency of the memory that it reads."""
        longest = 0.0
        for port in (0, 1):
            for direction in (READ, WRITE):
                moved = sum(size for key, size in sizes.items() if key[:2] == (port, direction))
                late = self.memory.latency[port] if sizes.keys() & {(port, READ, DMA_READ)} else 0
                longest = max(longest, moved / self.memory.bytes_per_cycle[port] + late)
        return round(longest)


def default_timing(accelerator: Accelerator) -> MemoryTiming:
    """What is counted with when nothing is said."""
    return DEDICATED_SRAM if accelerator.product else NO_WAITS
