"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED, int8, in plain C."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.ir.graph import ConvAttrs, FullyConnectedAttrs, Pads
from harness.kernels.access_order import AccessOrder, planes, quads, rows, windows
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch, packed
from harness.kernels.context import Context
from harness.kernels.scale import records, scale_loops, table_bytes
from harness.kernels.work import Reuse, Work

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


def _scaled(
    context: Context, weights: npt.NDArray[np.int8]
) -> tuple[dict[str, int], tuple[ConstantTable, ConstantTable]]:
    """(fields of the C shape, tables) that every kernel with weights has."""
    fields, words = records(context)
    taps = ConstantTable("weights", "int8_t", packed(weights, "int8"))
    return fields, (taps, ConstantTable("records", "int32_t", words))


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

    def access_order(self, context: Context) -> AccessOrder:
        x, w, y = context.input(0), context.input(1), context.output()
        groups = x.shape[3] // w.shape[3]
        gathered = groups == 1 and not _direct(context)
        within = None if gathered else quads(y.shape[3], groups)
        if _fields(context)["out_w"] != y.shape[2]:
            return windows(context, lines=self.pixels, within=within)
        return windows(context, pixels=self.pixels, within=within)

    def work(self, context: Context) -> Work:
        fields, w = _fields(context), context.input(1)
        taps = fields["kernel_h"] * fields["kernel_w"] * w.shape[3]
        groups = fields["in_c"] // w.shape[3]
        quads_of_group, singles_of_group = divmod(context.output().shape[3] // groups, 4)
        lines = fields["batches"] * fields["out_h"]
        pixels = lines * fields["out_w"]
        pairs = lines * (fields["out_w"] // 2) if self.pixels == 2 else 0
        windows = 0 if _direct(context) else pixels * groups
        loops: dict[str, float] = {"row": lines, "window": windows, "window_row": windows * fields["kernel_h"]}
        loops["window_byte"] = windows * taps
        for name, steps in (("pair", pairs), ("pixel", pixels - 2 * pairs)):
            runs = steps * groups
            loops |= {name: steps, f"{name}_group": runs}
            loops |= {f"{name}_quad": runs * quads_of_group, f"{name}_channel": runs * singles_of_group}
            loops |= {f"{name}_quad_tap": runs * quads_of_group * taps}
            loops |= {f"{name}_channel_tap": runs * singles_of_group * taps}
        sweep = Reuse("weights", table_bytes(context), pixels - pairs)
        return Work(loops | scale_loops(context), (sweep,), self._scratch(context))


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

    def access_order(self, context: Context) -> AccessOrder:
        in_c, out_c = context.input(0).shape[3], context.output().shape[3]
        return windows(context, within=quads(out_c, 1 if in_c == out_c else in_c), own=True)

    def work(self, context: Context) -> Work:
        fields, channels = _fields(context), context.output().shape[3]
        group = channels if channels == context.input().shape[3] else channels // context.input().shape[3]
        quads_of_pixel = group // 4 * (channels // group)
        pixels = fields["batches"] * fields["out_h"] * fields["out_w"]
        taps = pixels * fields["kernel_h"] * fields["kernel_w"]
        inside = fields["batches"] * _inside(fields, "w") * _inside(fields, "h")
        loops: dict[str, float] = {"row": fields["batches"] * fields["out_h"], "pixel": pixels}
        for name, runs in (("quad", quads_of_pixel), ("channel", channels - 4 * quads_of_pixel)):
            loops |= {name: runs * pixels, f"{name}_line": runs * pixels * fields["kernel_h"]}
            loops |= {f"{name}_tap": runs * inside, f"{name}_padding": runs * (taps - inside)}
        return Work(loops | scale_loops(context), (Reuse("weights", table_bytes(context), pixels),))


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

    def access_order(self, context: Context) -> AccessOrder:
        return planes(context)

    def work(self, context: Context) -> Work:
        shape = self.lower(context).calls[0].shape
        channels = shape["channels"] * shape["batches"]
        outputs = channels * shape["multiplier"]
        elements, taps_v, taps_u = (shape[name] for name in ("out_elements", "taps_v", "taps_u"))
        lines = outputs * shape["out_lines"]
        loops: dict[str, float] = {
            "filled": shape["plane_bytes"],
            "channel": channels,
            "copied_line": channels * shape["lines"],
            "copied": channels * shape["lines"] * shape["elements"],
            "output": outputs,
            "weight": outputs * taps_v * taps_u,
            "line": lines,
        }
        three = (taps_u, shape["stride_u"], shape["dilation_u"]) == (3, 1, 1)
        kind = "single" if elements < 4 else "three" if three else "quad"
        runs = lines * (elements if elements < 4 else -(-elements // 4))
        for name in ("single", "three", "quad"):
            count = runs * (name == kind)
            loops |= {name: count, f"{name}_line": count * taps_v, f"{name}_tap": count * taps_v * taps_u}
        read = Reuse("input", context.input().bytes, shape["channels"])
        written = Reuse("output", context.output().bytes, context.output().shape[3])
        weights = Reuse("weights", table_bytes(context), 1)
        return Work(loops | scale_loops(context), (read, written, weights), self._scratch(context))


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

    def access_order(self, context: Context) -> AccessOrder:
        out_n, in_n = context.input(1).shape
        return rows(context, in_n, out_n, quads(out_n))

    def work(self, context: Context) -> Work:
        out_n, in_n = context.input(1).shape
        batches = context.input().elements // in_n
        loops = {"row": batches, "quad": batches * (out_n // 4), "quad_tap": batches * (out_n // 4) * in_n}
        loops |= {"channel": batches * (out_n % 4), "channel_tap": batches * (out_n % 4) * in_n}
        return Work(loops | scale_loops(context), (Reuse("weights", table_bytes(context), batches),))


KERNELS: tuple[Kernel, ...] = (
    ConvS8Portable(),
    ConvS8Pairs(),
    DepthwiseConvS8Portable(),
    DepthwiseConvS8Plane(),
    FullyConnectedS8Portable(),
)
