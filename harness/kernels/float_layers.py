"""CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED and SOFTMAX of float32; pools of float32 and int16."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.ir.operators.float_layers import FLOAT_WEIGHTS
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.operator import same
from harness.ir.operators.softmax import SoftmaxAttrs
from harness.ir.window import ConvAttrs, PoolAttrs, Window2D
from harness.kernels.access_order import AccessOrder, elementwise, windows
from harness.kernels.base import Argument, Call, ConstantTable, Float, In, Kernel, Lowered, Out, packed
from harness.kernels.constants import numbered
from harness.kernels.context import Context
from harness.kernels.loops import operation_loop
from harness.kernels.window_fields import window_fields
from harness.kernels.work import Work
from harness.quantization.types import Array, DType

_POOLS = numbered("pool_wide_portable.h", "HIL_POOL_")
_SOFTMAXES = numbered("softmax_f32_portable.h", "HIL_ROWS_")
_X, _Y = In(ctype="float"), Out(ctype="float")


def data_of(context: Context, index: int) -> Array:
    """A constant input's data."""
    data = context.input(index).data
    assert data is not None, "the verifier requires constant weights"
    return data


def bias_of(context: Context, channels: int) -> Array:
    """float32[channels]: the bias, zeros where the layer has none."""
    return np.zeros(channels, np.float32) if context.optional(2) is None else data_of(context, 2)


def quads(rows: Array) -> Array:
    """[channels, n] as [channels / 4, n, 4], filled up with zeros."""
    short = -len(rows) % 4
    filled = np.concatenate([rows, np.zeros((short, rows.shape[1]), rows.dtype)])
    return filled.reshape(-1, 4, rows.shape[1]).transpose(0, 2, 1)


def _tables(weights: Array, bias: Array) -> tuple[ConstantTable, ConstantTable]:
    return (
        ConstantTable("weights", "float", packed(weights, "float32")),
        ConstantTable("bias", "float", packed(bias, "float32")),
    )


def _clamp(clamp: tuple[int, int]) -> tuple[Argument, Argument]:
    return Float(float(clamp[0])), Float(float(clamp[1]))


DSP_FLOATS = frozenset({"dsp"})
"""Cores that may have floating point in hardware, whose one instruction for a product and a sum rounds both."""


class ConvF32Portable(Kernel):
    """float32 CONV_2D of any shape: two pixels and four output channels at a time."""

    ops = frozenset({"CONV_2D"})
    types = FLOAT_WEIGHTS
    function = "conv_f32_portable"

    def lower(self, context: Context) -> Lowered:
        attrs, w = context.node.attrs, data_of(context, 1)
        assert isinstance(attrs, ConvAttrs)
        channels, groups = len(w), context.input().shape[3] // w.shape[3]
        by_group = w.reshape(groups, channels // groups, -1)
        bias = bias_of(context, channels).reshape(groups, channels // groups, 1)
        tables = _tables(
            np.concatenate([quads(rows).reshape(-1) for rows in by_group]),
            np.concatenate([quads(rows).reshape(-1) for rows in bias]),
        )
        shape = window_fields(self.window(context)) | {"groups": groups, "per_group": channels // groups}
        call = Call(self.function, (_X, *tables, _Y, *_clamp(attrs.clamp)), shape)
        return Lowered(self.function, (call,))

    def window(self, context: Context) -> Window2D:
        """The windows as the C code walks them."""
        return context.window

    def access_order(self, context: Context) -> AccessOrder:
        return wide(windows(context, pixels=2, within=self.within(context)))

    def within(self, context: Context) -> list[int]:
        """Step of each output channel: four are computed together, and what is left of each group."""
        each = len(data_of(context, 1)) // self.groups(context)
        return [c // each * -(-each // 4) + c % each // 4 for c in range(context.output().shape[3])]

    def groups(self, context: Context) -> int:
        """Groups of channels that have nothing to do with each other."""
        groups: int = context.input().shape[3] // data_of(context, 1).shape[3]
        return groups

    def work(self, context: Context) -> Work:
        w, window, groups = data_of(context, 1), context.window, self.groups(context)
        quads = groups * -(-(len(w) // groups) // 4)
        rows, joined = window.batches * window.rows.taps_inside(), window.columns.dilation == 1 and groups == 1
        loops = {"step": window.batches * window.rows.out * -(-window.columns.out // 2)}
        loops |= {"quad": loops["step"] * quads}
        both, alone = _pairs(window.columns.inside())
        for name, taps in (("pair", both), ("single", alone)):
            lines = sum(bool(n) if joined else n for n in taps)
            loops |= {f"{name}_run": rows * lines * quads, f"{name}_tap": rows * sum(taps) * quads * w.shape[3]}
        return Work(loops)


def _pairs(inside: npt.NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    """Taps inside the image of pairs of windows that have the same ones, and of windows that stand alone."""
    both, alone = [], []
    for first in range(0, len(inside), 2):
        pair = inside[first : first + 2]
        if len(pair) == 2 and (pair[0] == pair[1]).all():
            both.append(int(pair[0].sum()))
        else:
            alone += [int(taps.sum()) for taps in pair]
    return both, alone


class ConvF32Chained(ConvF32Portable):
    """float32 CONV_2D of any shape: a product and a sum are one instruction, which rounds twice."""

    features = DSP_FLOATS
    function = "conv_f32_chained"


class DepthwiseConvF32Portable(Kernel):
    """float32 DEPTHWISE_CONV_2D of any shape: four channels at a time where each has one output."""

    ops = frozenset({"DEPTHWISE_CONV_2D"})
    types = FLOAT_WEIGHTS
    function = "depthwise_conv_f32_portable"

    def lower(self, context: Context) -> Lowered:
        attrs, w = context.node.attrs, data_of(context, 1)
        assert isinstance(attrs, ConvAttrs)
        tables = _tables(self.packed_weights(context), bias_of(context, w.shape[3]))
        shape = window_fields(context.window) | {"multiplier": w.shape[3] // context.input().shape[3]}
        call = Call(self.function, (_X, *tables, _Y, *_clamp(attrs.clamp)), shape)
        return Lowered(self.function, (call,))

    def packed_weights(self, context: Context) -> Array:
        """The weights as the C code reads them."""
        return data_of(context, 1)

    def work(self, context: Context) -> Work:
        window, channels = context.window, context.output().shape[3]
        quads = channels // 4 if channels == context.input().shape[3] else 0
        taps, lines = window.taps_inside(), window.batches * window.columns.out * window.rows.taps_inside()
        loops = {"pixel": window.pixels, "quad": window.pixels * quads, "line": lines * quads, "tap": taps * quads}
        rest = channels - 4 * quads
        return Work(loops | {"element": window.pixels * rest, "rest_tap": taps * rest})


class DepthwiseConvF32Chained(DepthwiseConvF32Portable):
    """float32 DEPTHWISE_CONV_2D: a product and a sum are one instruction, which rounds twice."""

    features = DSP_FLOATS
    function = "depthwise_conv_f32_chained"


class FullyConnectedF32Portable(Kernel):
    """float32 FULLY_CONNECTED: two rows and four outputs at a time."""

    ops = frozenset({"FULLY_CONNECTED"})
    types = FLOAT_WEIGHTS
    function = "fully_connected_f32_portable"

    def lower(self, context: Context) -> Lowered:
        attrs, w = context.node.attrs, data_of(context, 1)
        assert isinstance(attrs, FullyConnectedAttrs)
        tables = _tables(quads(w), quads(bias_of(context, len(w)).reshape(-1, 1)))
        shape = {"rows": context.input().elements // w.shape[1], "depth": w.shape[1], "outputs": len(w)}
        call = Call(self.function, (_X, *tables, _Y, *_clamp(attrs.clamp)), shape)
        return Lowered(self.function, (call,))

    def work(self, context: Context) -> Work:
        w, rows = data_of(context, 1), context.input().elements // data_of(context, 1).shape[1]
        quads = -(-len(w) // 4)
        loops = {"row": rows, "pair": rows // 2 * quads, "single": rows % 2 * quads}
        return Work(loops | {f"{name}_tap": loops[name] * w.shape[1] for name in ("pair", "single")})


class FullyConnectedF32Chained(FullyConnectedF32Portable):
    """float32 FULLY_CONNECTED: a product and a sum are one instruction, which rounds twice."""

    features = DSP_FLOATS
    function = "fully_connected_f32_chained"


class PoolWidePortable(Kernel):
    """Pools of float32 and int16."""

    ops = frozenset(_POOLS)
    types = same(DType.INT16, DType.FLOAT32)

    def lower(self, context: Context) -> Lowered:
        attrs, window = context.node.attrs, context.window
        assert isinstance(attrs, PoolAttrs)
        floats = context.output().dtype is DType.FLOAT32
        sizes = ("out_h", "out_w", "kernel_h", "kernel_w", "stride_h", "stride_w", "pad_top", "pad_left")
        shape = window_fields(window, "batches", "in_h", "in_w") | {"channels": window.in_c}
        shape |= window_fields(window, *sizes)
        shape |= {"is_float": int(floats), "operation": _POOLS[context.node.op]}
        low, high = (0, 0) if floats else attrs.clamp
        shape |= {"clamp_min": low, "clamp_max": high}
        ends = _clamp(attrs.clamp if floats else (0, 0))
        call = Call("pool_wide_portable", (In(ctype="uint8_t"), Out(ctype="uint8_t"), *ends), shape)
        return Lowered("pool_wide_portable", (call,))

    def work(self, context: Context) -> Work:
        window, channels = context.window, context.output().shape[3]
        loops = {operation_loop(context): window.pixels * channels}
        return Work(loops | {operation_loop(context, "tap"): window.taps_inside() * channels})


class SoftmaxF32Portable(Kernel):
    """float32 SOFTMAX and LOG_SOFTMAX."""

    ops = frozenset(_SOFTMAXES)
    types = same(DType.FLOAT32)

    def lower(self, context: Context) -> Lowered:
        attrs, x = context.node.attrs, context.input()
        depth = x.shape[-1]
        beta = attrs.beta if isinstance(attrs, SoftmaxAttrs) else 1.0
        shape = {"rows": x.elements // depth, "depth": depth, "logarithm": _SOFTMAXES[context.node.op]}
        return Lowered("softmax_f32_portable", (Call("softmax_f32_portable", (_X, _Y, Float(beta)), shape),))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context)

    def work(self, context: Context) -> Work:
        elements, depth = context.output().elements, context.output().shape[-1]
        return Work({operation_loop(context, "row"): elements // depth, operation_loop(context): elements})


def wide(order: AccessOrder) -> AccessOrder:
    """The order of elements of four bytes, from that of elements of one."""
    return AccessOrder({i: np.repeat(steps, 4) for i, steps in order.reads.items()}, np.repeat(order.writes, 4))


KERNELS: tuple[Kernel, ...] = (
    ConvF32Portable(),
    ConvF32Chained(),
    DepthwiseConvF32Portable(),
    DepthwiseConvF32Chained(),
    FullyConnectedF32Portable(),
    FullyConnectedF32Chained(),
    PoolWidePortable(),
    SoftmaxF32Portable(),
)
