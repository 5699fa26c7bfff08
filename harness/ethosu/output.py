"""What happens to every result: zero point, limits, activation function, storage."""

from __future__ import annotations

import numpy as np

from harness.ethosu.fault import FaultError
from harness.ethosu.feature_maps import write
from harness.ethosu.memory import SHRAM
from harness.ethosu.registers import FeatureMap, NpuRegisters, signed_16
from harness.ethosu.state import ELEMENT, NpuState
from harness.quantization.fixedpoint import INT32_MAX, INT32_MIN, Ints
from harness.quantization.sigmoid16 import sigmoid16, tanh16

_PLAIN, _TANH, _SIGMOID, _TABLE = 0, 3, 4, 16
_RANGES = {2: (8, False), 3: (8, True), 5: (16, True)}
"""ACTIVATION clip range -> bits, and whether signed; 0 is the output's own."""

_SLOT = 256
_WIDE_TABLE = 2048


def finish(state: NpuState, values: Ints) -> None:
    """Stores scaled results [height, width, channel].

    Raises:
        FaultError: the activation function is not there, or the output lies outside of its region.
    """
    registers = state.registers
    target = registers.operand("OFM")
    function = registers.of("ACTIVATION") & 0x1F
    if function in (_TANH, _SIGMOID):
        found = _curve(values, function, target)
    elif function >= _TABLE:
        found = _looked_up(state, _limited(registers, values + target.zero_point, target), target, function - _TABLE)
    elif function == _PLAIN:
        # A plain output of 32 bits has neither zero point nor limits.
        plain = target.bits == 32
        if plain and not _forced(registers):
            found = np.clip(values, INT32_MIN, INT32_MAX)
        else:
            found = _limited(registers, values + (0 if plain else target.zero_point), target)
    else:
        raise FaultError(f"activation function {function} is not there")
    state.spend(ELEMENT * found.size)
    write(state.memory, target, found)


def _forced(registers: NpuRegisters) -> int:
    return registers.of("ACTIVATION") >> 12 & 7


def _limited(registers: NpuRegisters, values: Ints, target: FeatureMap) -> Ints:
    forced = _forced(registers)
    if forced and forced not in _RANGES:
        raise FaultError(f"activation clip range {forced} is not there")
    bits, signed = _RANGES.get(forced, (min(target.bits, 16), target.signed))
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    least, most = registers.of("ACTIVATION_MIN"), registers.of("ACTIVATION_MAX")
    if signed:
        least, most = signed_16(least), signed_16(most)
    return np.minimum(np.maximum(values, max(low, least)), min(high, most))


def _curve(values: Ints, function: int, target: FeatureMap) -> Ints:
    if target.bits != 16:
        raise FaultError(f"TANH or SIGMOID with an output of {target.bits} bits is not simulated")
    inputs = values + target.zero_point
    return tanh16(inputs, 1) if function == _TANH else sigmoid16(inputs, 1)


def _looked_up(state: NpuState, values: Ints, target: FeatureMap, slot: int) -> Ints:
    """Tables of 256 elements of the output's type, or of 512 pairs of base and slope, between which it interpolates."""
    start = state.tables + _SLOT * slot
    forced = _forced(state.registers)
    if target.bits == 8 or forced in (2, 3):
        size = target.bits // 8
        table = state.memory.span(SHRAM, start, 256 * size).view(target.kind).astype(np.int64)
        signed = target.signed if forced == 0 else forced == 3
        return table[np.clip(values + (128 if signed else 0), 0, 255)]
    if target.bits != 16:
        raise FaultError(f"a table of {target.bits} bits for a range of 16 bits is not there")
    words = state.memory.span(SHRAM, start, _WIDE_TABLE).view("<i2").astype(np.int64).reshape(-1, 2)
    place = (values >> 7) + (256 if target.signed else 0)
    base, slope = words[np.clip(place, 0, 511)].transpose(3, 0, 1, 2)[:2]
    between: Ints = np.clip(base + (slope * (values & 0x7F) + 64 >> 7), -(1 << 15), (1 << 15) - 1)
    return between
