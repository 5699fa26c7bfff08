"""TRANSPOSE_CONV, int8, on Armv8.1-M MVE: by phases, which are convolutions of stride 1."""

from __future__ import annotations

import numpy as np

from harness.ir.operators.operator import INT8_WEIGHTS
from harness.ir.operators.transpose_conv import TransposeConvAttrs
from harness.ir.weights import channel_bias
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.kernels.context import Context
from harness.kernels.mve import (
    GENERAL,
    LANES,
    MAX_CHANNELS,
    Int8s,
    Int32s,
    MveRequant,
    mve_requant,
    output_shape,
    pack_gemm,
    split_depth,
)
from harness.kernels.mve_kernel import Loops, MveKernel
from harness.kernels.quantized_layer import QuantizedLayer
from harness.quantization.fixedpoint import Ints
from harness.quantization.params import channel_params


def _attrs(context: Context) -> TransposeConvAttrs:
    attrs = context.node.attrs
    assert isinstance(attrs, TransposeConvAttrs)
    return attrs


def _window(context: Context) -> tuple[int, int]:
    """Rows and columns of the input that an output may read."""
    height, width = (
        -(-size // stride) for size, stride in zip(context.input(1).shape[1:3], _attrs(context).stride, strict=True)
    )
    return height, width


def _rows(context: Context) -> tuple[int, int]:
    """Rows and columns of windows that have outputs in the image."""
    attrs = _attrs(context)
    height, width = (
        (before + size - 1) // stride - before // stride + 1
        for before, size, stride in zip(attrs.before, context.output().shape[1:3], attrs.stride, strict=True)
    )
    return height, width


def _by_phase(context: Context) -> Ints:
    """Weights [phases, output channels, columns of the window, rows, channels], zeros where a kernel ends."""
    (up, along), (rows, columns), data = _attrs(context).stride, _window(context), context.input(1).data
    assert data is not None
    channels, height, width, depth = data.shape
    whole = np.zeros((channels, rows * up, columns * along, depth), np.int64)
    whole[:, :height, :width] = data
    apart = whole.reshape(channels, rows, up, columns, along, depth)[:, ::-1, :, ::-1]
    return apart.transpose(2, 4, 0, 3, 1, 5).reshape(up * along, channels, columns, rows, depth)


def _layer(context: Context) -> QuantizedLayer:
    """Output channels of all phases."""
    x, w, y, taps = context.input(), context.input(1), context.output(), _by_phase(context)
    multipliers, shifts = (np.tile(part, len(taps)) for part in channel_params(x, w, y, w.shape[0]))
    bias = np.tile(channel_bias(context.graph, context.node), len(taps))
    zeros, clamp = (x.q.zero_point, y.q.zero_point), _attrs(context).clamp
    return QuantizedLayer(taps.reshape(len(bias), -1), bias, multipliers, shifts, *zeros, clamp)


class TransposeConvS8Mve(MveKernel):
    """TRANSPOSE_CONV: two outputs of a phase and four channels at a time."""

    ops = frozenset({"TRANSPOSE_CONV"})
    types = INT8_WEIGHTS
    function = "transpose_conv_s8_mve"

    def applies(self, context: Context) -> bool:
        return _attrs(context).stride[1] * context.output().shape[3] + 4 <= MAX_CHANNELS

    def _depth(self, context: Context) -> int:
        rows, columns = _window(context)
        return rows * columns * context.input().shape[3]

    def _beyond(self, context: Context) -> int:
        steps, tail = split_depth(self._depth(context))
        return 0 if tail else LANES * steps - self._depth(context)

    def scratch(self, context: Context) -> int:
        (rows, columns), (_, wide) = _window(context), _rows(context)
        return (wide + columns - 1) * rows * context.input().shape[3] + self._beyond(context)

    def lower(self, context: Context) -> Lowered:
        attrs, layer, (rows, columns) = _attrs(context), _layer(context), _window(context)
        scale, channels, depth = mve_requant(layer), context.output().shape[3], self._depth(context)
        packed = [_packed(layer, scale, first, channels) for first in range(0, len(layer.weights), channels)]
        steps, tail = split_depth(depth)
        conv = dict(zip(("batches", "in_h", "in_w", "in_c"), context.input().shape, strict=True))
        conv |= {"out_h": 0, "out_w": 0, "kernel_h": rows, "kernel_w": columns, "stride_h": 1, "stride_w": 1}
        conv |= {"dilation_h": 1, "dilation_w": 1, "pad_top": rows - 1, "pad_left": 0}
        conv |= {"in_zero": layer.in_zero, "tile_w": 0, "groups": 1, "phases": 1, "stride_p": 1}
        conv |= {"packed_step": packed[0].size, "beyond": self._beyond(context)}
        conv |= {"x_step": rows * context.input().shape[3], "steps": steps, "tail": tail, "out_c": channels}
        conv |= output_shape(layer, scale.form)
        shape = {f"conv.{name}": value for name, value in conv.items()}
        shape |= dict(zip(("out_h", "out_w"), context.output().shape[1:3], strict=True))
        shape |= dict(zip(("stride_h", "stride_w", "top", "left"), (*attrs.stride, *attrs.before), strict=True))
        table = ConstantTable("packed", "int32_t", np.concatenate(packed))
        call = Call(self.function, (In(), table, Out(), Scratch()), shape)
        return Lowered(self.function, (call,), self.scratch(context))

    def loops(self, context: Context) -> Loops:
        (up, along), (high, wide), channels = _attrs(context).stride, _rows(context), context.output().shape[3]
        lines, (rows, columns) = high * context.output().shape[0], _window(context)
        steps, tail = split_depth(self._depth(context))
        calls = lines * up * along
        pairs, units = calls * -(-wide // 2), steps + (tail > 0)
        tiles, woven = pairs * -(-channels // 4), lines * rows * (wide + columns - 1)
        general = mve_requant(_layer(context)).form == GENERAL
        found = {"line": lines, "call": calls, "pair": pairs, "tile": tiles, "weave": lines * rows}
        found |= {"step": tiles * max(units - 2, 0), "held": tiles * min(units, 2), "general": tiles * general}
        return found | {"column": woven, "part": woven * (context.input().shape[3] // LANES)}

    def flash(self, context: Context) -> int:
        layer = _layer(context)
        channels = context.output().shape[3]
        return len(layer.weights) // channels * _packed(layer, mve_requant(layer), 0, channels).size * 4


def _packed(layer: QuantizedLayer, scale: MveRequant, first: int, count: int) -> Int32s:
    """A phase's channels, the last one several times where there are fewer than four."""
    at = first + np.minimum(np.arange(max(count, 4)), count - 1)
    weights: Int8s = layer.weights[at].astype(np.int8)
    return pack_gemm(weights, MveRequant(scale.form, scale.bias[at], scale.multiplier[at], scale.shift[at]))


KERNELS: tuple[Kernel, ...] = (TransposeConvS8Mve(),)
