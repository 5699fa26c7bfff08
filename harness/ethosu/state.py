"""What an operation works with: the accelerator, its registers, memory, and the work that it may still do."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from harness.ethosu.accelerators import LUT_BYTES, Accelerator
from harness.ethosu.fault import FaultCause, FaultError
from harness.ethosu.memory import NpuMemory
from harness.ethosu.registers import NpuRegisters
from harness.ethosu.weights import WeightOrder, arranged, decode
from harness.quantization.fixedpoint import Ints

MOST_WORK = 1 << 36
"""What a stream may ask for, in multiplications of a convolution; about a minute of computing."""

ELEMENT = 64
"""What reading, computing and writing one element counts as."""

TAP = 16
"""What one element of a window of a pool or a depthwise convolution counts as."""

STEP = 4096
"""What one turn of a loop in Python counts as."""

MOST_ELEMENTS = 1 << 26
"""Of a feature map with its padding; each takes eight bytes here."""

_CACHED = 64 << 20

Weights = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass
class WeightCache:
    """Decoded weights by stream and order: the next inference takes the same. Holds 64 MiB at most."""

    found: dict[tuple[bytes, WeightOrder], Weights] = field(default_factory=dict)
    held: int = 0

    def get(self, stream: bytes, order: WeightOrder) -> Weights:
        """The decoded weights."""
        key = (stream, order)
        if key not in self.found:
            made = _decoded(stream, order)
            if self.held + made.nbytes > _CACHED:
                return made
            self.found[key] = made
            self.held += made.nbytes
        return self.found[key]


@dataclass
class NpuState:
    """The NPU while a stream runs."""

    accelerator: Accelerator
    memory: NpuMemory
    registers: NpuRegisters
    cache: WeightCache
    work: int = MOST_WORK

    def spend(self, count: int) -> None:
        """Counts work before it is done.

        Raises:
            FaultError: it would be more than a stream may ask for.
        """
        self.work -= count
        if self.work < 0:
            raise FaultError("the stream asks for more work than one inference may")

    def bounded(self, height: int, width: int, depth: int) -> None:
        """Checks the size of a feature map before it is made.

        Raises:
            FaultError: it is larger than any that fits beside an NPU.
        """
        if height * width * depth > MOST_ELEMENTS:
            raise FaultError(f"a feature map of {height} x {width} x {depth}, more than {MOST_ELEMENTS:,} elements")

    @property
    def tables(self) -> int:
        """Byte of SHRAM at which the lookup tables begin."""
        return self.accelerator.shram - LUT_BYTES

    @property
    def cores(self) -> int:
        """Cores that work on an operation."""
        return self.accelerator.cores if self.registers.of("PARALLEL_MODE") & 1 else 1

    def weights(self, channels: int, ifm_depth: int, *, depthwise: bool) -> Weights:
        """Weights [output channel, row, column, input channel], whole numbers as float64.

        Raises:
            FaultError: the streams lie outside of their region, or are damaged.
        """
        registers, kernel, cores = self.registers, self.registers.kernel, self.cores
        region = registers.of("WEIGHT_REGION") & 7
        parts = []
        for core in range(min(cores, channels)):
            suffix = str(core) if core else ""
            length = registers.length(f"WEIGHT{suffix}_LENGTH")
            stream = self.memory.span(region, registers.address(f"WEIGHT{suffix}_BASE"), length).tobytes()
            block = (registers.ofm_block[2] + cores - 1 - core) // cores
            if block < 1:
                raise FaultError(f"blocks of {registers.ofm_block[2]} channels for {cores} cores")
            order = WeightOrder(
                len(range(core, channels, cores)),
                1 if depthwise else ifm_depth,
                kernel.height,
                kernel.width,
                block,
                self.accelerator.ublock[2],
                8,
                depthwise,
                kernel.part_first and not depthwise,
                registers.operand("IFM").bits,
                (kernel.decomposition // kernel.dilation[0], kernel.decomposition // kernel.dilation[1]),
            )
            self.spend(8 * len(stream))
            parts.append(self.cache.get(stream, order))
        return parts[0] if len(parts) == 1 else _interleaved(parts, channels)


def _decoded(stream: bytes, order: WeightOrder) -> Weights:
    try:
        found: Ints = arranged(decode(stream), order)
    except FaultError as fault:
        raise FaultError(fault.message, fault.place, FaultCause.WEIGHTS) from None
    return found.astype(np.float64)


def _interleaved(parts: list[Weights], channels: int) -> Weights:
    out = np.empty((channels, *parts[0].shape[1:]))
    for core, part in enumerate(parts):
        out[core :: len(parts)] = part
    return out
