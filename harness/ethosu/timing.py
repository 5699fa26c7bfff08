"""Cycles that the NPU computes for, from the registers of an operation.

Multiplication and output work side by side, block by block, so an operation takes the slower of the two for all blocks,
and the other one for one block more. Source of the rates: Vela 5.2, ethos_u55_performance.cpp in
regor/architecture/ethosu55, read as a description; the sum is our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from harness.ethosu.accelerators import Accelerator
from harness.ethosu.disassembly import NpuCommand
from harness.ethosu.registers import NpuRegisters
from harness.ethosu.traffic import ELEMENTWISE_NAMES, UNARY

_PART = 8
"""Rows and columns of a window that are computed at once."""

_MAX = 0
_REDUCE_SUM = 2
_ACCUMULATOR_40 = 1
_STEP_CYCLES = 4


@dataclass(frozen=True)
class Grid:
    """An output in its smallest blocks.

    Attributes:
        flat: smallest blocks of a block in rows and columns.
        deep: the same in depth.
        blocks: blocks of the output; those at the edges count as the parts that they are.
        width: channels of a smallest block.
    """

    flat: int
    deep: int
    blocks: float
    width: int


def cycles(command: NpuCommand, registers: NpuRegisters, accelerator: Accelerator) -> int:
    """Cycles of one operation with memory that never lets it wait."""
    output = _output_cycles(command, registers, accelerator)
    height, width, depth = registers.ofm_shape
    if command.form.name == "NPU_OP_ELEMENTWISE":
        stored = -(-depth // 16) * 16 if registers.operand("OFM").bricks else depth
        return ceil(output * height * width * stored)
    block = tuple(min(size, part) for size, part in zip(registers.ofm_shape, registers.ofm_block, strict=True))
    grid = _grid(command, registers, accelerator, block)
    multiplied = _block_cycles(command, registers, accelerator, grid, block[2]) / accelerator.cores
    finished = ceil(output * block[0] * block[1] * block[2])
    return ceil(max(multiplied, finished) * grid.blocks + min(multiplied, finished))


def _grid(command: NpuCommand, registers: NpuRegisters, accelerator: Accelerator, block: tuple[int, ...]) -> Grid:
    shape = registers.ofm_shape
    smallest = accelerator.ublock
    one_row = command.form.name == "NPU_OP_CONV" and shape[0] == 1 and registers.kernel.height == 1
    if smallest[0] == 2 and one_row and shape[1] % 2 == 0:
        smallest = (1, 4, smallest[2])
    counts = [-(-size // unit) for size, unit in zip(block, smallest, strict=True)]
    whole = 1
    for size, unit in zip(shape, smallest, strict=True):
        whole *= -(-size // unit)
    flat = counts[0] * counts[1]
    return Grid(flat, counts[2], whole / (flat * counts[2]), smallest[2])


def _block_cycles(
    command: NpuCommand, registers: NpuRegisters, accelerator: Accelerator, grid: Grid, block_depth: int
) -> float:
    """Cycles of the multipliers for one block of outputs."""
    kernel, bits = registers.kernel, registers.operand("IFM").bits
    convolution = command.form.name == "NPU_OP_CONV"
    summing = convolution or (command.form.name == "NPU_OP_POOL" and command.parameter & 7 == _REDUCE_SUM)
    part_first = convolution and kernel.part_first
    ifm_block = min(registers.ifm_depth, 16 if part_first or bits != 8 else 32) if summing else block_depth
    total = 0.0
    for row in range(0, kernel.height, _PART):
        for column in range(0, kernel.width, _PART):
            elements = min(kernel.height - row, _PART) * min(kernel.width - column, _PART)
            steps, spent = _part_cycles(command, registers, accelerator, grid, elements, part_first, ifm_block)
            delay = _delay(registers, accelerator, grid, steps)
            total += spent + delay * (-(-ifm_block // 8) if part_first else 1)
    return total * (-(-registers.ifm_depth // ifm_block) if summing else 1)


def _part_cycles(
    command: NpuCommand,
    registers: NpuRegisters,
    accelerator: Accelerator,
    grid: Grid,
    elements: int,
    part_first: bool,
    ifm_block: int,
) -> tuple[int, float]:
    """(steps through a part of the window, cycles)."""
    bits = registers.operand("IFM").bits
    weights = 32 * grid.width // 8
    name = command.form.name
    if name == "NPU_OP_POOL" and command.parameter & 7 != _REDUCE_SUM:
        spent = max(_STEP_CYCLES, elements) * grid.flat * grid.deep
        return 1, spent if accelerator.macs == 32 else spent * (bits // 2)
    if name == "NPU_OP_DEPTHWISE":
        steps = -(-elements // 4)
        return steps, max(weights, _STEP_CYCLES * grid.flat * (bits // 8)) * steps * grid.deep
    if part_first:
        steps = -(-elements // (2 if bits == 16 else 4))
        return steps, max(weights, _STEP_CYCLES * grid.flat) * steps * grid.deep * -(-ifm_block // 8)
    return elements, max(weights, _STEP_CYCLES * grid.flat) * elements * grid.deep


def _delay(registers: NpuRegisters, accelerator: Accelerator, grid: Grid, steps: int) -> int:
    """Cycles lost between steps that are too short to hide them."""
    wide = registers.of("ACC_FORMAT") & 3 == _ACCUMULATOR_40
    if accelerator.macs == 32:
        each = 7 if wide else 3
    else:
        each = 3 if wide and accelerator.macs <= 128 else 2
    if grid.flat != 1:
        return 0
    return each * steps if grid.deep == 1 else each * (steps - 1) * grid.deep


def _output_cycles(command: NpuCommand, registers: NpuRegisters, accelerator: Accelerator) -> float:
    """Cycles of the output unit for one element."""
    function = registers.of("ACTIVATION") & 0x1F
    limits = registers.of("ACTIVATION_MIN"), registers.of("ACTIVATION_MAX")
    limited = limits not in ((0xFF80, 0x7F), (0, 0xFF), (0x8000, 0x7FFF))
    activation = accelerator.activation_cycles[0 if function else 1 if limited else 2]
    return max(accelerator.output_cycles[_rate(command, registers)], activation)


def _rate(command: NpuCommand, registers: NpuRegisters) -> int:
    """Which of the accelerator's output rates an operation has."""
    ifm, ofm = registers.operand("IFM"), registers.operand("OFM")
    if command.form.name != "NPU_OP_ELEMENTWISE":
        if registers.of("ACC_FORMAT") & 3 == _ACCUMULATOR_40:
            return 3
        return 6 if command.form.name == "NPU_OP_POOL" and command.parameter & 7 == _MAX else 7
    name = ELEMENTWISE_NAMES.get(command.parameter & 0x3F, "")
    if ifm.bits == 32:
        return 0 if name in UNARY else 1
    if name == "MUL":
        return 2 if ofm.bits == 32 else 3
    return 5 if name in ("ADD", "SUB") else 7
