"""Layers of int16 activations and int8 weights (16x8) of any sums and factors, with the DSP extension and on MVE.

They sum in 64 bits: layers of many taps or large weights, and those with biases of 32 bits, which TFLM rescales
otherwise.
"""

from __future__ import annotations

from harness.kernels.base import Argument, Call, Kernel, Lowered, Scratch
from harness.kernels.context import Context
from harness.kernels.recurrent_dsp import quads_of_pairs, words
from harness.kernels.wide_layers import factor_tables, scale_fields
from harness.kernels.wide_layers_fast import (
    ConvS16Dsp,
    ConvS16Mve,
    FullyConnectedS16Dsp,
    FullyConnectedS16Mve,
    X,
    Y,
    eights,
    filled,
    rows_of,
)
from harness.kernels.window_fields import window_fields


def _row(context: Context, groups: int = 1) -> dict[str, int]:
    """A group's row as row_s16_shape.h has it."""
    channels, taps = rows_of(context).shape
    clamp = scale_fields(context)
    ends = {f"row.{name}": clamp[f"scale.{name}"] for name in ("clamp_min", "clamp_max")}
    return {"row.taps": taps, "row.channels": channels // groups} | ends


class ConvS16LongDsp(ConvS16Dsp):
    """CONV_2D: columns of four pixels, two output channels at a time, sums in 64 bits."""

    function = "conv_s16_long_dsp"

    def applies(self, context: Context) -> bool:
        return self.groups(context) == 1

    def lower(self, context: Context) -> Lowered:
        weights, taps = self.pairs(context)
        fields = window_fields(context.window) | {"channels": context.output().shape[3], "taps": taps}
        scale = scale_fields(context)
        fields |= {name: scale[f"scale.{name}"] for name in ("clamp_min", "clamp_max")}
        shape = {f"conv.{name}": value for name, value in fields.items()} | scale
        call = Call(self.function, (X, weights, *factor_tables(context, 2), Scratch("int16_t"), Y), shape)
        return Lowered(self.function, (call,), self.scratch(context))


class ConvS16LongMve(ConvS16Mve):
    """CONV_2D: a pixel, four output channels of a group and eight taps at a time, sums in 64 bits."""

    function = "conv_s16_long_mve"
    at_once = 1

    def applies(self, context: Context) -> bool:
        return not self.is_outside(context)

    def lower(self, context: Context) -> Lowered:
        scratch, groups = self.scratch(context), self.groups(context)
        column: Argument = Scratch("int16_t") if scratch else X
        fields = window_fields(self.window(context)) | {"groups": groups} | _row(context, groups)
        shape = {f"conv.{name}": value for name, value in fields.items()} | scale_fields(context)
        tables = (eights(rows_of(context), groups), *factor_tables(context, 4, groups))
        return Lowered(self.function, (Call(self.function, (X, *tables, column, Y), shape),), scratch)


class FullyConnectedS16LongDsp(FullyConnectedS16Dsp):
    """FULLY_CONNECTED: four outputs at a time, sums in 64 bits."""

    function = "fully_connected_s16_long_dsp"

    def applies(self, context: Context) -> bool:
        return True

    def lower(self, context: Context) -> Lowered:
        sizes = self.sizes(context)
        weights = words("weights", quads_of_pairs(filled(rows_of(context), 4), range(4)))
        shape = sizes | {"stride": 4 * sizes["depth"]} | scale_fields(context)
        return Lowered(self.function, (Call(self.function, (X, weights, *factor_tables(context, 4), Y), shape),))


class FullyConnectedS16LongMve(FullyConnectedS16Mve):
    """FULLY_CONNECTED: four outputs and eight taps at a time, sums in 64 bits."""

    function = "fully_connected_s16_long_mve"
    at_once = 1

    def applies(self, context: Context) -> bool:
        return True

    def lower(self, context: Context) -> Lowered:
        shape = {"rows": self.sizes(context)["rows"]} | _row(context) | scale_fields(context)
        tables = (eights(rows_of(context)), *factor_tables(context, 4))
        return Lowered(self.function, (Call(self.function, (X, *tables, Y), shape),))


KERNELS: tuple[Kernel, ...] = (
    ConvS16LongDsp(),
    ConvS16LongMve(),
    FullyConnectedS16LongDsp(),
    FullyConnectedS16LongMve(),
)
