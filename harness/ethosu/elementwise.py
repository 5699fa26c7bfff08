"""NPU_OP_ELEMENTWISE: one or two operands, element by element."""

from __future__ import annotations

import numpy as np

from harness.ethosu.commands import ELEMENTWISE
from harness.ethosu.fault import FaultError
from harness.ethosu.feature_maps import Shape, read
from harness.ethosu.output import finish
from harness.ethosu.registers import NpuRegisters, signed_16
from harness.ethosu.rounding import DOUBLE, half_away, shifted
from harness.ethosu.state import ELEMENT, NpuState
from harness.quantization.fixedpoint import Ints

UNARY = ("LRELU", "ABS", "CLZ")
_NAMES = dict(ELEMENTWISE)
_BOTH, _FIRST, _SECOND = 0, 1, 2
"""Operands that are scaled before an addition: both by 16 bits, or one by 32."""


def elementwise(state: NpuState, mode: int) -> None:
    """Carries out one operation.

    Raises:
        FaultError: it is of another mode, or its registers contradict each other.
    """
    registers = state.registers
    shape = registers.ofm_shape
    name = _NAMES.get(mode)
    if name is None:
        raise FaultError(f"elementwise mode {mode} is not there")
    state.spend(ELEMENT * shape[0] * shape[1] * shape[2])
    source = registers.operand("IFM")
    first = read(state.memory, source, shape) - source.zero_point
    if name in UNARY:
        found = _unary(registers, name, first)
    else:
        second = _second(state, shape)
        if registers.of("IFM2_BROADCAST") >> 6 & 1:
            first, second = second, first
        found = _binary(registers, name, first, second)
    finish(state, np.broadcast_to(found, shape))


def _second(state: NpuState, shape: tuple[int, int, int]) -> Ints:
    """The second operand: a scalar, or a feature map, of which each dimension may be 1."""
    registers = state.registers
    source = registers.operand("IFM2")
    found = second_shape(registers, shape)
    if found is None:
        scalar = registers.of("IFM2_SCALAR")
        return np.full((1, 1, 1), (signed_16(scalar) if source.signed else scalar) - source.zero_point, np.int64)
    return read(state.memory, source, found) - source.zero_point


def second_shape(registers: NpuRegisters, shape: Shape) -> Shape | None:
    """What is read of the second operand; None of a scalar."""
    how = registers.of("IFM2_BROADCAST")
    if how >> 7 & 1:
        return None
    height, width, depth = (1 if how >> axis & 1 else size for axis, size in enumerate(shape))
    return height, width, depth


def _unary(registers: NpuRegisters, name: str, values: Ints) -> Ints:
    multiplier, shift = registers.scale("OFM_SCALE")
    if name == "LRELU":
        return np.where(values >= 0, values, shifted(values * multiplier, shift, registers.rounding))
    if name == "ABS":
        return shifted(np.abs(values) * multiplier, shift, registers.rounding)
    # Bits of a word before its first one: 32 of zero; of doubles of a whole number the exponent is exact.
    words = (values & 0xFFFFFFFF).astype(np.float64)
    return 32 - np.frexp(words)[1].astype(np.int64)


def _binary(registers: NpuRegisters, name: str, first: Ints, second: Ints) -> Ints:
    if name == "MUL":
        return _product(registers, first, second)
    if name in ("ADD", "SUB"):
        return _sum(registers, first, second, -1 if name == "SUB" else 1)
    if name == "MIN":
        return np.minimum(first, second)
    if name == "MAX":
        return np.maximum(first, second)
    if name == "SHL":
        return np.where(second < 0, 0, first << np.clip(second, 0, 63))
    return _right(registers.rounding, first, np.clip(second, 0, 63))


def _right(mode: int, values: Ints, shift: Ints) -> Ints:
    """SHR; ROUND_MODE_DBL is that of TFLite's RoundingDivideByPOT here."""
    return half_away(values, shift) if mode == DOUBLE else shifted(values, shift, mode)


def _product(registers: NpuRegisters, first: Ints, second: Ints) -> Ints:
    multiplier, shift = registers.scale("OFM_SCALE")
    if registers.operand("IFM").bits == 32:
        # Operands of 32 bits leave no multiplier for the scale: only its shift applies.
        return shifted(first * second, shift, registers.rounding)
    product = first * second
    return shifted(product * multiplier, shift, registers.rounding) if registers.global_scale else product


def _sum(registers: NpuRegisters, first: Ints, second: Ints, sign: int) -> Ints:
    mode = registers.of("IFM_PRECISION") >> 8 & 3
    multiplier, shift = registers.scale("OPA_SCALE")
    if mode == _BOTH:
        a, b = first * multiplier, second * (registers.length("OPB_SCALE") & 0xFFFF)
    elif mode == _FIRST:
        a, b = _scaled(registers, first, multiplier, shift), second << _headroom(registers) - 1
    elif mode == _SECOND:
        a, b = first << _headroom(registers) - 1, _scaled(registers, second, multiplier, shift)
    else:
        raise FaultError(f"IFM_PRECISION scale mode {mode} is not there")
    total = a + sign * b
    if not registers.global_scale:
        return total
    out, right = registers.scale("OFM_SCALE")
    return shifted(total * out, right, registers.rounding)


def _headroom(registers: NpuRegisters) -> int:
    """Bits that TFLite shifts the operands of an addition left by, before it scales them."""
    return 20 if registers.operand("IFM").bits == 8 else 15


def _scaled(registers: NpuRegisters, values: Ints, multiplier: int, shift: int) -> Ints:
    """The smaller operand, rounded as TFLite does it, which shifts left first."""
    left = _headroom(registers)
    if registers.ifm_rounding == DOUBLE and shift + left < 64:
        return shifted((values * multiplier) << left, shift + left, DOUBLE)
    return shifted(values * multiplier, shift, registers.ifm_rounding)
