"""Layers of int16 activations and int8 weights (16x8): CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, TRANSPOSE_CONV."""

from __future__ import annotations

import numpy as np

from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.operator import INT16_WEIGHTS
from harness.ir.operators.transpose_conv import TransposeConvAttrs
from harness.ir.operators.weights import has_narrow_sums
from harness.ir.weights import channel_bias
from harness.ir.window import ConvAttrs
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, packed
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.float_layers import quads
from harness.kernels.transpose_conv import sources, transposed_sizes
from harness.kernels.window_fields import window_fields
from harness.kernels.work import Work
from harness.quantization.params import channel_params
from harness.quantization.types import Array

_RUN = constant("quad_s16.h", "HIL_S16_RUN")
"""Products that fit 32 bits."""
_X, _Y = In(ctype="int16_t"), Out(ctype="int16_t")


def scale_fields(context: Context) -> dict[str, int]:
    """scale_s16_shape of requantize_wide.h."""
    attrs = context.node.attrs
    assert isinstance(attrs, ConvAttrs | FullyConnectedAttrs | TransposeConvAttrs)
    narrow = has_narrow_sums([context.input(0), context.input(1), context.optional(2)])
    low, high = attrs.clamp
    return {"scale.narrow": int(narrow), "scale.clamp_min": low, "scale.clamp_max": high}


def _records(context: Context, channels: int) -> tuple[Array, Array]:
    """(int64[channels] biases, int32[channels, 2] multipliers and shifts)."""
    multipliers, shifts = channel_params(context.input(), context.input(1), context.output(), channels)
    return channel_bias(context.graph, context.node), np.stack([multipliers, shifts], axis=1)


def _tables(weights: Array, biases: Array, factors: Array) -> tuple[ConstantTable, ...]:
    return (
        ConstantTable("weights", "int8_t", packed(weights, "int8")),
        ConstantTable("biases", "int64_t", packed(biases, "int64")),
        ConstantTable("factors", "int32_t", packed(factors, "int32")),
    )


def factor_tables(context: Context, group: int, parts: int = 1) -> tuple[ConstantTable, ConstantTable]:
    """int64 biases, and multipliers and shifts in turn, of each part filled up with zeros to a multiple of `group`."""
    channels = context.output().shape[-1]
    biases, factors = _records(context, channels)
    missing = (0, -(channels // parts) % group)
    biases = np.pad(biases.reshape(parts, -1), ((0, 0), missing))
    factors = np.pad(factors.reshape(parts, -1, 2), ((0, 0), missing, (0, 0)))
    return (
        ConstantTable("biases", "int64_t", packed(biases, "int64")),
        ConstantTable("factors", "int32_t", packed(factors, "int32")),
    )


def _padded(rows: Array, groups: int) -> Array:
    """[channels, ...] with every group's channels filled up with zeros to a multiple of four."""
    apart = rows.reshape(groups, len(rows) // groups, -1)
    return np.pad(apart, ((0, 0), (0, -apart.shape[1] % 4), (0, 0)))


class ConvS16Portable(Kernel):
    """CONV_2D of any shape: four output channels at a time."""

    ops = frozenset({"CONV_2D"})
    types = INT16_WEIGHTS

    def lower(self, context: Context) -> Lowered:
        w = context.input(1).data
        assert w is not None
        groups = context.input().shape[3] // w.shape[3]
        biases, factors = _records(context, len(w))
        packs = np.concatenate([quads(rows).reshape(-1) for rows in w.reshape(groups, len(w) // groups, -1)])
        tables = _tables(packs, _padded(biases, groups), _padded(factors, groups))
        shape = window_fields(context.window) | {"groups": groups, "per_group": len(w) // groups}
        shape |= scale_fields(context)
        return Lowered("conv_s16_portable", (Call("conv_s16_portable", (_X, *tables, _Y), shape),))

    def work(self, context: Context) -> Work:
        w, window = context.input(1), context.window
        count = -(-w.shape[0] // 4)
        lines = window.batches * window.columns.out * window.rows.taps_inside()
        joined = window.columns.dilation == 1 and w.shape[3] == context.input().shape[3]
        runs = (lines if joined else window.taps_inside()) * count
        taps = window.taps_inside() * count * w.shape[3]
        return Work({"pixel": window.pixels, "quad": window.pixels * count, "run": runs, "tap": taps})


class DepthwiseConvS16Portable(Kernel):
    """DEPTHWISE_CONV_2D of any shape."""

    ops = frozenset({"DEPTHWISE_CONV_2D"})
    types = INT16_WEIGHTS

    def lower(self, context: Context) -> Lowered:
        w = context.input(1).data
        assert w is not None
        tables = _tables(w, *_records(context, w.shape[3]))
        shape = window_fields(context.window) | {"multiplier": w.shape[3] // context.input().shape[3]}
        shape |= scale_fields(context)
        call = Call("depthwise_conv_s16_portable", (_X, *tables, _Y), shape)
        return Lowered("depthwise_conv_s16_portable", (call,))

    def work(self, context: Context) -> Work:
        window, channels = context.window, context.output().shape[3]
        # As depthwise_conv_s16_portable.c has it: four channels of one filter each at a time.
        together = channels == context.input().shape[3] and window.rows.kernel * window.columns.kernel <= _RUN
        fours = channels // 4 if together else 0
        rest = channels - 4 * fours
        loops = {"four": window.pixels * fours, "four_tap": window.taps_inside() * fours}
        return Work(loops | {"element": window.pixels * rest, "tap": window.taps_inside() * rest})


class FullyConnectedS16Portable(Kernel):
    """FULLY_CONNECTED: four outputs at a time."""

    ops = frozenset({"FULLY_CONNECTED"})
    types = INT16_WEIGHTS

    def lower(self, context: Context) -> Lowered:
        w = context.input(1).data
        assert w is not None
        biases, factors = _records(context, len(w))
        tables = _tables(quads(w), _padded(biases, 1), _padded(factors, 1))
        shape = {"rows": context.input().elements // w.shape[1], "depth": w.shape[1], "outputs": len(w)}
        call = Call("fully_connected_s16_portable", (_X, *tables, _Y), shape | scale_fields(context))
        return Lowered("fully_connected_s16_portable", (call,))

    def work(self, context: Context) -> Work:
        w, rows = context.input(1), context.input().elements // context.input(1).shape[1]
        count = rows * -(-w.shape[0] // 4)
        return Work({"row": rows, "quad": count, "tap": count * w.shape[1]})


class TransposeConvS16Portable(Kernel):
    """TRANSPOSE_CONV of any shape."""

    ops = frozenset({"TRANSPOSE_CONV"})
    types = INT16_WEIGHTS

    def lower(self, context: Context) -> Lowered:
        attrs, w = context.node.attrs, context.input(1).data
        assert isinstance(attrs, TransposeConvAttrs) and w is not None
        sizes = {f"sizes.{name}": value for name, value in transposed_sizes(context, attrs).items()}
        tables = _tables(w, *_records(context, len(w)))
        call = Call("transpose_conv_s16_portable", (_X, *tables, _Y), sizes | scale_fields(context))
        return Lowered("transpose_conv_s16_portable", (call,))

    def work(self, context: Context) -> Work:
        return sources(context)


KERNELS: tuple[Kernel, ...] = (
    ConvS16Portable(),
    DepthwiseConvS16Portable(),
    FullyConnectedS16Portable(),
    TransposeConvS16Portable(),
)
