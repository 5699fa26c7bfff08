"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED, int8."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.graph import ConvAttrs, FullyConnectedAttrs, Pads
from harness.kernels.accesses import Accesses, channelwise, planes, quads, rows, windows
from harness.kernels.base import Argument, Call, Context, Cost, In, Kernel, Lowered, Out, Scratch, Table, packed
from harness.kernels.macs import macs
from harness.oracle.params import conv_params, fully_connected_params

Int64s = npt.NDArray[np.int64]


def folded_bias(context: Context, channels: int, zero_sums: Int64s | None = None) -> npt.NDArray[np.int32]:
    """The bias, or zeros, minus what the input's zero point adds: zero_sums is zero_point * sum of weights per channel.

    Wraps like the accumulators do, so that the sum comes out right.
    """
    tensor = context.optional(2)
    bias = np.zeros(channels, np.int64) if tensor is None or tensor.data is None else tensor.data.astype(np.int64)
    if zero_sums is not None:
        bias = bias - zero_sums
    return (bias & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def _tables(
    weights: npt.NDArray[np.int8],
    bias: npt.NDArray[np.int32],
    multipliers: npt.NDArray[np.int32],
    shifts: npt.NDArray[np.int32],
) -> tuple[Argument, ...]:
    return (
        Table("weights", "int8_t", packed(weights, "int8")),
        Table("bias", "int32_t", bias),
        Table("multiplier", "int32_t", multipliers),
        Table("shift", "int8_t", packed(shifts, "int8")),
    )


def weights_of(context: Context) -> npt.NDArray[np.int8]:
    """The node's weights, which are input 1."""
    data = context.input(1).data
    assert data is not None, "the verifier requires constant weights"
    return data.astype(np.int8)


class ConvS8Portable(Kernel):
    """Any int8 convolution. The zero point is folded into the bias when there is no padding to leave out."""

    ops = frozenset({"CONV_2D"})

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, ConvAttrs)
        x, w, y = context.input(0), context.input(1), context.output()
        weights = weights_of(context)
        zero = x.q.zero_point
        folded = attrs.pads == Pads()
        sums = zero * weights.astype(np.int64).sum(axis=(1, 2, 3)) if folded else None
        n, in_h, in_w, in_c = x.shape
        _, out_h, out_w, out_c = y.shape
        shape = {
            "batches": n,
            "in_h": in_h,
            "in_w": in_w,
            "in_c": in_c,
            "out_h": out_h,
            "out_w": out_w,
            "out_c": out_c,
            "groups": in_c // w.shape[3],
            "kernel_h": w.shape[1],
            "kernel_w": w.shape[2],
            **_window(attrs),
            "in_zero": 0 if folded else zero,
            "out_zero": y.q.zero_point,
            "clamp_min": attrs.clamp[0],
            "clamp_max": attrs.clamp[1],
        }
        tables = _tables(weights, folded_bias(context, out_c, sums), *conv_params(x, w, y))
        return Lowered("conv_s8_portable", (Call("conv_s8_portable", (In(), *tables, Out()), shape),))

    def accesses(self, context: Context) -> Accesses:
        x, w, y = context.input(0), context.input(1), context.output()
        return windows(context, within=quads(y.shape[3], x.shape[3] // w.shape[3]))

    def cost(self, context: Context) -> Cost:
        return Cost(3.5 * macs(context.graph, context.node) + 25 * context.output().elements)


def _window(attrs: ConvAttrs) -> dict[str, int]:
    return {
        "stride_h": attrs.stride[0],
        "stride_w": attrs.stride[1],
        "dilation_h": attrs.dilation[0],
        "dilation_w": attrs.dilation[1],
        "pad_top": attrs.pads.top,
        "pad_left": attrs.pads.left,
    }


class DepthwiseConvS8Portable(Kernel):
    """Any int8 depthwise convolution."""

    ops = frozenset({"DEPTHWISE_CONV_2D"})
    function = "depthwise_conv_s8_portable"

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, ConvAttrs)
        x, w, y = context.input(0), context.input(1), context.output()
        n, in_h, in_w, in_c = x.shape
        _, out_h, out_w, out_c = y.shape
        shape = {
            "batches": n,
            "in_h": in_h,
            "in_w": in_w,
            "in_c": in_c,
            "out_h": out_h,
            "out_w": out_w,
            "multiplier": out_c // in_c,
            "kernel_h": w.shape[1],
            "kernel_w": w.shape[2],
            **_window(attrs),
            "in_zero": x.q.zero_point,
            "out_zero": y.q.zero_point,
            "clamp_min": attrs.clamp[0],
            "clamp_max": attrs.clamp[1],
        }
        tables = _tables(weights_of(context), folded_bias(context, out_c), *conv_params(x, w, y))
        scratch = self.scratch(context)
        extra: tuple[Argument, ...] = (Scratch(),) if scratch else ()
        return Lowered(self.function, (Call(self.function, (In(), *tables, Out(), *extra), shape),), scratch)

    def scratch(self, context: Context) -> int:
        """Bytes of scratch."""
        return 0

    def accesses(self, context: Context) -> Accesses:
        return channelwise(context)

    def cost(self, context: Context) -> Cost:
        return Cost(9 * macs(context.graph, context.node) + 40 * context.output().elements)


class DepthwiseConvS8InPlace(DepthwiseConvS8Portable):
    """Depthwise with multiplier 1 over its own input, through a plane of one channel."""

    function = "depthwise_conv_s8_inplace"
    in_place = True

    def applies(self, context: Context) -> bool:
        x, y = context.input(0), context.output()
        return x.shape[0] == 1 and x.shape[3] == y.shape[3] and y.elements <= x.elements

    def scratch(self, context: Context) -> int:
        x = context.input(0)
        return x.shape[1] * x.shape[2]

    def accesses(self, context: Context) -> Accesses:
        return planes(context)

    def cost(self, context: Context) -> Cost:
        base = super().cost(context)
        return Cost(base.instructions + 5 * context.input(0).elements, self.scratch(context))


class FullyConnectedS8Portable(Kernel):
    """Any int8 fully connected layer."""

    ops = frozenset({"FULLY_CONNECTED"})

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, FullyConnectedAttrs)
        x, w, y = context.input(0), context.input(1), context.output()
        weights = weights_of(context)
        out_n, in_n = w.shape
        sums = x.q.zero_point * weights.astype(np.int64).sum(axis=1)
        shape = {
            "batches": x.elements // in_n,
            "in_n": in_n,
            "out_n": out_n,
            "out_zero": y.q.zero_point,
            "clamp_min": attrs.clamp[0],
            "clamp_max": attrs.clamp[1],
        }
        tables = _tables(weights, folded_bias(context, out_n, sums), *fully_connected_params(x, w, y))
        function = "fully_connected_s8_portable"
        return Lowered(function, (Call(function, (In(), *tables, Out()), shape),))

    def accesses(self, context: Context) -> Accesses:
        out_n, in_n = context.input(1).shape
        return rows(context, in_n, out_n, quads(out_n))

    def cost(self, context: Context) -> Cost:
        return Cost(3 * macs(context.graph, context.node) + 25 * context.output().elements)
