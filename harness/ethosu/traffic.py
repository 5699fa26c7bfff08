"""Bytes that an operation moves over the NPU's two ports, by kind.

An operation works block by block of its output, depth innermost: a convolution reads its inputs anew for every block of
output channels, and its weights anew for every block of rows and columns; its scales, too, unless they are those of
the only block of channels. Found by comparison with counters that Arm published; docs/ethos-u.md has the figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.ethosu.commands import ELEMENTWISE
from harness.ethosu.disassembly import NpuCommand
from harness.ethosu.feature_maps import BRICK
from harness.ethosu.registers import FeatureMap, NpuRegisters

IFM, OFM, WEIGHTS, SCALES, DMA_READ, DMA_WRITE, COMMANDS = (
    "ifm",
    "ofm",
    "weights",
    "scales",
    "dma read",
    "dma write",
    "commands",
)
WRITTEN = (OFM, DMA_WRITE)
"""Kinds that are written; the others are read."""

ELEMENTWISE_NAMES: Mapping[int, str] = dict(ELEMENTWISE)
UNARY = ("LRELU", "ABS", "CLZ")
_WINDOWED = ("NPU_OP_CONV", "NPU_OP_DEPTHWISE", "NPU_OP_POOL")
_INTERNAL = 1 << 8


@dataclass(frozen=True)
class NpuTransfer:
    """Bytes of one kind, from or to a region."""

    kind: str
    region: int
    size: int


def transfers(command: NpuCommand, registers: NpuRegisters, cores: int) -> Iterator[NpuTransfer]:
    """What an operation moves; nothing for those that wait or signal."""
    name = command.form.name
    if name == "NPU_OP_DMA_START":
        yield from _copied(registers)
    elif name in _WINDOWED:
        yield from _windowed(command, registers, cores)
        yield _written(registers)
    elif name == "NPU_OP_ELEMENTWISE":
        yield from _operands(command, registers)
        yield _written(registers)


def _copied(registers: NpuRegisters) -> Iterator[NpuTransfer]:
    source, target = registers.of("DMA0_SRC_REGION"), registers.of("DMA0_DST_REGION")
    mode = target >> 9 & 3
    rows = registers.of("DMA0_SIZE0") if mode else 1
    size = registers.address("DMA0_LEN") * rows * (registers.of("DMA0_SIZE1") if mode == 2 else 1)
    yield NpuTransfer(DMA_READ, source & 7, size)
    if not target & _INTERNAL:
        yield NpuTransfer(DMA_WRITE, target & 7, size)


def _stored(operand: FeatureMap, depth: int) -> int:
    """Bytes of one row and column: bricks are moved whole."""
    channels = -(-depth // BRICK) * BRICK if operand.bricks else depth
    return channels * operand.bits // 8


def _written(registers: NpuRegisters) -> NpuTransfer:
    height, width, depth = registers.ofm_shape
    target = registers.operand("OFM")
    return NpuTransfer(OFM, target.region, height * width * _stored(target, depth))


def _operands(command: NpuCommand, registers: NpuRegisters) -> Iterator[NpuTransfer]:
    height, width, depth = registers.ofm_shape
    first = registers.operand("IFM")
    yield NpuTransfer(IFM, first.region, height * width * _stored(first, depth))
    how = registers.of("IFM2_BROADCAST")
    if ELEMENTWISE_NAMES.get(command.parameter & 0x3F) in UNARY or how >> 7 & 1:
        return
    second = registers.operand("IFM2")
    rows, columns, channels = (1 if how >> axis & 1 else n for axis, n in enumerate((height, width, depth)))
    yield NpuTransfer(IFM, second.region, rows * columns * _stored(second, channels))


def _windowed(command: NpuCommand, registers: NpuRegisters, cores: int) -> Iterator[NpuTransfer]:
    blocks = [-(-size // block) for size, block in zip(registers.ofm_shape, registers.ofm_block, strict=True)]
    source = registers.operand("IFM")
    top, bottom, left, right = registers.padding
    rows = _under(registers, 0, top, bottom)
    columns = _under(registers, 1, left, right)
    name = command.form.name
    # Every block of output channels reads all inputs, or those of its own channels alone.
    depth = _stored(source, registers.ifm_depth)
    again = blocks[2] if name == "NPU_OP_CONV" else 1
    yield NpuTransfer(IFM, source.region, rows * columns * depth * again)
    if name == "NPU_OP_POOL":
        return
    for core in range(cores):
        suffix = str(core) if core else ""
        weights, scales = registers.length(f"WEIGHT{suffix}_LENGTH"), registers.length(f"SCALE{suffix}_LENGTH")
        yield NpuTransfer(WEIGHTS, registers.of("WEIGHT_REGION") & 7, weights * blocks[0] * blocks[1])
        times = blocks[0] * blocks[1] if blocks[2] > 1 else 1
        yield NpuTransfer(SCALES, registers.of("SCALE_REGION") & 7, (scales & 0xFFFFF) * times)


def _under(registers: NpuRegisters, axis: int, before: int, after: int) -> int:
    """Rows (0) or columns (1) of the inputs that all blocks read together; what lies under two windows counts twice."""
    size, block = registers.ofm_shape[axis], registers.ofm_block[axis]
    kernel = registers.kernel
    stride, reach = kernel.stride[axis], kernel.reach[axis]
    limit = (size - 1) * stride + reach - before - after
    step = 2 if registers.of("IFM_UPSCALE") & 3 else 1
    total = 0
    for start in range(0, size, block):
        first = max(start * stride - before, 0)
        last = min((min(start + block, size) - 1) * stride + reach - before, limit)
        total += max(-(-last // step) - first // step, 0)
    return total
