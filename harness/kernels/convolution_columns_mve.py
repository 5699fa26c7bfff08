"""CONV_2D, int8, column after column of the output, on Armv8.1-M MVE: for images of few channels."""

from __future__ import annotations

import numpy as np

from harness.ir.operators.operator import EITHER_ROUNDING
from harness.ir.window import Window2D
from harness.kernels.access_order import NEVER, AccessOrder
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.kernels.context import Context
from harness.kernels.convolution_mve import canonical_window, depth_of, gemm_loops, packed_bytes
from harness.kernels.mve import LANES, gemm_form, gemm_shape, mve_requant, pack_gemm, split_depth, units
from harness.kernels.mve_kernel import Loops, MveKernel
from harness.kernels.quantized_layer import quantized_layer
from harness.kernels.window_fields import WINDOW_FIELDS, window_fields

STRIP_BYTES = 4096
"""Of the longest strip."""
FARTHEST = 65535
"""Offsets of outputs are uint16."""
SHORT = 8
"""Steps of a window, the tail being one, that are computed eight channels at a time."""


class ConvColumnsS8Mve(MveKernel):
    """Convolutions of any window that is not dilated, whose strips run down the image."""

    ops = frozenset({"CONV_2D"})
    roundings = EITHER_ROUNDING

    def applies(self, context: Context) -> bool:
        window = canonical_window(context)
        dense = context.input(1).shape[3] == window.in_c
        plain = window.rows.dilation == window.columns.dilation == 1
        near = (window.columns.out + 1) * max(window.out_c, 4) <= FARTHEST
        far = window.rows.kernel > 1 or window.reaches_padding
        return far and dense and plain and near and window.out_c >= 4 and self.scratch(context) <= STRIP_BYTES

    def lower(self, context: Context) -> Lowered:
        window, layer = canonical_window(context), quantized_layer(context)
        depth, scale = depth_of(window), mve_requant(layer)
        form = self._form(context)
        shape = window_fields(window, *(name for name in WINDOW_FIELDS if not name.startswith("dilation")))
        shape |= {"in_zero": context.input().q.zero_point, "beyond": _beyond(depth)}
        shape |= {"x_step": window.rows.stride * _row(window), **gemm_shape(layer, depth, form)}
        table = ConstantTable("packed", "int32_t", pack_gemm(layer.weights.astype(np.int8), scale, form=form))
        call = Call("conv_columns_s8_mve", (In(), table, Out(), Scratch()), shape)
        return Lowered("conv_columns_s8_mve", (call,), self.scratch(context))

    def _form(self, context: Context) -> int:
        """Deep windows gain under two percent by eight channels at a time, for twice the code."""
        layer, depth = quantized_layer(context), depth_of(canonical_window(context))
        return gemm_form(layer, depth) if units(depth) <= SHORT else mve_requant(layer).form

    def scratch(self, context: Context) -> int:
        window = canonical_window(context)
        return window.rows.length * _row(window) + _beyond(depth_of(window))

    def access_order(self, context: Context) -> AccessOrder:
        window = canonical_window(context)
        rows, columns = window.rows.last_windows(), window.columns.last_windows()
        image = np.arange(window.batches)[:, None, None] * window.columns.out
        read = np.where((rows < 0)[:, None] | (columns < 0), NEVER, image + columns)
        written = np.broadcast_to(np.arange(window.columns.out), (window.rows.out, window.columns.out)) + image
        reads = np.repeat(read.astype(np.int32).reshape(-1), window.in_c)
        return AccessOrder({0: reads}, np.repeat(written.astype(np.int32).reshape(-1), window.out_c))

    def loops(self, context: Context) -> Loops:
        window = canonical_window(context)
        rows, columns = window.rows, window.columns
        calls = window.batches * columns.out
        found = {"strip": float(calls), "filled": 0.0, "part": 0.0}
        found |= dict.fromkeys(("row64", "row32", "row16", "row"), 0.0)
        first, past = rows.needed(0, rows.out)
        inside, filled = window.batches * max(past - first, 0), True
        for column in range(columns.out):
            begin, end = columns.needed(column, column + 1)
            size = max(end - begin, 0) * window.in_c
            whole = end - begin == columns.kernel
            found["filled"] += window.batches * (filled or not whole) * -(-self.scratch(context) // LANES)
            filled = not whole
            parts = (size // 64, size // 32 % 2, size // 16 % 2, int(size % 16 > 0))
            found["part"] += window.batches * sum(parts)
            for name, count in zip(("row64", "row32", "row16", "row"), parts, strict=True):
                found[name] += inside * count
        return found | gemm_loops(context, calls, rows.out, depth_of(window), self._form(context))

    def reads(self, context: Context) -> float:
        return self.loops(context)["pair"]

    def flash(self, context: Context) -> int:
        depth = depth_of(canonical_window(context))
        return packed_bytes(context.output().shape[3], depth, self._form(context))


def _row(window: Window2D) -> int:
    """Bytes of a row of a strip."""
    return window.columns.kernel * window.in_c


def _beyond(depth: int) -> int:
    """Bytes that steps read past the last window."""
    steps, tail = split_depth(depth)
    return 0 if tail else LANES * steps - depth


KERNELS: tuple[Kernel, ...] = (ConvColumnsS8Mve(),)
