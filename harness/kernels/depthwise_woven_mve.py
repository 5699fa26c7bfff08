"""DEPTHWISE_CONV_2D, int8, on Armv8.1-M MVE: any window, by 16 channels."""

from __future__ import annotations

import numpy as np

from harness.kernels.access_order import AccessOrder, windows
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.kernels.context import Context
from harness.kernels.convolution_mve import canonical_window
from harness.kernels.depthwise_mve import COLUMN
from harness.kernels.mve import LANES, mve_requant, output_shape, pack_woven
from harness.kernels.mve_kernel import Loops, MveKernel
from harness.kernels.quantized_layer import quantized_layer
from harness.kernels.window_fields import window_fields


class DepthwiseConvWovenS8Mve(MveKernel):
    """Any depthwise convolution of a multiple of 16 channels that is requantized by factors, pixel by pixel."""

    ops = frozenset({"DEPTHWISE_CONV_2D"})

    def applies(self, context: Context) -> bool:
        channels = context.output().shape[3]
        plain = channels == context.input().shape[3] and channels % LANES == 0
        return plain and mve_requant(quantized_layer(context)).by_factors

    def lower(self, context: Context) -> Lowered:
        window, channels = canonical_window(context), context.output().shape[3]
        layer = quantized_layer(context)
        scale = mve_requant(layer)
        shape = window_fields(window) | {"out_c": channels, "in_zero": context.input().q.zero_point}
        shape |= {**output_shape(layer, scale.form), "last": channels - LANES, "spread": 0, "floats": 0}
        del shape["form"]
        table = ConstantTable("packed", "int32_t", pack_woven(layer.weights.astype(np.int8), scale))
        call = Call("depthwise_conv_woven_s8_mve", (In(), table, Out(), Scratch(ctype="void")), shape)
        return Lowered("depthwise_conv_woven_s8_mve", (call,), self.scratch(context))

    def scratch(self, context: Context) -> int:
        window = canonical_window(context)
        return 16 * -(-window.taps // 4) + window.in_c + 4 * COLUMN * -(-window.taps // LANES)

    def access_order(self, context: Context) -> AccessOrder:
        return windows(context, within=[channel // LANES for channel in range(context.output().shape[3])])

    def loops(self, context: Context) -> Loops:
        window = canonical_window(context)
        pixels, taps = window.pixels, window.taps
        rounds = pixels * window.in_c // LANES
        return {
            "row": window.batches * window.rows.out,
            "pixel": pixels,
            "line": pixels * window.rows.kernel,
            "listed": pixels * taps,
            "block": rounds,
            "word": rounds * -(-taps // 4),
            "group": rounds * -(-taps // LANES),
        }

    def flash(self, context: Context) -> int:
        window = canonical_window(context)
        return window.in_c * (12 + LANES * -(-window.taps // LANES))


KERNELS: tuple[Kernel, ...] = (DepthwiseConvWovenS8Mve(),)
