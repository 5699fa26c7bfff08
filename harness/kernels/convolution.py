"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED, int8, in plain C."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.graph import ConvAttrs, FullyConnectedAttrs, Pads
from harness.kernels.accesses import Accesses, planes, quads, rows, windows
from harness.kernels.base import Call, Context, Cost, In, Kernel, Lowered, Out, Scratch, Table, packed
from harness.kernels.effort import straight
from harness.kernels.scale import records, rounded_words, table_bytes

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


def weights_of(context: Context) -> npt.NDArray[np.int8]:
    """The node's weights, which are input 1."""
    data = context.input(1).data
    assert data is not None, "the verifier requires constant weights"
    return data.astype(np.int8)


def quads_beside(weights: npt.NDArray[np.int8], groups: int = 1) -> npt.NDArray[np.int8]:
    """Rows of taps (channels, ...) as quad_s8.h wants them: of each group four channels' taps beside each other, the
    channels left over one by one.
    """
    by_group = weights.reshape(groups, weights.shape[0] // groups, -1)
    _, channels, taps = by_group.shape
    whole = channels - channels % 4
    quad = by_group[:, :whole].reshape(groups, whole // 4, 4, taps).transpose(0, 1, 3, 2).reshape(groups, -1)
    return np.concatenate([quad, by_group[:, whole:].reshape(groups, -1)], axis=1).reshape(-1)


def _fields(context: Context) -> dict[str, int]:
    """Fields of the C shapes that convolutions have in common."""
    attrs, x, y = context.node.attrs, context.input(0), context.output()
    assert isinstance(attrs, ConvAttrs)
    kernel = context.input(1).shape[1:3]
    # A column is as good as a row, and the taps of a row are the inner loop.
    h, w = (1, 0) if x.shape[2] == y.shape[2] == kernel[1] == 1 else (0, 1)
    pads = (attrs.pads.top, attrs.pads.left)
    return {
        "batches": x.shape[0],
        "in_h": x.shape[1 + h],
        "in_w": x.shape[1 + w],
        "in_c": x.shape[3],
        "out_h": y.shape[1 + h],
        "out_w": y.shape[1 + w],
        "kernel_h": kernel[h],
        "kernel_w": kernel[w],
        "stride_h": attrs.stride[h],
        "stride_w": attrs.stride[w],
        "dilation_h": attrs.dilation[h],
        "dilation_w": attrs.dilation[w],
        "pad_top": pads[h],
        "pad_left": pads[w],
        "in_zero": x.q.zero_point,
    }


def _inside(fields: dict[str, int], axis: str) -> int:
    """Taps of all windows along an axis ("h" or "w") that lie inside the image."""
    size, count, taps, stride, dilation = (fields[f"{k}_{axis}"] for k in ("in", "out", "kernel", "stride", "dilation"))
    before = fields["pad_top" if axis == "h" else "pad_left"]
    reached = np.arange(count)[:, None] * stride - before + np.arange(taps) * dilation
    return int(((reached >= 0) & (reached < size)).sum())


def _scaled(context: Context, weights: npt.NDArray[np.int8]) -> tuple[dict[str, int], tuple[Table, Table]]:
    """(fields of the C shape, tables) that every kernel with weights has."""
    fields, words = records(context)
    return fields, (Table("weights", "int8_t", packed(weights, "int8")), Table("records", "int32_t", words))


class ConvS8Portable(Kernel):
    """Any int8 convolution, one pixel at a time."""

    ops = frozenset({"CONV_2D"})
    function = "conv_s8_portable"
    pixels = 1

    def lower(self, context: Context) -> Lowered:
        x, w, y = context.input(0), context.input(1), context.output()
        groups, direct = x.shape[3] // w.shape[3], _direct(context)
        scale, tables = _scaled(context, quads_beside(weights_of(context), groups))
        shape = scale | {"out_c": y.shape[3], "groups": groups, "direct": int(direct)} | _fields(context)
        scratch = self._scratch(context)
        arguments = (In(), *tables, Out(), Scratch() if scratch else In())
        return Lowered(self.function, (Call(self.function, arguments, shape),), scratch)

    def _scratch(self, context: Context) -> int:
        w = context.input(1)
        pixels = min(self.pixels, _fields(context)["out_w"])
        return 0 if _direct(context) else pixels * w.shape[1] * w.shape[2] * w.shape[3]

    def accesses(self, context: Context) -> Accesses:
        x, w, y = context.input(0), context.input(1), context.output()
        groups = x.shape[3] // w.shape[3]
        gathered = groups == 1 and not _direct(context)
        within = None if gathered else quads(y.shape[3], groups)
        if _fields(context)["out_w"] != y.shape[2]:
            return windows(context, lines=self.pixels, within=within)
        return windows(context, pixels=self.pixels, within=within)

    def cost(self, context: Context) -> Cost:
        fields, quad = _fields(context), context.output().shape[3] / 4
        taps = fields["kernel_h"] * fields["kernel_w"] * context.input(1).shape[3]
        pairs, singles = fields["out_w"] // self.pixels, fields["out_w"] % self.pixels
        if self.pixels == 1:
            pairs, singles = 0, fields["out_w"]
        of_pair = 111 + quad * (224 + 17.8 * taps)
        of_single = 54 + 48 * (self.pixels > 1) + quad * (108 + 11.9 * taps)
        gathered = 0.0 if _direct(context) else -48 + 68 * fields["kernel_h"] + 1.5 * taps
        row = pairs * of_pair + singles * of_single + fields["out_w"] * gathered
        outputs = context.output().elements * rounded_words(context) * 3.8
        effort = straight(140 + fields["batches"] * fields["out_h"] * row + outputs)
        return effort.cost(context.target, scratch=self._scratch(context), flash=table_bytes(context))


class ConvS8Pairs(ConvS8Portable):
    """Any int8 convolution, two pixels at a time."""

    features = frozenset({"registers"})
    function = "conv_s8_pairs"
    pixels = 2


def _direct(context: Context) -> bool:
    """Whether a window is one pixel inside the image, and all of its channels."""
    attrs, x, w = context.node.attrs, context.input(0), context.input(1)
    assert isinstance(attrs, ConvAttrs)
    return w.shape[1:3] == (1, 1) and w.shape[3] == x.shape[3] and attrs.pads == Pads()


class DepthwiseConvS8Portable(Kernel):
    """Any int8 depthwise convolution, a pixel at a time."""

    ops = frozenset({"DEPTHWISE_CONV_2D"})

    def lower(self, context: Context) -> Lowered:
        scale, tables = _scaled(context, weights_of(context))
        shape = scale | {"multiplier": context.output().shape[3] // context.input().shape[3]} | _fields(context)
        function = "depthwise_conv_s8_portable"
        return Lowered(function, (Call(function, (In(), *tables, Out()), shape),))

    def accesses(self, context: Context) -> Accesses:
        in_c, out_c = context.input(0).shape[3], context.output().shape[3]
        return windows(context, within=quads(out_c, 1 if in_c == out_c else in_c), own=True)

    def cost(self, context: Context) -> Cost:
        fields, channels = _fields(context), context.output().shape[3]
        group = channels if channels == context.input().shape[3] else channels // context.input().shape[3]
        quads_of_pixel = group // 4 * (channels // group)
        singles = channels - 4 * quads_of_pixel
        inside = _inside(fields, "w") * _inside(fields, "h")
        pixels = fields["batches"] * fields["out_h"] * fields["out_w"]
        taps = pixels * fields["kernel_h"] * fields["kernel_w"]
        effort = straight(48 + fields["batches"] * fields["out_h"] * 53 + pixels * 44)
        quad = pixels * (126 + 41 * fields["kernel_h"]) + fields["batches"] * inside * 9.9 + taps * 7.35
        single = pixels * (91 + 36 * fields["kernel_h"]) + taps * 6.4
        effort = effort + straight(quad * quads_of_pixel + single * singles)
        effort = effort + straight(context.output().elements * rounded_words(context) * 4.1)
        return effort.cost(context.target, flash=table_bytes(context), reads=pixels)


class DepthwiseConvS8Plane(Kernel):
    """Any int8 depthwise convolution, an input channel at a time."""

    ops = frozenset({"DEPTHWISE_CONV_2D"})

    def lower(self, context: Context) -> Lowered:
        attrs, x, y = context.node.attrs, context.input(0), context.output()
        assert isinstance(attrs, ConvAttrs)
        taps = context.input(1).shape[1:3]
        steps_in, steps_out = (x.shape[2] * x.shape[3], x.shape[3]), (y.shape[2] * y.shape[3], y.shape[3])
        steps_tap = (taps[1] * y.shape[3], y.shape[3])
        pads = (attrs.pads.top, attrs.pads.left)
        v, u = (0, 1) if y.shape[2] >= y.shape[1] else (1, 0)
        reach = self._reach(context)
        inside = [max(min(x.shape[1 + i], reach[i] - pads[i]), 0) for i in (0, 1)]
        scale, tables = _scaled(context, weights_of(context))
        shape = scale | {
            "batches": x.shape[0],
            "channels": x.shape[3],
            "multiplier": y.shape[3] // x.shape[3],
            "in_bytes": x.elements // x.shape[0],
            "out_bytes": y.elements // y.shape[0],
            "lines": inside[v],
            "line_step": steps_in[v],
            "elements": inside[u],
            "element_step": steps_in[u],
            "out_lines": y.shape[1 + v],
            "out_line_step": steps_out[v],
            "out_elements": y.shape[1 + u],
            "out_element_step": steps_out[u],
            "taps_v": taps[v],
            "taps_u": taps[u],
            "tap_step_v": steps_tap[v],
            "tap_step_u": steps_tap[u],
            "stride_v": attrs.stride[v],
            "stride_u": attrs.stride[u],
            "dilation_v": attrs.dilation[v],
            "dilation_u": attrs.dilation[u],
            "plane_bytes": reach[0] * reach[1],
            "plane_line": reach[u],
            "plane_first": pads[v] * reach[u] + pads[u],
            "in_zero": x.q.zero_point,
        }
        function = "depthwise_conv_s8_plane"
        call = Call(function, (In(), *tables, Out(), Scratch()), shape)
        return Lowered(function, (call,), self._scratch(context))

    def _reach(self, context: Context) -> tuple[int, int]:
        """Rows and columns that the windows reach, padding included."""
        attrs, y = context.node.attrs, context.output()
        assert isinstance(attrs, ConvAttrs)
        height, width = (
            (size - 1) * stride + (taps - 1) * dilation + 1
            for size, stride, taps, dilation in zip(
                y.shape[1:3], attrs.stride, context.input(1).shape[1:3], attrs.dilation, strict=True
            )
        )
        return height, width

    def _scratch(self, context: Context) -> int:
        taps, reach = context.input(1).shape[1:3], self._reach(context)
        return reach[0] * reach[1] + taps[0] * taps[1]

    def accesses(self, context: Context) -> Accesses:
        return planes(context)

    def cost(self, context: Context) -> Cost:
        shape = self.lower(context).calls[0].shape
        channels = shape["channels"] * shape["batches"]
        elements, lines, taps_v, taps_u = (shape[k] for k in ("out_elements", "out_lines", "taps_v", "taps_u"))
        copied = channels * (64 + shape["lines"] * (27 + 5.93 * shape["elements"]))
        if elements < 4:
            line = 24 + elements * (78 + taps_v * (10 + 13.5 * taps_u))
        elif (taps_u, shape["stride_u"], shape["dilation_u"]) == (3, 1, 1):
            line = 24 + -(-elements // 4) * (131 + 36.3 * taps_v)
        else:
            line = 24 + -(-elements // 4) * (131 + taps_v * (9 + 12.6 * taps_u))
        computed = channels * shape["multiplier"] * (5 * taps_v * taps_u + lines * line)
        outputs = context.output().elements * rounded_words(context) * 4
        effort = straight(150 + copied + computed + outputs)
        return effort.cost(context.target, scratch=self._scratch(context), flash=table_bytes(context))


class FullyConnectedS8Portable(Kernel):
    """Any int8 fully connected layer."""

    ops = frozenset({"FULLY_CONNECTED"})

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, FullyConnectedAttrs)
        out_n, in_n = context.input(1).shape
        scale, tables = _scaled(context, quads_beside(weights_of(context)))
        shape = scale | {"batches": context.input().elements // in_n, "in_n": in_n, "out_n": out_n}
        function = "fully_connected_s8_portable"
        return Lowered(function, (Call(function, (In(), *tables, Out()), shape),))

    def accesses(self, context: Context) -> Accesses:
        out_n, in_n = context.input(1).shape
        return rows(context, in_n, out_n, quads(out_n))

    def cost(self, context: Context) -> Cost:
        out_n, in_n = context.input(1).shape
        batches = context.input().elements // in_n
        outputs = context.output().elements * rounded_words(context) * 4
        row = 23 + out_n // 4 * (104 + 12 * in_n) + out_n % 4 * (27 + 6 * in_n)
        effort = straight(33 + batches * row + outputs)
        return effort.cost(context.target, flash=table_bytes(context), reads=batches)
