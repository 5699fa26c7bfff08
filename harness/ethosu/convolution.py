"""NPU_OP_CONV and NPU_OP_DEPTHWISE: sums of products, bias, a scale for each channel."""

from __future__ import annotations

import numpy as np

from harness.ethosu.output import finish
from harness.ethosu.rounding import shifted
from harness.ethosu.scales import channel_scales
from harness.ethosu.state import TAP, NpuState
from harness.ethosu.windows import windows
from harness.quantization.fixedpoint import Ints


def convolve(state: NpuState) -> None:
    """Every output channel sums over all input channels.

    Products are whole numbers under 2**53, so float64 sums them exactly.
    """
    registers = state.registers
    height, width, channels = registers.ofm_shape
    depth, kernel = registers.ifm_depth, registers.kernel
    state.spend(height * width * channels * kernel.height * kernel.width * depth)
    under = windows(state, depth)
    weights = state.weights(channels, depth, depthwise=False)
    inputs = under.inputs.astype(np.float64)
    total = np.zeros((height * width, channels))
    for row, column, (rows, columns) in under.elements():
        total += inputs[rows, columns].reshape(-1, depth) @ weights[:, row, column].T
    _scaled(state, total.astype(np.int64).reshape(height, width, channels))


def convolve_depthwise(state: NpuState) -> None:
    """Every output channel sums over the input channel of its number."""
    registers = state.registers
    height, width, channels = registers.ofm_shape
    kernel = registers.kernel
    state.spend(TAP * height * width * channels * kernel.height * kernel.width)
    under = windows(state, channels)
    weights = state.weights(channels, 1, depthwise=True)
    inputs = under.inputs.astype(np.float64)
    total = np.zeros((height, width, channels))
    for row, column, (rows, columns) in under.elements():
        total += inputs[rows, columns] * weights[:, row, column, 0]
    _scaled(state, total.astype(np.int64))


def _scaled(state: NpuState, total: Ints) -> None:
    scales = channel_scales(state.memory, state.registers, total.shape[2], state.cores)
    product = (total + scales.bias) * scales.multiplier
    finish(state, shifted(product, scales.shift, state.registers.rounding))
