"""The inputs under the windows of an operation: read, zero point taken off, stretched, padded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.ethosu.fault import FaultError
from harness.ethosu.feature_maps import Shape, read
from harness.ethosu.state import ELEMENT, STEP, NpuState
from harness.quantization.fixedpoint import Ints

_NONE, _NEAREST, _ZEROS = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Windows:
    """Padded inputs, and how windows lie over them.

    Attributes:
        inputs: [row, column, channel], zero point taken off.
        inside: [row, column]: 1 where an input is, 0 where padding.
        state: has the registers of the window.
    """

    inputs: Ints
    inside: Ints
    state: NpuState

    def elements(self) -> Iterator[tuple[int, int, tuple[slice, slice]]]:
        """Row and column of each element of the window, and the inputs that it meets in all windows."""
        kernel = self.state.registers.kernel
        height, width, _ = self.state.registers.ofm_shape
        for row in range(kernel.height):
            for column in range(kernel.width):
                top, left = row * kernel.dilation[0], column * kernel.dilation[1]
                yield (
                    row,
                    column,
                    (
                        slice(top, top + (height - 1) * kernel.stride[0] + 1, kernel.stride[0]),
                        slice(left, left + (width - 1) * kernel.stride[1] + 1, kernel.stride[1]),
                    ),
                )


def windows(state: NpuState, depth: int, *, padding: int = 0) -> Windows:
    """The inputs of an operation; `padding` is what stands in their border.

    Raises:
        FaultError: they lie outside of their region, or the registers contradict each other.
    """
    registers, kernel = state.registers, state.registers.kernel
    top, bottom, left, right = registers.padding
    rows, columns = _under(state)
    state.bounded(rows + top + bottom, columns + left + right, depth)
    mode = registers.of("IFM_UPSCALE") & 3
    source = registers.operand("IFM")
    state.spend(ELEMENT * rows * columns * depth + STEP * kernel.height * kernel.width)
    found = read(state.memory, source, source_shape(state, depth)) - source.zero_point
    border = ((top, bottom), (left, right))
    inside = np.pad(np.ones((rows, columns), np.int64), border)
    return Windows(
        np.pad(_stretched(found, mode)[:rows, :columns], (*border, (0, 0)), constant_values=padding), inside, state
    )


def source_shape(state: NpuState, depth: int) -> Shape:
    """The inputs that are in memory: those under all windows, of which an upscaling operation reads every other one.

    Raises:
        FaultError: the registers contradict each other.
    """
    rows, columns = _under(state)
    step = 1 if state.registers.of("IFM_UPSCALE") & 3 == _NONE else 2
    return -(-rows // step), -(-columns // step), depth


def _under(state: NpuState) -> tuple[int, int]:
    """Rows and columns under all windows, padding left out."""
    registers, kernel = state.registers, state.registers.kernel
    height, width, _ = registers.ofm_shape
    top, bottom, left, right = registers.padding
    rows = (height - 1) * kernel.stride[0] + kernel.reach[0] - top - bottom
    columns = (width - 1) * kernel.stride[1] + kernel.reach[1] - left - right
    if rows < 1 or columns < 1:
        raise FaultError(f"padding {top}, {bottom}, {left}, {right} leaves {rows} x {columns} of the inputs")
    return rows, columns


def _stretched(values: Ints, mode: int) -> Ints:
    if mode == _NONE:
        return values
    if mode == _NEAREST:
        return values.repeat(2, axis=0).repeat(2, axis=1)
    if mode == _ZEROS:
        out = np.zeros((2 * values.shape[0], 2 * values.shape[1], values.shape[2]), np.int64)
        out[::2, ::2] = values
        return out
    raise FaultError(f"IFM_UPSCALE mode {mode} is not there")
