"""CONV_2D and FULLY_CONNECTED on cores with the DSP extension: im2col and packed inner kernels (gemm.py)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from harness.graph import ConvAttrs, FullyConnectedAttrs, Pads
from harness.kernels.base import Call, Context, Cost, In, Kernel, Lowered, Out, Scratch, Table
from harness.kernels.gemm import BLOCK_WORDS, CHANNELS, TAPS, Matrix, blocks, clamp_fields, column_order, matrix, pack
from harness.oracle.params import conv_params, fully_connected_params


def layer_matrix(context: Context) -> Matrix | None:
    """The layer's weights, one row of taps a channel, or None where the fast requantization is not exact."""
    attrs, x, w, y = context.node.attrs, context.input(0), context.input(1), context.output()
    assert isinstance(attrs, ConvAttrs | FullyConnectedAttrs)
    assert w.data is not None, "the verifier requires constant weights"
    weights = w.data.astype(np.int64).reshape(w.shape[0], -1)
    tensor = context.optional(2)
    bias = np.zeros(len(weights), np.int64) if tensor is None or tensor.data is None else tensor.data.astype(np.int64)
    params = conv_params if isinstance(attrs, ConvAttrs) else fully_connected_params
    multipliers, shifts = params(x, w, y)
    folded = bias - x.q.zero_point * weights.sum(axis=1)
    return matrix(weights, folded, multipliers, shifts, y.q.zero_point, attrs.clamp)


def _inner(context: Context) -> range:
    """Output columns whose windows lie inside the image's width, and whose taps are neighbours in memory."""
    attrs = context.node.attrs
    assert isinstance(attrs, ConvAttrs)
    taps = context.input(1).shape[2]
    stride, left, width = attrs.stride[1], attrs.pads.left, context.input(0).shape[2]
    if attrs.dilation[1] > 1 and taps > 1:
        return range(0)
    first = -(-left // stride)
    end = min((width - taps + left) // stride + 1, context.output().shape[2])
    return range(first, max(end, first))


def _gathers(context: Context) -> bool:
    """Whether some window must be copied before it is widened: it reaches into the padding, or has holes."""
    attrs = context.node.attrs
    assert isinstance(attrs, ConvAttrs)
    rows = (context.output().shape[1] - 1) * attrs.stride[0] - attrs.pads.top
    reach = (context.input(1).shape[1] - 1) * attrs.dilation[0]
    above, below = attrs.pads.top > 0, rows + reach >= context.input(0).shape[1]
    return above or below or len(_inner(context)) < context.output().shape[2]


class ConvS8CarryDsp(Kernel):
    """Convolution of one group whose weights can share lanes."""

    ops = frozenset({"CONV_2D"})
    features = frozenset({"dsp"})
    function: ClassVar[str] = "conv_s8_carry_dsp"
    carry: ClassVar[bool] = True

    def applies(self, context: Context) -> bool:
        if context.input(0).shape[3] != context.input(1).shape[3]:
            return False
        layer = layer_matrix(context)
        return layer is not None and (layer.carries or not self.carry)

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, ConvAttrs)
        x, w, y = context.input(0), context.input(1), context.output()
        layer = layer_matrix(context)
        assert layer is not None
        n, in_h, in_w, in_c = x.shape
        _, out_h, out_w, out_c = y.shape
        kernel_h, kernel_w = w.shape[1:3]
        order = column_order(kernel_h, kernel_w * in_c)
        inner = _inner(context)
        if (kernel_h, kernel_w, *attrs.stride) == (1, 1, 1, 1) and attrs.pads == Pads():
            # One long row: pairs of pixels need not end with the row.
            in_w = out_w = n * in_h * in_w
            n = in_h = out_h = 1
            inner = range(out_w)
        shape = {
            "batches": n,
            "in_h": in_h,
            "in_w": in_w,
            "in_c": in_c,
            "out_h": out_h,
            "out_w": out_w,
            "out_c": out_c,
            "kernel_h": kernel_h,
            "kernel_w": kernel_w,
            "stride_h": attrs.stride[0],
            "stride_w": attrs.stride[1],
            "dilation_h": attrs.dilation[0],
            "dilation_w": attrs.dilation[1],
            "pad_top": attrs.pads.top,
            "pad_left": attrs.pads.left,
            "inner_first": inner.start,
            "inner_end": inner.stop,
            "in_zero": x.q.zero_point,
            "chunk": out_c,
            "stage_words": 0,
            "column_bytes": 4 * len(order),
            "groups": len(order) // TAPS,
            **clamp_fields(layer, attrs.clamp),
        }
        weights = Table("weights", "int32_t", pack(layer, order, carry=self.carry))
        arguments = (In(), weights, Out(), Scratch(ctype="int32_t"))
        return Lowered(self.function, (Call(self.function, arguments, shape),), self._scratch(context))

    def _scratch(self, context: Context) -> int:
        w = context.input(1)
        columns = 4 * len(column_order(w.shape[1], w.shape[2] * w.shape[3]))
        return columns + (2 * w.shape[1] * w.shape[2] * w.shape[3] if _gathers(context) else 0)

    def cost(self, context: Context) -> Cost:
        w, y = context.input(1), context.output()
        taps = -(-w.shape[1] * w.shape[2] * w.shape[3] // TAPS)
        pairs = y.elements // y.shape[3] / 2
        instructions = pairs * (blocks(y.shape[3]) * (30 * taps + 75) + 9 * taps + 80)
        flash = 4 * blocks(y.shape[3]) * (BLOCK_WORDS + CHANNELS * taps)
        return Cost(instructions, self._scratch(context), flash=flash)


class FullyConnectedS8CarryDsp(Kernel):
    """Fully connected layer whose weights can share lanes."""

    ops = frozenset({"FULLY_CONNECTED"})
    features = frozenset({"dsp"})
    function: ClassVar[str] = "fully_connected_s8_carry_dsp"
    carry: ClassVar[bool] = True

    def applies(self, context: Context) -> bool:
        layer = layer_matrix(context)
        return layer is not None and (layer.carries or not self.carry)

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, FullyConnectedAttrs)
        x, w = context.input(0), context.input(1)
        layer = layer_matrix(context)
        assert layer is not None
        out_n, in_n = w.shape
        order = column_order(1, in_n)
        shape = {
            "batches": x.elements // in_n,
            "in_n": in_n,
            "groups": len(order) // TAPS,
            "channels": out_n,
            **clamp_fields(layer, attrs.clamp),
        }
        weights = Table("weights", "int32_t", pack(layer, order, carry=self.carry))
        arguments = (In(), weights, Out(), Scratch(ctype="int16_t"))
        return Lowered(self.function, (Call(self.function, arguments, shape),), 2 * len(order))

    def cost(self, context: Context) -> Cost:
        out_n, in_n = context.input(1).shape
        taps = -(-in_n // TAPS)
        rows = context.input(0).elements // in_n
        instructions = rows * (blocks(out_n) * (15 * taps + 50) + 6 * taps + 60)
        return Cost(instructions, 8 * taps, flash=4 * blocks(out_n) * (BLOCK_WORDS + CHANNELS * taps))
