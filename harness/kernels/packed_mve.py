"""CONV_2D and FULLY_CONNECTED of weights that take four bits, on Armv8.1-M MVE.

Weights in -8..7 are multiplied as they are, two channels a byte (firmware/kernels/gemm_int4_mve.h). That is exact where
16 * odd + even fits a byte: only -8 beside a negative weight does not. Those of 16 values are looked up, 16 weights an
instruction, and become the blocks that the kernels of unpacked weights read: those of some outputs at a time in fully
connected layers, those of the whole layer in convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import ClassVar

import numpy as np

from harness.ir.operators.operator import TFLM_ALONE
from harness.kernels.base import At, Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.kernels.context import Context
from harness.kernels.convolution_mve import (
    Conv1x1S8Mve,
    ConvS8Mve,
    ConvSmallStripS8Mve,
    depth_of,
    in_runs,
    packed_bytes,
)
from harness.kernels.fully_connected_mve import FullyConnectedRowsS8Mve, FullyConnectedS8Mve
from harness.kernels.lut16 import Lut16, lut16
from harness.kernels.mve import EIGHT, GENERAL, LANES, SIGNED, Int8s, Packing, blocks, layer_form, split_depth
from harness.kernels.mve_kernel import Loops, MveKernel
from harness.kernels.quantized_layer import QuantizedLayer, quantized_layer
from harness.quantization.shared_values import is_int4


def pairs_fit(layer: QuantizedLayer, starts: Sequence[int]) -> bool:
    """Whether weights are of four bits and two channels share a byte, the even one counted from a block's start."""
    return _pairs_fit(layer, tuple(sorted({start % 2 for start in starts})))


@lru_cache(maxsize=512)
def _pairs_fit(layer: QuantizedLayer, parities: tuple[int, ...]) -> bool:
    weights = layer.weights
    if not is_int4(weights):
        return False
    for parity in parities:
        even, odd = weights[parity::2], weights[parity + 1 :: 2]
        if (16 * odd + even[: len(odd)] < -128).any():
            return False
    return True


def _gemm_fits(context: Context) -> bool:
    layer = quantized_layer(context)
    return pairs_fit(layer, blocks(len(layer.weights), 4))


class Conv1x1S8Int4Mve(Conv1x1S8Mve):
    """1x1 convolutions of weights of four bits."""

    roundings = TFLM_ALONE
    function = "conv_1x1_s8_int4_mve"
    packing = "int4"

    def applies(self, context: Context) -> bool:
        return super().applies(context) and _gemm_fits(context)


class ConvS8Int4Mve(ConvS8Mve):
    """Convolutions of any window of weights of four bits."""

    roundings = TFLM_ALONE
    function = "conv_s8_int4_mve"
    packing = "int4"

    def applies(self, context: Context) -> bool:
        return super().applies(context) and _gemm_fits(context)


class ConvSmallStripS8Int4Mve(ConvSmallStripS8Mve):
    """The same with as little scratch as can be: two output pixels a strip."""

    roundings = TFLM_ALONE
    function = "conv_s8_int4_mve"
    packing = "int4"

    def applies(self, context: Context) -> bool:
        return super().applies(context) and _gemm_fits(context)


class FullyConnectedS8Int4Mve(FullyConnectedS8Mve):
    """Fully connected layers of weights of four bits, row by row."""

    roundings = TFLM_ALONE
    function = "fully_connected_s8_int4_mve"
    packing = "int4"

    def applies(self, context: Context) -> bool:
        layer = quantized_layer(context)
        return super().applies(context) and pairs_fit(layer, range(0, len(layer.weights), EIGHT))


class FullyConnectedRowsS8Int4Mve(FullyConnectedRowsS8Mve):
    """Fully connected layers of two rows and more, of weights of four bits: a 1x1 convolution."""

    roundings = TFLM_ALONE
    function = "conv_1x1_s8_int4_mve"
    packing = "int4"

    def applies(self, context: Context) -> bool:
        return super().applies(context) and _gemm_fits(context)


def _values(layer: QuantizedLayer) -> Lut16:
    found = _lut16(layer)
    assert found is not None
    return found


@lru_cache(maxsize=512)
def _lut16(layer: QuantizedLayer) -> Lut16 | None:
    """Values and indices of the weights; None where there are too many, or none that stands where no weight is.

    Lanes behind the last weight meet bytes behind the activations, whatever these are: index 0 is the value 0.
    """
    found = lut16(layer.weights)
    return found if found is None or layer.weights.shape[1] % LANES == 0 else found.zero_first()


def _block_words(steps: int, tail: int, size: int, form: int) -> tuple[int, int]:
    """Words of a block of `size` channels before its weights and after them."""
    return size, size + (size // 4) * {GENERAL: 2, SIGNED: 4}.get(form, 1)


class _UnpacksConvolution(MveKernel):
    """Before another class of kernels: unpacks all weights to scratch, then does what that one does."""

    packing: ClassVar[Packing] = "lut16"
    reported: ClassVar[str]

    def matrix(self, layer: QuantizedLayer) -> Int8s:
        return _values(layer).indices.astype(np.int8)

    def applies(self, context: Context) -> bool:
        return super().applies(context) and _lut16(quantized_layer(context)) is not None

    def unpacked_bytes(self, context: Context) -> int:
        """Bytes of the unpacked blocks."""
        return packed_bytes(context.output().shape[3], depth_of(in_runs(context)), layer_form(context))

    def lower(self, context: Context) -> Lowered:
        lowered = super().lower(context)  # type: ignore[safe-super]  # of the class that this one stands before
        found = _values(quantized_layer(context))
        (call,) = lowered.calls
        firsts, size = blocks(len(found.indices), 4), self.unpacked_bytes(context)
        steps, tail = split_depth(depth_of(in_runs(context)))
        head, end = _block_words(steps, tail, 4, layer_form(context))
        tables = [found.tables[first : first + 4] if found.table_step else found.tables for first in firsts]
        values = np.concatenate(tables if found.table_step else tables[:1]).reshape(-1)
        shape = {"blocks": len(firsts), "size": 4, "steps": steps, "tail": tail, "head": head, "end": end}
        packed, unpacked = call.arguments[1], At(None, 0, "int32_t")
        unpack = Call(
            "unpack_lut16_mve",
            (packed, ConstantTable("values", "int8_t", values), unpacked),
            shape | {"table_step": found.table_step},
        )
        strip = (At(None, size) if isinstance(argument, Scratch) else argument for argument in call.arguments[2:])
        again = replace(call, arguments=(In(), unpacked, *strip))
        return Lowered(self.reported, (unpack, again), self.scratch(context))

    def scratch(self, context: Context) -> int:
        return self.unpacked_bytes(context) + super().scratch(context)

    def flash(self, context: Context) -> int:
        tables = _values(quantized_layer(context)).tables
        return super().flash(context) + tables.size

    def loops(self, context: Context) -> Loops:
        count = -(-context.output().shape[3] // 4)
        steps, tail = split_depth(depth_of(in_runs(context)))
        loops = super().loops(context)  # type: ignore[safe-super]
        return {**loops, "unpacked_block": count, "unpacked": count * (2 * steps + (tail > 0))}

    def reads(self, context: Context) -> float:
        return 1


class Conv1x1S8Lut16Mve(_UnpacksConvolution, Conv1x1S8Mve):
    """1x1 convolutions of weights of 16 values in all or in each channel, unpacked to RAM."""

    roundings = TFLM_ALONE
    reported = "conv_1x1_s8_lut16_mve"


class ConvS8Lut16Mve(_UnpacksConvolution, ConvS8Mve):
    """Convolutions of any window, of weights of 16 values in all or in each channel, unpacked to RAM."""

    roundings = TFLM_ALONE
    reported = "conv_s8_lut16_mve"


class FullyConnectedS8Lut16Mve(FullyConnectedS8Mve):
    """Fully connected layers of weights of 16 values in all or of each output, unpacked to RAM some at a time."""

    roundings = TFLM_ALONE
    function = "fully_connected_s8_lut16_mve"
    packing = "lut16"
    ram: ClassVar[int] = 2048
    """Bytes for unpacked weights, where those of eight outputs do not need more."""

    def matrix(self, layer: QuantizedLayer) -> Int8s:
        return _values(layer).indices.astype(np.int8)

    def applies(self, context: Context) -> bool:
        return super().applies(context) and _lut16(quantized_layer(context)) is not None

    def _together(self, context: Context) -> int:
        """Outputs of a pass."""
        _, channels, depth = self.sizes(context)
        block = _eight_bytes(depth, layer_form(context))
        return min(EIGHT * max(self.ram // block, 1), -(-channels // EIGHT) * EIGHT)

    def _unpacked_bytes(self, context: Context) -> int:
        _, channels, depth = self.sizes(context)
        block, together = _eight_bytes(depth, layer_form(context)), self._together(context)
        if channels < together and 0 < channels % EIGHT <= 4:
            return together // EIGHT * block - block // 2
        return together // EIGHT * block

    def lower(self, context: Context) -> Lowered:
        lowered, found = super().lower(context), _values(quantized_layer(context))
        (call,) = lowered.calls
        _, channels, _ = self.sizes(context)
        shape = {f"whole.{name}": value for name, value in call.shape.items()}
        shape |= {"together": self._together(context), "unpacked_bytes": self._unpacked_bytes(context)}
        shape |= {"more": {GENERAL: 8, SIGNED: 24}.get(layer_form(context), 0), "table_step": found.table_step}
        tables = found.filled(-(-channels // EIGHT) * EIGHT).tables if found.table_step else found.tables
        values = ConstantTable("values", "int8_t", tables.reshape(-1))
        arguments = (In(), call.arguments[1], values, Out(), Scratch("int32_t"))
        return Lowered(self.function, (Call(self.function, arguments, shape),), self.scratch(context))

    def scratch(self, context: Context) -> int:
        return self._unpacked_bytes(context) + super().scratch(context)

    def flash(self, context: Context) -> int:
        return super().flash(context) + _values(quantized_layer(context)).tables.size

    def loops(self, context: Context) -> Loops:
        count, channels, depth = self.sizes(context)
        steps, tail = split_depth(depth)
        passes = count * -(-channels // self._together(context))
        quads = count * (-(-channels // EIGHT) * 2 - (0 < channels % EIGHT <= 4))
        unpacked = quads * (2 * steps + (tail > 0))
        more = {"pass": passes, "unpacked_block": quads, "unpacked": unpacked}
        return {**super().loops(context), **more}


def _eight_bytes(depth: int, form: int) -> int:
    """Bytes of a block of eight outputs."""
    steps, tail = split_depth(depth)
    head, end = _block_words(steps, tail, EIGHT, form)
    return 4 * (head + end) + EIGHT * (LANES * steps + EIGHT * (tail > 0))


KERNELS: tuple[Kernel, ...] = (
    Conv1x1S8Int4Mve(),
    ConvS8Int4Mve(),
    ConvSmallStripS8Int4Mve(),
    FullyConnectedS8Int4Mve(),
    FullyConnectedRowsS8Int4Mve(),
    Conv1x1S8Lut16Mve(),
    ConvS8Lut16Mve(),
    FullyConnectedS8Lut16Mve(),
)
