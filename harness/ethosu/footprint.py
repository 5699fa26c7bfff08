"""Which bytes of its regions a command stream reads before it writes them, and which it writes; nothing is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.errors import CommandStreamError
from harness.ethosu.accelerators import Accelerator
from harness.ethosu.commands import ELEMENTWISE
from harness.ethosu.disassembly import NpuCommand, commands
from harness.ethosu.dma import starts
from harness.ethosu.elementwise import UNARY, second_shape
from harness.ethosu.fault import FaultError
from harness.ethosu.feature_maps import Shape, pieces
from harness.ethosu.memory import Bytes, NpuMemory
from harness.ethosu.payload import Words
from harness.ethosu.pooling import AVERAGE, REDUCE_SUM
from harness.ethosu.registers import FeatureMap, NpuRegisters
from harness.ethosu.scales import scale_lists
from harness.ethosu.state import ELEMENT, NpuState, WeightCache
from harness.ethosu.windows import source_shape
from harness.quantization.fixedpoint import Ints

_ALL = 0xFF
_STOP = "NPU_OP_STOP"
_INTERNAL = 1 << 8
_NAMES = dict(ELEMENTWISE)


@dataclass(frozen=True, eq=False)
class StreamFootprint:
    """Of every region a byte for each of its bytes: 0xFF where it is meant, else 0.

    Attributes:
        asked: read before the stream writes it, so that what was there before matters.
        written: written.
    """

    asked: Mapping[int, Bytes]
    written: Mapping[int, Bytes]


def footprint(
    words: Words, accelerator: Accelerator, sizes: Mapping[int, int], same: Mapping[int, int], place: str
) -> StreamFootprint:
    """The footprint of a stream.

    Args:
        words: the stream.
        accelerator: what it is for.
        sizes: of the regions, in bytes.
        same: regions that are another one under a second number.
        place: how errors name the stream.

    Raises:
        CommandStreamError: a command reaches out of its region, or contradicts itself.
    """
    asked, written = ({region: np.zeros(size, np.uint8) for region, size in sizes.items()} for _ in range(2))
    for region, other in same.items():
        asked[region], written[region] = asked[other], written[other]
    tracks = _Tracks(accelerator, NpuMemory(asked, accelerator.shram), NpuMemory(written, accelerator.shram))
    try:
        for command in commands(words.tolist()):
            if not command.form.starts:
                tracks.state.registers.set(command)
            elif command.form.name == _STOP:
                return StreamFootprint(asked, written)
            else:
                tracks.follow(command)
        raise FaultError(f"the stream of {len(words)} words ends without {_STOP}", f"word {len(words)}")
    except FaultError as fault:
        raise CommandStreamError(
            f"{place}: {fault.place}: {fault.message}", hint="the file is damaged; compile the model again with Vela"
        ) from fault


class _Tracks:
    """What operations leave in the two masks, which have the regions' layout."""

    def __init__(self, accelerator: Accelerator, asked: NpuMemory, written: NpuMemory) -> None:
        self._asked = asked
        self._written = written
        self.state = NpuState(accelerator, written, NpuRegisters(), WeightCache())

    def follow(self, command: NpuCommand) -> None:
        """Marks what one operation reads and writes."""
        try:
            self._follow(command)
        except FaultError as fault:
            raise FaultError(fault.message, fault.place or command.place) from None

    def _follow(self, command: NpuCommand) -> None:
        registers, name = self.state.registers, command.form.name
        if name == "NPU_OP_DMA_START":
            self._copies()
            return
        if name not in ("NPU_OP_CONV", "NPU_OP_DEPTHWISE", "NPU_OP_POOL", "NPU_OP_ELEMENTWISE"):
            return
        self.state.bounded(*registers.ofm_shape)
        shape = registers.ofm_shape
        if name == "NPU_OP_ELEMENTWISE":
            self._read(registers.operand("IFM"), shape)
            second = second_shape(registers, shape)
            if _NAMES.get(command.parameter & 0x3F) not in UNARY and second is not None:
                self._read(registers.operand("IFM2"), second)
        else:
            summed = name == "NPU_OP_CONV" or (name == "NPU_OP_POOL" and command.parameter & 7 == REDUCE_SUM)
            depth = registers.ifm_depth if summed else shape[2]
            self._read(registers.operand("IFM"), source_shape(self.state, depth))
            mode = command.parameter & 7 if name == "NPU_OP_POOL" else None
            if mode is None:
                self._weights(shape[2])
            averages = mode == AVERAGE and not any(registers.padding)
            if mode is None or (not registers.global_scale and (averages or mode == REDUCE_SUM)):
                for start, length in scale_lists(registers, shape[2], self.state.cores):
                    self._span(registers.of("SCALE_REGION") & 7, start, length)
        self._write(registers.operand("OFM"), shape)

    def _weights(self, channels: int) -> None:
        """Weights, which a copy may have brought into the arena."""
        registers = self.state.registers
        for core in range(min(self.state.cores, channels)):
            suffix = str(core) if core else ""
            length = registers.length(f"WEIGHT{suffix}_LENGTH")
            self._span(registers.of("WEIGHT_REGION") & 7, registers.address(f"WEIGHT{suffix}_BASE"), length)

    def _copies(self) -> None:
        registers = self.state.registers
        source, target = registers.of("DMA0_SRC_REGION"), registers.of("DMA0_DST_REGION")
        length = registers.address("DMA0_LEN")
        at = registers.address("DMA0_SRC")
        for start in starts(self.state, target >> 9 & 3, length):
            self._span(source & 7, at, length)
            if not target & _INTERNAL:
                self._written.span(target & 7, start, length, write=True)[:] = _ALL
            at += length

    def _span(self, region: int, start: int, length: int) -> None:
        self._asked.span(region, start, length)[:] |= ~self._written.span(region, start, length)

    def _read(self, source: FeatureMap, shape: Shape) -> None:
        self._spend(shape)
        marked = pieces(self._asked, source, shape, write=True)
        known = pieces(self._written, source, shape, write=False)
        for (_, asked), (_, written) in zip(marked, known, strict=True):
            np.bitwise_or(asked, np.invert(cast(Ints, written)), out=cast(Ints, asked))

    def _write(self, target: FeatureMap, shape: Shape) -> None:
        self._spend(shape)
        for _, view in pieces(self._written, target, shape, write=True):
            view[...] = np.array(-1).astype(view.dtype)

    def _spend(self, shape: Shape) -> None:
        self.state.spend(ELEMENT * shape[0] * shape[1] * shape[2])
