"""The scales of an operation with weights: ten bytes a channel, bias (40 bits), multiplier (32) and shift (6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.ethosu.fault import FaultError
from harness.ethosu.memory import NpuMemory
from harness.ethosu.registers import NpuRegisters
from harness.quantization.fixedpoint import Ints

RECORD = 10
"""Bytes of a channel."""


@dataclass(frozen=True, eq=False)
class ChannelScales:
    """For every output channel: what is added to the sum, what that is multiplied by, and shifted right by."""

    bias: Ints
    multiplier: Ints
    shift: Ints


def channel_scales(memory: NpuMemory, registers: NpuRegisters, channels: int, cores: int) -> ChannelScales:
    """The scales of an operation; each of two cores has its own list, of every other channel.

    Raises:
        FaultError: the lists lie outside of their region, or are too short.
    """
    bias, multiplier, shift = (np.zeros(channels, np.int64) for _ in range(3))
    for core, (start, length) in enumerate(scale_lists(registers, channels, cores)):
        count = len(range(core, channels, cores))
        if length < RECORD * count:
            raise FaultError(f"{length} bytes of scales for {count} channels")
        content = memory.span(registers.of("SCALE_REGION") & 7, start, length)
        records = content[: RECORD * count].reshape(count, RECORD).astype(np.int64)
        bits = _little_endian(records[:, :5])
        bias[core::cores] = np.where(bits >> 39, bits - (1 << 40), bits)
        multiplier[core::cores] = _little_endian(records[:, 5:9])
        shift[core::cores] = records[:, 9] & 0x3F
    return ChannelScales(bias, multiplier, shift)


def scale_lists(registers: NpuRegisters, channels: int, cores: int) -> Iterator[tuple[int, int]]:
    """First byte and length of the list of each core."""
    for core in range(min(cores, channels)):
        suffix = str(core) if core else ""
        yield registers.address(f"SCALE{suffix}_BASE"), registers.length(f"SCALE{suffix}_LENGTH") & 0xFFFFF


def _little_endian(parts: Ints) -> Ints:
    total: Ints = (parts << 8 * np.arange(parts.shape[1])).sum(axis=1)
    return total
