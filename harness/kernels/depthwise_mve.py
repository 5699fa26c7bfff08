"""DEPTHWISE_CONV_2D, int8, on Armv8.1-M MVE."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from harness.ir.operators.operator import EITHER_ROUNDING
from harness.ir.window import Window2D, WindowAxis
from harness.kernels.access_order import NEVER, AccessOrder, Steps, windows
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.convolution_mve import canonical_window
from harness.kernels.cost_coefficients import loop_cycles
from harness.kernels.mve import (
    EIGHT,
    FLOAT,
    LANES,
    blocks,
    layer_form,
    mve_requant,
    output_shape,
    pack_records,
    pack_scale,
    pack_taps,
)
from harness.kernels.mve_kernel import Loops, MveKernel
from harness.kernels.quantized_layer import quantized_layer
from harness.kernels.window_fields import window_fields

Ints = npt.NDArray[np.int64]

_AXES = ("inner", "outer")
LARGEST = constant("depthwise_tiles_s8_mve.h", "HIL_DEPTHWISE_TILES_GROUPS")
"""Taps along a dimension."""
_INDICES = 250
"""Taps in all, whose numbers are bytes."""
COLUMN = 64
"""Bytes of a word of 16 channels."""
FARTHEST = 65535
"""Offsets of outputs are uint16."""


@dataclass(frozen=True)
class Plane:
    """A depthwise convolution by the axis along which a strip runs, inner, and the other, outer.

    Attributes:
        by_rows: whether the inner axis is a row of the image.
        channels: of a pixel.
    """

    inner: WindowAxis
    outer: WindowAxis
    by_rows: bool
    channels: int

    @property
    def out_steps(self) -> tuple[int, int]:
        """Bytes from an output to the next one, along the inner and the outer axis."""
        return self._steps(self.inner.out, self.outer.out)

    def shape(self, *fields: str) -> dict[str, int]:
        """Fields such as in_inner_step, by the names that the C shapes give them."""
        named: dict[str, int] = {}
        steps = zip(self._steps(self.inner.size, self.outer.size), self.out_steps, strict=True)
        for name, axis, (step, out_step) in zip(_AXES, (self.inner, self.outer), steps, strict=True):
            named |= {f"in_{name}": axis.size, f"out_{name}": axis.out, f"in_{name}_step": step}
            named |= {f"out_{name}_step": out_step, f"kernel_{name}": axis.kernel, f"stride_{name}": axis.stride}
            named |= {f"dilation_{name}": axis.dilation, f"pad_{name}": axis.pad_before}
        return {field: named[field] for field in fields}

    def _steps(self, inner: int, outer: int) -> tuple[int, int]:
        """Bytes between neighbours along the inner and the outer axis of an image of these sizes."""
        return (self.channels, inner * self.channels) if self.by_rows else (outer * self.channels, self.channels)


SIZES = tuple(f"{which}_{axis}{kind}" for kind in ("", "_step") for which in ("in", "out") for axis in _AXES)


def planes(window: Window2D) -> list[Plane]:
    """By rows and by columns."""
    rows, columns, channels = window.rows, window.columns, window.in_c
    return [Plane(columns, rows, True, channels), Plane(rows, columns, False, channels)]


class _Depthwise(MveKernel):
    """What the kernels that weave strips share."""

    ops = frozenset({"DEPTHWISE_CONV_2D"})
    function: str

    def applies(self, context: Context) -> bool:
        return context.output().shape[3] == context.input().shape[3] and bool(self.possible(canonical_window(context)))

    def possible(self, window: Window2D) -> list[Plane]:
        """The ways in which it can be computed: a round's outputs lie within uint16 of each other."""
        fitting = (p for p in planes(window) if 8 * p.out_steps[0] + p.out_steps[1] <= 65535)
        return [plane for plane in fitting if self.fits(window, plane)]

    def best(self, window: Window2D, core: str) -> Plane:
        """The cheapest of them on a core."""

        def cycles(plane: Plane) -> float:
            return loop_cycles(type(self).__name__, core, self.plane_loops(window, plane))

        return min(self.possible(window), key=cycles)

    @abstractmethod
    def fits(self, window: Window2D, plane: Plane) -> bool:
        """Whether the window is one that it computes."""

    @abstractmethod
    def plane_loops(self, window: Window2D, plane: Plane) -> dict[str, float]:
        """Loops, whatever the form."""

    @abstractmethod
    def strip(self, window: Window2D, plane: Plane) -> int:
        """Bytes of scratch."""

    @abstractmethod
    def fields(self, plane: Plane) -> dict[str, int]:
        """Fields of the C shape beyond batches, channels, sizes and output."""

    def lower(self, context: Context) -> Lowered:
        window = canonical_window(context)
        plane = self.best(window, context.target.core)
        layer = quantized_layer(context)
        taps = layer.weights.astype(np.int8).reshape(-1, window.rows.kernel, window.columns.kernel)
        records = (taps.swapaxes(1, 2) if plane.by_rows else taps).reshape(window.in_c, -1)
        scale = mve_requant(layer)
        shape = {"batches": window.batches, "channels": window.in_c, **plane.shape(*SIZES), **self.fields(plane)}
        shape |= {"in_zero": context.input().q.zero_point, **output_shape(layer, scale.form)}
        shape["general"] = int(not scale.by_factors)
        del shape["form"]
        tables = (
            ConstantTable("scale", "int32_t", pack_scale(scale)),
            ConstantTable("taps", "int8_t", pack_records(records, scale)),
        )
        call = Call(self.function, (In(), *tables, Out(), Scratch()), shape)
        return Lowered(self.function, (call,), self.strip(window, plane))

    @abstractmethod
    def reading(self, plane: Plane) -> tuple[Ints, Ints]:
        """For each input line the strip that reads it last, or NEVER; for each output line the strip it is made of."""

    by_line: ClassVar[bool] = False
    """Whether a strip's channels come before the next strip; else all strips of 16 channels come before the others."""

    def access_order(self, context: Context) -> AccessOrder:
        window = canonical_window(context)
        plane = self.best(window, context.target.core)
        last, made = self.reading(plane)
        strips, blocks = int(made.max()) + 1, -(-window.in_c // LANES)
        image = np.arange(window.batches)[:, None, None, None] * strips * blocks
        block = np.arange(window.in_c) // LANES

        def steps(strip: Ints) -> Ints:
            """[batch, line, 1, channel]"""
            line = strip[:, None, None]
            found: Ints = image + (line * blocks + block if self.by_line else line + block * strips)
            return found

        def ordered(by_lines: Ints, width: int) -> Steps:
            whole = np.broadcast_to(by_lines, (window.batches, by_lines.shape[1], width, window.in_c))
            image_order = whole if plane.by_rows else whole.transpose(0, 2, 1, 3)
            return np.ascontiguousarray(image_order, np.int32).reshape(-1)

        reads = np.where(last[:, None, None] == NEVER, NEVER, steps(last))
        written = ordered(steps(made), plane.inner.out)
        return AccessOrder({0: ordered(reads, plane.inner.size)}, written, window.in_c)

    def loops(self, context: Context) -> Loops:
        window = canonical_window(context)
        found = self.plane_loops(window, self.best(window, context.target.core))
        general = not mve_requant(quantized_layer(context)).by_factors
        return found | {"general": (found["octet"] + found["rest"]) * general}

    def scratch(self, context: Context) -> int:
        window = canonical_window(context)
        return self.strip(window, self.best(window, context.target.core))

    def flash(self, context: Context) -> int:
        window = canonical_window(context)
        return window.in_c * (window.taps + 14)


def _outputs(channels: float, outputs: int, single: bool, stepped: bool) -> dict[str, float]:
    """Loops over `outputs` of each of `channels` channels, eight at a time.

    single: a gather gives one output, not four. stepped: gathers are neither 64 nor 128 bytes apart.
    """
    octet, rest = channels * (outputs // 8), channels * (outputs % 8 > 0)
    return {
        "channel": channels,
        "octet": octet,
        "rest": rest,
        "single": (octet + rest) * single,
        "any": (octet + rest) * stepped * (4 if single else 1) + channels * stepped,
    }


def _vectors(window: Window2D, columns: int) -> float:
    """Vectors to weave `columns` columns of all channels: those of fewer than 16 channels are one run of bytes."""
    return -(-columns * window.in_c // LANES) if window.in_c < LANES else columns * -(-window.in_c // LANES)


class DepthwiseConv3x3S8Mve(_Depthwise):
    """3x3 with stride 1: two lines of outputs at a time."""

    function = "depthwise_conv_3x3_s8_mve"

    def fits(self, window: Window2D, plane: Plane) -> bool:
        axes = (plane.inner, plane.outer)
        plain = all((a.kernel, a.stride, a.dilation) == (3, 1, 1) and a.pad_before <= 2 for a in axes)
        return plain and (plane.by_rows or window.in_c >= LANES)  # fewer channels are woven as one run

    def plane_loops(self, window: Window2D, plane: Plane) -> dict[str, float]:
        strips, by_row = -(-plane.outer.out // 2), self.by_row(plane)
        vectors = _vectors(window, min(plane.inner.size, plane.inner.out + 2 - plane.inner.pad_before))
        each, stepped = window.batches * window.in_c, window.in_c < LANES
        square = _outputs(each * (strips - by_row), 2 * plane.inner.out, False, stepped)
        row = _outputs(each * by_row, plane.inner.out, False, stepped)
        return {
            "strip": window.batches * -(-window.in_c // LANES) * strips,
            "column": window.batches * strips * vectors,
            **{name: count + row[name] for name, count in square.items()},
            "row": row["octet"] + row["rest"],
        }

    @staticmethod
    def by_row(plane: Plane) -> bool:
        """Whether the last line is computed alone, eight outputs at a time."""
        return plane.outer.out % 2 == 1 and plane.inner.out > 4

    def strip(self, window: Window2D, plane: Plane) -> int:
        least = 8 if self.by_row(plane) else 4
        return (least * -(-plane.inner.out // least) + 2) * 4 * min(window.in_c, LANES) + 64 * (window.in_c < LANES)

    def fields(self, plane: Plane) -> dict[str, int]:
        return plane.shape("pad_inner", "pad_outer")

    def reading(self, plane: Plane) -> tuple[Ints, Ints]:
        outer = plane.outer
        made = np.arange(outer.out) // 2
        # The first strip reads four lines, each other one the two that it does not take from the one before.
        last = np.maximum((np.arange(outer.size) + outer.pad_before - 2) // 2, 0)
        return np.where(last > made[-1], NEVER, last), made


class DepthwiseConv3x3SmallStripS8Mve(DepthwiseConv3x3S8Mve):
    """The same by the shorter of rows and columns, which takes less scratch."""

    def applies(self, context: Context) -> bool:
        window, core = canonical_window(context), context.target.core
        if not super().applies(context):
            return False
        fastest = DepthwiseConv3x3S8Mve().best(window, core)
        return self.strip(window, self.best(window, core)) < self.strip(window, fastest)

    def best(self, window: Window2D, core: str) -> Plane:
        return min(self.possible(window), key=lambda plane: self.strip(window, plane))


class DepthwiseConv4x4S8Mve(_Depthwise):
    """Windows up to 4x4 with any strides, not dilated along the inner dimension: one line of outputs at a time."""

    function = "depthwise_conv_4x4_s8_mve"

    def fits(self, window: Window2D, plane: Plane) -> bool:
        inner, outer = plane.inner, plane.outer
        small = inner.kernel <= 4 and outer.kernel <= 4 and inner.dilation == 1
        return small and inner.pad_before < inner.kernel and (plane.by_rows or window.in_c >= LANES)

    def plane_loops(self, window: Window2D, plane: Plane) -> dict[str, float]:
        inner, lines = plane.inner, window.batches * plane.outer.out
        columns = min(inner.size, (inner.out - 1) * inner.stride + inner.kernel - inner.pad_before)
        stepped = inner.stride * min(window.in_c, LANES) != 2 * LANES
        return {
            "strip": lines * -(-window.in_c // LANES),
            "column": lines * _vectors(window, columns),
            **_outputs(lines * window.in_c, inner.out, True, stepped),
        }

    def strip(self, window: Window2D, plane: Plane) -> int:
        columns = (8 * -(-plane.inner.out // 8) - 1) * plane.inner.stride + 4
        return columns * 4 * min(window.in_c, LANES) + 64 * (window.in_c < LANES)

    def fields(self, plane: Plane) -> dict[str, int]:
        windows = ("kernel_inner", "kernel_outer", "stride_inner", "stride_outer", "dilation_outer")
        return plane.shape(*windows, "pad_inner", "pad_outer")

    def reading(self, plane: Plane) -> tuple[Ints, Ints]:
        return _one_line_a_strip(plane.outer)


class DepthwiseConvLineS8Mve(_Depthwise):
    """Up to 13 taps in a line, stride 1 along it."""

    function = "depthwise_conv_line_s8_mve"

    def fits(self, window: Window2D, plane: Plane) -> bool:
        inner, outer = plane.inner, plane.outer
        line = inner.kernel <= 13 and inner.stride == inner.dilation == 1
        return line and outer.kernel == 1 and not outer.reaches_padding

    def plane_loops(self, window: Window2D, plane: Plane) -> dict[str, float]:
        inner, strips = plane.inner, window.batches * plane.outer.out * -(-window.in_c // LANES)
        words = (inner.out + inner.kernel + 2) // 4
        # Words that lie in the image are woven at once, each of the others by itself.
        before = -(-inner.pad_before // 4)
        whole = max(min((inner.size - 4 * before + inner.pad_before) // 4, words - before), 0)
        return {
            "strip": strips,
            "weave": strips * (words - whole + (whole > 0)),
            "column": strips * words,
            **_outputs(window.batches * plane.outer.out * window.in_c, inner.out, False, False),
        }

    def strip(self, window: Window2D, plane: Plane) -> int:
        return 64 * (2 * -(-plane.inner.out // 8) + 3)

    def fields(self, plane: Plane) -> dict[str, int]:
        return {"kernel": plane.inner.kernel, **plane.shape("stride_outer", "pad_inner")}

    by_line = True

    def reading(self, plane: Plane) -> tuple[Ints, Ints]:
        return _one_line_a_strip(plane.outer)


class DepthwiseConvTilesS8Mve(_Depthwise):
    """Windows up to 13 by 13, stride 1 and not dilated along the inner dimension: one line of outputs at a time."""

    function = "depthwise_conv_tiles_s8_mve"

    def fits(self, window: Window2D, plane: Plane) -> bool:
        inner, outer = plane.inner, plane.outer
        small = inner.kernel <= LARGEST and 1 < outer.kernel <= LARGEST and window.taps <= _INDICES
        near = plane.out_steps[0] * EIGHT <= FARTHEST
        return small and inner.stride == inner.dilation == 1 and near and inner.pad_before < inner.kernel

    def plane_loops(self, window: Window2D, plane: Plane) -> dict[str, float]:
        inner, outer = plane.inner, plane.outer
        together, words = _rows_of_a_group(plane)
        lines = window.batches * -(-window.in_c // LANES) * outer.out
        woven = window.batches * -(-window.in_c // LANES) * outer.taps_inside()
        before, groups = -(-inner.pad_before // 4), -(-outer.kernel // together)
        whole = max(min((inner.size - 4 * before + inner.pad_before) // 4, words - before), 0)
        octets = window.batches * window.in_c * outer.out * -(-inner.out // EIGHT)
        channels = window.batches * window.in_c * outer.out
        return {
            "strip": lines,
            "row": woven,
            "weave": woven * (words - whole + (whole > 0)),
            "column": woven * words,
            "padding": (lines * outer.kernel - woven) * words,
            "channel": channels,
            "pattern": channels * groups,
            "octet": octets,
            "group": octets * groups,
            "rest": 0,
        }

    def strip(self, window: Window2D, plane: Plane) -> int:
        together, words = _rows_of_a_group(plane)
        return COLUMN * words * together * -(-plane.outer.kernel // together)

    def fields(self, plane: Plane) -> dict[str, int]:
        windows = ("kernel_inner", "kernel_outer", "stride_outer", "dilation_outer")
        return plane.shape(*windows, "pad_inner", "pad_outer")

    def reading(self, plane: Plane) -> tuple[Ints, Ints]:
        return _one_line_a_strip(plane.outer)


def _rows_of_a_group(plane: Plane) -> tuple[int, int]:
    """(rows that a gather takes, words of a row)."""
    together = 2 if plane.inner.kernel <= 5 else 1
    return together, 2 * -(-plane.inner.out // EIGHT) + (1 if together == 2 else 3)


class DepthwiseConvS8Mve(MveKernel):
    """Any depthwise convolution, pixel by pixel."""

    ops = frozenset({"DEPTHWISE_CONV_2D"})
    roundings = EITHER_ROUNDING

    def lower(self, context: Context) -> Lowered:
        window, channels = canonical_window(context), context.output().shape[3]
        spread = channels != window.in_c or channels < EIGHT
        layer = quantized_layer(context)
        taps, scale = layer.weights.astype(np.int8), mve_requant(layer)
        starts = list(range(0, channels, EIGHT)) if spread else blocks(channels, EIGHT)
        shape = window_fields(window) | {"out_c": channels, "in_zero": context.input().q.zero_point}
        shape |= {**output_shape(layer, scale.form), "last": starts[-1], "spread": int(spread)}
        shape["floats"] = int(shape.pop("form") == FLOAT)
        multiplier = channels // window.in_c if spread else 0
        table = ConstantTable("packed", "int32_t", pack_taps(taps, scale, starts, multiplier))
        call = Call("depthwise_conv_s8_mve", (In(), table, Out(), Scratch(ctype="void")), shape)
        return Lowered("depthwise_conv_s8_mve", (call,), self.scratch(context))

    def scratch(self, context: Context) -> int:
        window = canonical_window(context)
        return 4 * window.taps + window.in_c

    def access_order(self, context: Context) -> AccessOrder:
        # Blocks of a pixel may read channels of one another.
        return windows(context, within=[channel // EIGHT for channel in range(context.output().shape[3])])

    def loops(self, context: Context) -> Loops:
        window, channels = canonical_window(context), context.output().shape[3]
        pixels, taps = window.pixels, window.taps
        rounds = pixels * -(-channels // EIGHT)
        spread = channels != window.in_c or channels < EIGHT
        return {
            "row": window.batches * window.rows.out,
            "pixel": pixels,
            "line": pixels * window.rows.kernel,
            "listed": pixels * taps,
            "block": rounds,
            "tap": rounds * taps * (not spread),
            "spread_block": rounds * spread,
            "spread_tap": rounds * taps * spread,
            "in_float": rounds * (layer_form(context) == FLOAT),
        }

    def flash(self, context: Context) -> int:
        window, channels = canonical_window(context), context.output().shape[3]
        spread = channels != window.in_c or channels < EIGHT
        return -(-channels // EIGHT) * EIGHT * (window.taps + (8 if layer_form(context) == FLOAT else 10) + 2 * spread)


def _one_line_a_strip(outer: WindowAxis) -> tuple[Ints, Ints]:
    """As _Depthwise.reading, one output line a strip."""
    last = outer.last_windows()
    return np.where(last < 0, NEVER, last), np.arange(outer.out)


KERNELS: tuple[Kernel, ...] = (
    DepthwiseConv3x3S8Mve(),
    DepthwiseConv3x3SmallStripS8Mve(),
    DepthwiseConv4x4S8Mve(),
    DepthwiseConvLineS8Mve(),
    DepthwiseConvTilesS8Mve(),
    DepthwiseConvS8Mve(),
)
