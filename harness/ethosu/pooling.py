"""NPU_OP_POOL: the largest, the average or the sum of what is under a window."""

from __future__ import annotations

import numpy as np

from harness.ethosu.fault import FaultError
from harness.ethosu.output import finish
from harness.ethosu.rounding import shifted
from harness.ethosu.scales import channel_scales
from harness.ethosu.state import TAP, NpuState
from harness.ethosu.windows import windows
from harness.quantization.fixedpoint import Ints

MAX, AVERAGE, REDUCE_SUM = 0, 1, 2

_LOWEST = -(1 << 40)


def pool(state: NpuState, mode: int) -> None:
    """Carries out one pooling operation.

    Raises:
        FaultError: it is of another mode, or its registers contradict each other.
    """
    registers = state.registers
    height, width, channels = registers.ofm_shape
    kernel = registers.kernel
    state.spend(TAP * height * width * max(channels, registers.ifm_depth) * kernel.height * kernel.width)
    if mode == MAX:
        finish(state, _scaled(state, _largest(state, channels), mode))
    elif mode == AVERAGE:
        finish(state, _average(state, channels))
    elif mode == REDUCE_SUM:
        total = _sums(state, registers.ifm_depth)[0].sum(axis=2, keepdims=True)
        finish(state, _scaled(state, total, mode))
    else:
        raise FaultError(f"pooling mode {mode} is not there")


def _largest(state: NpuState, channels: int) -> Ints:
    under = windows(state, channels, padding=_LOWEST)
    found: Ints = np.full(state.registers.ofm_shape, _LOWEST, np.int64)
    for _, _, (rows, columns) in under.elements():
        np.maximum(found, under.inputs[rows, columns], out=found)
    return found


def _sums(state: NpuState, channels: int) -> tuple[Ints, Ints]:
    """Sums under all windows, and how many inputs each has."""
    under = windows(state, channels)
    height, width, _ = state.registers.ofm_shape
    total = np.zeros((height, width, channels), np.int64)
    count = np.zeros((height, width, 1), np.int64)
    for _, _, (rows, columns) in under.elements():
        total += under.inputs[rows, columns]
        count += under.inside[rows, columns][..., None]
    return total, count


def _average(state: NpuState, channels: int) -> Ints:
    """With padding the NPU divides by the number of inputs itself, else OFM_SCALE does it."""
    total, count = _sums(state, channels)
    if not any(state.registers.padding):
        return _scaled(state, total, AVERAGE)
    if not count.all():
        raise FaultError("a window of an average lies in the padding alone")
    return np.where(total >= 0, (total + count // 2) // count, -((-total + count // 2) // count))


def _scaled(state: NpuState, values: Ints, mode: int) -> Ints:
    """By OFM_SCALE, or by a scale for each channel; a maximum without OFM_SCALE stays as it is."""
    registers = state.registers
    if registers.global_scale:
        multiplier, shift = registers.scale("OFM_SCALE")
        return shifted(values * multiplier, shift, registers.rounding)
    if mode == MAX:
        return values
    scales = channel_scales(state.memory, registers, values.shape[2], state.cores)
    return shifted((values + scales.bias) * scales.multiplier, scales.shift, registers.rounding)
