"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED, int8, in plain C."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.ir.operators.operator import EITHER_ROUNDING
from harness.ir.window import WindowAxis
from harness.kernels.access_order import AccessOrder, planes, quads, rows, windows
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch, packed
from harness.kernels.context import Context
from harness.kernels.quantized_layer import quantized_layer
from harness.kernels.scale import records, scale_loops, table_bytes
from harness.kernels.window_fields import window_fields
from harness.kernels.work import Reuse, Work
from harness.quantization.fixedpoint import Ints


def quads_beside(weights: Ints, groups: int = 1) -> Ints:
    """Rows of taps (channels, ...) as quad_s8.h wants them: of each group four channels' taps beside each other, the
    channels left over one by one.
    """
    by_group = weights.reshape(groups, weights.shape[0] // groups, -1)
    _, channels, taps = by_group.shape
    whole = channels - channels % 4
    quad = by_group[:, :whole].reshape(groups, whole // 4, 4, taps).transpose(0, 1, 3, 2).reshape(groups, -1)
    return np.concatenate([quad, by_group[:, whole:].reshape(groups, -1)], axis=1).reshape(-1)


def _scaled(context: Context, weights: Ints) -> tuple[dict[str, int], tuple[ConstantTable, ConstantTable]]:
    """(fields of the C shape, tables) that every kernel with weights has."""
    fields, words = records(context)
    taps = ConstantTable("weights", "int8_t", packed(weights, "int8"))
    return fields, (taps, ConstantTable("records", "int32_t", words))


class ConvS8Portable(Kernel):
    """Any int8 convolution, one pixel at a time."""

    ops = frozenset({"CONV_2D"})
    roundings = EITHER_ROUNDING
    function = "conv_s8_portable"
    pixels = 1

    def lower(self, context: Context) -> Lowered:
        x, w, y = context.input(0), context.input(1), context.output()
        groups, direct = x.shape[3] // w.shape[3], _direct(context)
        scale, tables = _scaled(context, quads_beside(quantized_layer(context).weights, groups))
        shape = scale | {"out_c": y.shape[3], "groups": groups, "direct": int(direct)} | _window_fields(context)
        scratch = self._scratch(context)
        arguments = (In(), *tables, Out(), Scratch() if scratch else In())
        return Lowered(self.function, (Call(self.function, arguments, shape),), scratch)

    def _scratch(self, context: Context) -> int:
        w = context.input(1)
        pixels = min(self.pixels, context.window.column_as_row().columns.out)
        return 0 if _direct(context) else pixels * w.shape[1] * w.shape[2] * w.shape[3]

    def access_order(self, context: Context) -> AccessOrder:
        x, w, y = context.input(0), context.input(1), context.output()
        groups = x.shape[3] // w.shape[3]
        gathered = groups == 1 and not _direct(context)
        within = None if gathered else quads(y.shape[3], groups)
        if context.window.column_as_row().columns.out != y.shape[2]:
            return windows(context, lines=self.pixels, within=within)
        return windows(context, pixels=self.pixels, within=within)

    def work(self, context: Context) -> Work:
        window, depth = context.window.column_as_row(), context.input(1).shape[3]
        taps, groups, pixels = window.taps * depth, window.in_c // depth, window.pixels
        quads_of_group, singles_of_group = divmod(window.out_c // groups, 4)
        lines = window.batches * window.rows.out
        pairs = lines * (window.columns.out // 2) if self.pixels == 2 else 0
        windows = 0 if _direct(context) else pixels * groups
        loops: dict[str, float] = {"row": lines, "window": windows, "window_row": windows * window.rows.kernel}
        loops["window_byte"] = windows * taps
        for name, steps in (("pair", pairs), ("pixel", pixels - 2 * pairs)):
            runs = steps * groups
            loops |= {name: steps, f"{name}_group": runs}
            loops |= {f"{name}_quad": runs * quads_of_group, f"{name}_channel": runs * singles_of_group}
            loops |= {f"{name}_quad_tap": runs * quads_of_group * taps}
            loops |= {f"{name}_channel_tap": runs * singles_of_group * taps}
        reuse = Reuse("weights", table_bytes(context), pixels - pairs)
        return Work(loops | scale_loops(context), (reuse,), self._scratch(context))


class ConvS8Pairs(ConvS8Portable):
    """Any int8 convolution, two pixels at a time."""

    features = frozenset({"registers"})
    function = "conv_s8_pairs"
    pixels = 2


def _direct(context: Context) -> bool:
    """Whether a window is one pixel inside the image, and all of its channels."""
    window = context.window
    return window.taps == 1 and context.input(1).shape[3] == window.in_c and not window.reaches_padding


def _window_fields(context: Context) -> dict[str, int]:
    """Fields of the C shapes: a column is as good as a row, and the taps of a row are the inner loop."""
    return window_fields(context.window.column_as_row()) | {"in_zero": context.input().q.zero_point}


class DepthwiseConvS8Portable(Kernel):
    """Any int8 depthwise convolution, a pixel at a time."""

    ops = frozenset({"DEPTHWISE_CONV_2D"})
    roundings = EITHER_ROUNDING

    def lower(self, context: Context) -> Lowered:
        scale, tables = _scaled(context, quantized_layer(context).weights.T)
        shape = scale | {"multiplier": context.output().shape[3] // context.input().shape[3]} | _window_fields(context)
        function = "depthwise_conv_s8_portable"
        return Lowered(function, (Call(function, (In(), *tables, Out()), shape),))

    def access_order(self, context: Context) -> AccessOrder:
        in_c, out_c = context.input(0).shape[3], context.output().shape[3]
        return windows(context, within=quads(out_c, 1 if in_c == out_c else in_c), own=True)

    def work(self, context: Context) -> Work:
        window = context.window.column_as_row()
        channels, pixels, inside = window.out_c, window.pixels, window.taps_inside()
        group = channels if channels == window.in_c else channels // window.in_c
        quads_of_pixel = group // 4 * (channels // group)
        taps = pixels * window.taps
        loops: dict[str, float] = {"row": window.batches * window.rows.out, "pixel": pixels}
        for name, runs in (("quad", quads_of_pixel), ("channel", channels - 4 * quads_of_pixel)):
            loops |= {name: runs * pixels, f"{name}_line": runs * pixels * window.rows.kernel}
            loops |= {f"{name}_tap": runs * inside, f"{name}_padding": runs * (taps - inside)}
        return Work(loops | scale_loops(context), (Reuse("weights", table_bytes(context), pixels),))


@dataclass(frozen=True)
class _Along:
    """An axis of a depthwise convolution, and how far its neighbours are in memory, in bytes.

    Attributes:
        step, out_step, tap_step: in the input, the output and the weights.
    """

    axis: WindowAxis
    step: int
    out_step: int
    tap_step: int


class DepthwiseConvS8Plane(Kernel):
    """Any int8 depthwise convolution, an input channel at a time."""

    ops = frozenset({"DEPTHWISE_CONV_2D"})
    roundings = EITHER_ROUNDING

    def lower(self, context: Context) -> Lowered:
        x, y, window = context.input(), context.output(), context.window
        rows, columns, in_c, out_c = window.rows, window.columns, window.in_c, window.out_c
        by_row = _Along(rows, columns.size * in_c, columns.out * out_c, columns.kernel * out_c)
        by_column = _Along(columns, in_c, out_c, out_c)
        lines, elements = (by_row, by_column) if columns.out >= rows.out else (by_column, by_row)
        v, u = lines.axis, elements.axis
        scale, tables = _scaled(context, quantized_layer(context).weights.T)
        shape = scale | {
            "batches": window.batches,
            "channels": in_c,
            "multiplier": out_c // in_c,
            "in_bytes": x.elements // x.shape[0],
            "out_bytes": y.elements // y.shape[0],
            "lines": max(v.needed(0, v.out)[1], 0),
            "line_step": lines.step,
            "elements": max(u.needed(0, u.out)[1], 0),
            "element_step": elements.step,
            "out_lines": v.out,
            "out_line_step": lines.out_step,
            "out_elements": u.out,
            "out_element_step": elements.out_step,
            "taps_v": v.kernel,
            "taps_u": u.kernel,
            "tap_step_v": lines.tap_step,
            "tap_step_u": elements.tap_step,
            "stride_v": v.stride,
            "stride_u": u.stride,
            "dilation_v": v.dilation,
            "dilation_u": u.dilation,
            "plane_bytes": v.length * u.length,
            "plane_line": u.length,
            "plane_first": v.pad_before * u.length + u.pad_before,
            "in_zero": x.q.zero_point,
        }
        function = "depthwise_conv_s8_plane"
        call = Call(function, (In(), *tables, Out(), Scratch()), shape)
        return Lowered(function, (call,), self._scratch(context))

    def _scratch(self, context: Context) -> int:
        window = context.window
        return window.rows.length * window.columns.length + window.taps

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
    roundings = EITHER_ROUNDING

    def lower(self, context: Context) -> Lowered:
        out_n, in_n = context.input(1).shape
        scale, tables = _scaled(context, quads_beside(quantized_layer(context).weights))
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
