"""The NPU behind Arm's driver: where the firmware hands it a command stream, our simulator runs it.

The driver's `ethosu_invoke_v3` is not executed: the core stops at its first instruction, the stream runs on copies of
the memories that the firmware names, what it changed is written back, and the core goes on behind the call with the
driver's answer. What that driver refuses before it starts the NPU is refused here, too: payloads other than COP1, base
addresses that are not multiples of 16, fast memory beyond the NPU's.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.boards.backends.qemu.gdb import LR, PC, SP, Gdb
from harness.errors import CommandStreamError, InputError
from harness.ethosu.accelerators import Accelerator, accelerator_of
from harness.ethosu.counts import StreamCounts
from harness.ethosu.memory import REGIONS, Bytes
from harness.ethosu.payload import CUSTOM_CODE, MOST_MEMORY, read_payload
from harness.ethosu.pmu import Counters, default_timing
from harness.ethosu.simulator import Simulator
from harness.frontends.tflite.schema import read_model
from harness.ir.operators.tflite import damaged

DONE, FAILED = 0, 0xFFFF_FFFF
"""Answers of the driver; TFLM takes any other than -1 for success."""

FAST = 2
"""The region that is the NPU's own memory where it has some."""

_ALIGN = 16
_CONTENT = b"COP1"
_GAP = 64
"""Up to so many bytes that stayed alike between two that changed are written with them: a packet costs more."""

ReadMemory = Callable[[int, int], bytes]
"""(address, length) -> bytes of the target."""


@dataclass(frozen=True)
class NpuCall:
    """Arguments of ethosu_invoke_v3.

    Attributes:
        payload: address and bytes of what the driver reads its actions from.
        bases, sizes: of the regions.
    """

    payload: tuple[int, int]
    bases: tuple[int, ...]
    sizes: tuple[int, ...]


@dataclass(eq=False)
class TargetMemory:
    """Copies of the memories of a call. Regions that overlap on the target share their bytes.

    Attributes:
        regions: for Simulator.run.
        spans: (address, bytes before, bytes now) of what can be written.
    """

    regions: dict[int, Bytes] = field(default_factory=dict)
    spans: list[tuple[int, bytes, Bytes]] = field(default_factory=list)

    def changes(self) -> Iterator[tuple[int, bytes]]:
        """(address, bytes) of what is to be written back."""
        for address, before, now in self.spans:
            changed = np.flatnonzero(np.frombuffer(before, np.uint8) != now)
            if not changed.size:
                continue
            cuts = np.flatnonzero(np.diff(changed) > _GAP)
            firsts = changed[np.concatenate(([0], cuts + 1))]
            lasts = changed[np.concatenate((cuts, [changed.size - 1]))]
            for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
                yield address + first, now[first : last + 1].tobytes()


class NpuBehindDriver:
    """Answers the firmware's calls of the NPU's driver.

    Attributes:
        failure: why the last call failed.
        invokes: of all calls so far that were counted.
    """

    def __init__(
        self, gdb: Gdb, read_memory: ReadMemory, fast_memory: tuple[int, int] | None, model: bytes, address: int
    ) -> None:
        """The NPU.

        Args:
            gdb: the core.
            read_memory: of the target; faster than gdb's.
            fast_memory: as Build.fast_memory.
            model: the bytes of the model file, which the target has at `address`.
        """
        self._gdb, self._read, self._fast_memory = gdb, read_memory, fast_memory
        self._model, self._address = model, address
        self._simulators: dict[str, Simulator] = {}
        self.failure: InputError | None = None
        self.invokes: list[StreamCounts] = []

    def answer(self, *, count: bool) -> None:
        """Runs the stream of the call at whose beginning the core stands, and lets the core return from it.

        Raises:
            BoardError: the emulator does not give or take memory.
        """
        registers = self._gdb.registers()
        try:
            self._run(self._call(registers), count)
            answer = DONE
        except InputError as error:
            self.failure, answer = error, FAILED
        self._gdb.set_register(0, answer)
        self._gdb.set_register(PC, registers[LR] & ~1)

    def _call(self, registers: Sequence[int]) -> NpuCall:
        sizes, count = struct.unpack("<II", self._gdb.read_memory(registers[SP], 8))
        if not 1 <= count <= REGIONS:
            raise damaged(f"the driver is given {count} base addresses; the NPU has {REGIONS}")
        bases = struct.unpack(f"<{count}Q", self._gdb.read_memory(registers[3], 8 * count))
        return NpuCall(
            (registers[1], registers[2]), bases, struct.unpack(f"<{count}I", self._gdb.read_memory(sizes, 4 * count))
        )

    def _run(self, call: NpuCall, count: bool) -> None:
        address, length = call.payload
        content = self._of_model(address, length)
        if content is None:
            raise damaged("the command stream is not in the model file")
        place = f"the command stream at byte {address - self._address} of the model file"
        if content[:4] != _CONTENT:
            raise CommandStreamError(
                f"{place}: Arm's driver takes payloads COP1, this begins with {content[:4]!r}",
                hint="compile it without options that ask for COP2, as --separate-io-regions",
            )
        payload = read_payload(content, place)
        accelerator = accelerator_of(payload.config, place)
        memory = self.memory(as_the_driver(call, self._fast_memory, place))
        counters = Counters(accelerator, default_timing(accelerator))
        simulator = self._simulators.setdefault(accelerator.name, Simulator(accelerator))
        simulator.run(payload.words, memory.regions, place, counters.observe if count else None)
        for start, data in memory.changes():
            self._gdb.write_memory(start, data)
        if count:
            self.invokes.append(StreamCounts.of(counters, place))

    def memory(self, call: NpuCall) -> TargetMemory:
        """Copies of the regions; those in the model file are read from it, and are constant."""
        found = TargetMemory()
        wanted: list[tuple[int, int, int]] = []
        for region, (base, size) in enumerate(zip(call.bases, call.sizes, strict=True)):
            constant = self._of_model(base, size)
            if constant is not None:
                found.regions[region] = np.frombuffer(constant, np.uint8)
            else:
                wanted.append((base, base + size, region))
        for start, end, regions in _merged(wanted):
            before = self._read(start, end - start)
            now = np.frombuffer(before, np.uint8).copy()
            found.spans.append((start, before, now))
            for region in regions:
                base, size = call.bases[region], call.sizes[region]
                found.regions[region] = now[base - start : base - start + size]
        return found

    def _of_model(self, address: int, length: int) -> bytes | None:
        """Bytes of the target that are the model file's; None for others."""
        start = address - self._address
        if start < 0 or start + length > len(self._model):
            return None
        return self._model[start : start + length]


def as_the_driver(call: NpuCall, fast_memory: tuple[int, int] | None, place: str) -> NpuCall:
    """The call with the base addresses that the driver hands to the NPU.

    Raises:
        CommandStreamError: the driver refuses it.
    """
    bases = list(call.bases)
    if fast_memory is not None and len(bases) > FAST:
        if call.sizes[FAST] > fast_memory[1]:
            raise CommandStreamError(
                f"{place}: wants {call.sizes[FAST]:,} B of fast memory; Arm's driver has {fast_memory[1]:,}",
                hint=f"compile it with a smaller --arena-cache-size: at most {fast_memory[1]}",
            )
        bases[FAST] = fast_memory[0]
    for region, (base, size) in enumerate(zip(bases, call.sizes, strict=True)):
        if base % _ALIGN:
            raise CommandStreamError(
                f"{place}: region {region} begins at 0x{base:x}; Arm's driver wants multiples of {_ALIGN}",
                hint="does the model file keep Vela's places of tensors?",
            )
        if size > MOST_MEMORY:
            raise CommandStreamError(
                f"{place}: region {region} has {size:,} B; {MOST_MEMORY:,} are simulated", hint="is the file damaged?"
            )
    return NpuCall(call.payload, tuple(bases), call.sizes)


def accelerator_in(model: bytes, place: str) -> Accelerator | None:
    """What a model file is compiled for; None where all its operators run on the CPU.

    Raises:
        ModelFileError: it is damaged.
        UnsupportedModelError: it is compiled for another NPU than an Ethos-U55 or U65.
    """
    if CUSTOM_CODE.encode() not in model:
        return None
    subgraph = read_model(model, place)[0]
    for op in subgraph.operators:
        if op.custom == CUSTOM_CODE and op.inputs:
            stream = subgraph.tensors[op.inputs[0]]
            content = b"" if stream.data is None else stream.data.tobytes()
            return accelerator_of(read_payload(content, stream.place).config, op.place)
    return None


def _merged(ranges: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, list[int]]]:
    """(start, end, regions) of ranges (start, end, region); those that overlap or touch are one."""
    merged: list[tuple[int, int, list[int]]] = []
    for start, end, region in sorted(ranges):
        if merged and start <= merged[-1][1]:
            first, last, regions = merged[-1]
            merged[-1] = (first, max(last, end), [*regions, region])
        else:
            merged.append((start, end, [region]))
    return merged
