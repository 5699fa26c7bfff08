"""CONV_2D, int8, on Armv8.1-M MVE: groups, dilated rows and few output channels, as dense parts."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from functools import partial
from math import gcd
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from harness.ir.operators.operator import EITHER_ROUNDING
from harness.ir.window import ONE, Window2D, WindowAxis, one_row
from harness.kernels.access_order import NEVER, AccessOrder, windows
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.kernels.context import Context
from harness.kernels.convolution_mve import canonical_window, gemm_loops, packed_bytes
from harness.kernels.mve import (
    EIGHT,
    FLOAT,
    GENERAL,
    LANES,
    Int8s,
    Int32s,
    MveRequant,
    layer_form,
    mve_requant,
    output_shape,
    pack_by_channel,
    pack_channel_pairs,
    pack_gemm,
    readable,
    split_depth,
)
from harness.kernels.mve_kernel import Loops, MveKernel
from harness.kernels.quantized_layer import quantized_layer
from harness.kernels.window_fields import window_fields

STRIP_BYTES = 2048
"""Output rows whose strip is larger are computed in several pieces."""
FARTHEST = 65535
"""Offsets of outputs are uint16."""


def groups_of(context: Context) -> int:
    """The node's groups."""
    return context.input().shape[3] // context.input(1).shape[3]


def _window(context: Context) -> Window2D:
    """The node's windows, turned to what makes them longest: an image one column wide is a row, and so are pixels."""
    window, groups = canonical_window(context), groups_of(context)
    columns = window.columns
    wide = columns.out == columns.dilation == 1 and columns.kernel == columns.size and not columns.reaches_padding
    if groups == 1 and wide:
        window = replace(window, in_c=columns.size * window.in_c, columns=ONE)
    window = window.column_as_row()
    if all(axis.kernel == axis.stride == 1 and axis.out == axis.size for axis in (window.rows, window.columns)):
        return window if window.reaches_padding else one_row(window.pixels, window.in_c, window.out_c)
    return window


def phases_of(columns: WindowAxis) -> int:
    """Parts of an output row: every so many columns the windows take the same columns of the input again."""
    return columns.dilation // gcd(columns.stride, columns.dilation)


def _part(window: Window2D, phase: int) -> WindowAxis:
    """The columns of a part as if the input had no others: strides and taps follow one another."""
    columns, phases = window.columns, phases_of(window.columns)
    count = (columns.out - phase + phases - 1) // phases
    first = phase * columns.stride - columns.pad_before
    place, before = first % columns.dilation, -(first // columns.dilation)
    size = max(-(-(columns.size - place) // columns.dilation), 0)
    return WindowAxis(size, count, columns.kernel, columns.stride * phases // columns.dilation, 1, before)


class _ConvParts(MveKernel):
    """What convolutions in parts share: strips of a group's channels of every `phases`-th column."""

    ops = frozenset({"CONV_2D"})
    roundings = EITHER_ROUNDING
    function: ClassVar[str]
    together: ClassVar[int]
    """Pixels that products take at once."""

    @abstractmethod
    def takes_depth(self, depth: int) -> bool:
        """Whether windows of this depth can be read where they lie."""

    @abstractmethod
    def split(self, depth: int) -> tuple[int, int]:
        """(steps of 16 activations, tail)."""

    @abstractmethod
    def pack(self, weights: Int8s, scale: MveRequant) -> Int32s:
        """A group's weights and requantization."""

    @abstractmethod
    def products(self, context: Context, calls: int, pixels: int, depth: int) -> Loops:
        """Loops of `calls` products of `pixels` windows of `depth`, with a group's channels."""

    def depth(self, context: Context) -> int:
        """Activations of a window and a group."""
        window = _window(context)
        return window.taps * window.in_c // groups_of(context)

    def tile(self, context: Context) -> int:
        """Output columns that go through one strip; 0 when windows are read where they lie."""
        window, groups = _window(context), groups_of(context)
        rows, columns = window.rows, window.columns
        beside = rows.kernel == 1 and (columns.kernel == 1 or (groups == 1 and columns.dilation == 1))
        if beside and not window.reaches_padding and self.takes_depth(self.depth(context)):
            return 0
        whole = _part(window, 0)
        fitting = max(STRIP_BYTES // (rows.kernel * window.in_c // groups) - whole.kernel, 0) // whole.stride + 1
        least = self.together
        return whole.out if fitting >= whole.out else min(max(fitting - fitting % least, least), whole.out)

    def _beyond(self, depth: int) -> int:
        """Bytes that steps read past the last window."""
        steps, tail = self.split(depth)
        return 0 if tail else LANES * steps - depth

    def scratch(self, context: Context) -> int:
        window, tile = _window(context), self.tile(context)
        if tile == 0:
            return 0
        part = _part(window, 0)
        columns = (tile - 1) * part.stride + part.kernel
        column = window.rows.kernel * window.in_c // groups_of(context)
        return columns * column + self._beyond(self.depth(context))

    def lower(self, context: Context) -> Lowered:
        window, groups, tile = _window(context), groups_of(context), self.tile(context)
        depth, part = self.depth(context), _part(window, 0)
        each, channels = window.in_c // groups, window.out_c // groups
        layer = quantized_layer(context)
        scale = mve_requant(layer)
        taps = layer.weights.astype(np.int8).reshape(-1, window.rows.kernel, window.columns.kernel, each)
        weights = taps.transpose(0, 2, 1, 3).reshape(-1, depth)
        packed = [self.pack(weights[at], _of(scale, at)) for at in map(partial(_group, channels), range(groups))]
        steps, tail = self.split(depth)
        step = window.rows.kernel * each * part.stride if tile else window.in_c * window.columns.stride
        shape = window_fields(window) | {"in_zero": context.input().q.zero_point, "tile_w": tile, "groups": groups}
        shape |= {"phases": phases_of(window.columns), "stride_p": part.stride, "packed_step": packed[0].size}
        shape |= {"beyond": self._beyond(depth) if tile else 0, "x_step": step, "steps": steps, "tail": tail}
        shape |= {"out_c": channels, **output_shape(layer, scale.form)}
        # Without a strip the output stands in for it: an address that is not used.
        strip = Scratch() if tile else Out()
        table = ConstantTable("packed", "int32_t", np.concatenate(packed))
        call = Call(self.function, (In(), table, Out(), strip), shape)
        return Lowered(self.function, (call,), self.scratch(context))

    def access_order(self, context: Context) -> AccessOrder:
        window, tile = _window(context), self.tile(context)
        if groups_of(context) == 1 and window == one_row(window.pixels, window.in_c, window.out_c):
            return _by_eights(window)
        batches, height, width, _ = context.output().shape
        if batches != window.batches:  # all pixels are one row
            reads = np.ones(context.input().elements, np.int32)
            return AccessOrder({0: reads}, np.zeros(context.output().elements, np.int32))
        if width != window.columns.out:  # rows of the image are not those of the kernel
            return _torn(windows(context, lines=height))
        if tile and groups_of(context) == phases_of(window.columns) == 1:
            return windows(context, pixels=tile)
        return _torn(windows(context, pixels=window.columns.out))

    def loops(self, context: Context) -> Loops:
        window, groups, tile = _window(context), groups_of(context), self.tile(context)
        lines, depth = window.batches * window.rows.out * groups, self.depth(context)
        found: dict[str, float] = {}
        for phase in range(min(phases_of(window.columns), window.columns.out)):
            part = _part(window, phase)
            for first in range(0, part.out, tile or part.out):
                end = min(first + (tile or part.out), part.out)
                more = {"part": float(lines), **self.products(context, lines, end - first, depth)}
                if tile:
                    more |= _woven(window, groups, part, (first, end))
                for name, count in more.items():
                    found[name] = found.get(name, 0) + count
        return found | {"line": window.batches * window.rows.out}

    def reads(self, context: Context) -> float:
        window = _window(context)
        return -(-window.columns.out // EIGHT) * window.rows.out * window.batches


def _group(channels: int, group: int) -> slice:
    return slice(group * channels, (group + 1) * channels)


def _of(scale: MveRequant, channels: slice | npt.NDArray[np.int64]) -> MveRequant:
    """The requantization of some channels."""
    return MveRequant(scale.form, scale.bias[channels], scale.multiplier[channels], scale.shift[channels])


def _torn(order: AccessOrder) -> AccessOrder:
    """The order where a step reads on after it has begun to write."""
    reads = order.reads[0]
    return AccessOrder({0: np.where(reads == NEVER, NEVER, 2 * reads + 1).astype(np.int32)}, 2 * order.writes)


def _by_eights(window: Window2D) -> AccessOrder:
    """Pixels of a row, eight at a time; the last eight may begin with some of those before, which are read again."""
    block = np.arange(window.pixels, dtype=np.int32) // EIGHT
    reads, writes = np.repeat(2 * block + 3, window.in_c), np.repeat(2 * block, window.out_c)
    return AccessOrder({0: reads.astype(np.int32)}, writes.astype(np.int32))


def _woven(window: Window2D, groups: int, part: WindowAxis, pixels: tuple[int, int]) -> dict[str, float]:
    """Loops that weave the strips of some pixels of a part, for all rows and groups."""
    depth, rows = window.in_c // groups, window.rows
    lines = window.batches * rows.out * groups
    (start, stop), (begin, past) = part.span(*pixels), part.needed(*pixels)
    inside = max(past - begin, 0)
    woven = lines * rows.kernel * inside
    together = groups == 1 and window.columns.dilation == 1 and depth <= EIGHT
    grouped = together and 15 // depth * rows.kernel * depth + depth <= 256
    found = {
        "strip": float(lines),
        "weave": float(lines * rows.kernel * (inside > 0)),
        "padding": lines * (stop - start - inside) * rows.kernel * depth / LANES,
        "group": woven / (LANES // depth) if grouped else 0.0,
    }
    for name, parts in (("column64", depth // 64), ("column32", depth // 32 % 2), ("column16", depth // 16 % 2)):
        found[name] = 0.0 if grouped else float(woven * parts)
    return found | {"column": 0.0 if grouped else float(woven * (depth % LANES > 0))}


class ConvPartsS8Mve(_ConvParts):
    """In groups, dilated along a row, or of fewer than four output channels: two pixels of four channels at a time."""

    function = "conv_parts_s8_mve"
    together = 2

    def applies(self, context: Context) -> bool:
        window, groups = _window(context), groups_of(context)
        channels = window.out_c // groups
        parted = groups > 1 or window.columns.dilation > 1
        return (parted or channels < 4) and phases_of(window.columns) * window.out_c + channels <= FARTHEST

    def takes_depth(self, depth: int) -> bool:
        return readable(depth)

    def split(self, depth: int) -> tuple[int, int]:
        return split_depth(depth)

    def pack(self, weights: Int8s, scale: MveRequant) -> Int32s:
        channels = np.minimum(np.arange(max(len(weights), 4)), len(weights) - 1)
        return pack_gemm(weights[channels], _of(scale, channels))

    def products(self, context: Context, calls: int, pixels: int, depth: int) -> Loops:
        return gemm_loops(context, calls, pixels, depth, layer_form(context), self._channels(context))

    def flash(self, context: Context) -> int:
        size = packed_bytes(self._channels(context), self.depth(context), layer_form(context))
        return groups_of(context) * size

    def _channels(self, context: Context) -> int:
        """Output channels of a group, four at least."""
        return max(context.output().shape[3] // groups_of(context), 4)


class ConvFewS8Mve(_ConvParts):
    """Convolutions of few output channels, or few a group: eight pixels of one channel at a time."""

    function = "conv_few_s8_mve"
    together = EIGHT
    most: ClassVar[int] = 7
    """Output channels of a group; from eight on, and from four of a single group, four at a time are faster."""

    def applies(self, context: Context) -> bool:
        window = _window(context)
        reach = (EIGHT - 1) * phases_of(window.columns) * window.out_c
        groups = groups_of(context)
        return window.out_c // groups <= (3 if groups == 1 else self.most) and reach <= FARTHEST

    def takes_depth(self, depth: int) -> bool:
        return True

    def split(self, depth: int) -> tuple[int, int]:
        return divmod(depth, LANES)

    def pack(self, weights: Int8s, scale: MveRequant) -> Int32s:
        return pack_by_channel(weights, scale)

    def products(self, context: Context, calls: int, pixels: int, depth: int) -> Loops:
        channels, form = context.output().shape[3] // groups_of(context), layer_form(context)
        (eights, rest), (steps, tail) = divmod(pixels, EIGHT), self.split(depth)
        if pixels < EIGHT:
            eights, fours = 0, rest if pixels < 4 else -(-rest // 4)
        else:
            eights, fours = eights + (rest > 4), int(0 < rest <= 4)
        blocks, rounds = calls * (eights + fours), calls * channels
        return {
            "call": calls,
            "block": blocks,
            "eight": rounds * eights,
            "four": rounds * fours,
            "step8": rounds * eights * steps,
            "step4": rounds * fours * steps,
            "tail8": rounds * eights * (tail > 0),
            "tail4": rounds * fours * (tail > 0),
            "general": blocks * channels * (form == GENERAL),
            "in_float": blocks * channels * (form == FLOAT),
        }

    def flash(self, context: Context) -> int:
        form, depth = layer_form(context), self.depth(context)
        head = {FLOAT: 8, GENERAL: 16}.get(form, 12)
        return _window(context).out_c * (head + -(-depth // LANES) * LANES)


class ConvPairsS8Mve(_ConvParts):
    """Convolutions of two output channels, or of two or six a group: four pixels of two channels at a time."""

    function = "conv_pairs_s8_mve"
    together = 4

    def applies(self, context: Context) -> bool:
        window = _window(context)
        reach = 3 * phases_of(window.columns) * window.out_c
        groups = groups_of(context)
        return window.out_c // groups in ((2,) if groups == 1 else (2, 6)) and reach < FARTHEST

    def takes_depth(self, depth: int) -> bool:
        return True

    def split(self, depth: int) -> tuple[int, int]:
        return divmod(depth, LANES)

    def pack(self, weights: Int8s, scale: MveRequant) -> Int32s:
        return pack_channel_pairs(weights, scale)

    def products(self, context: Context, calls: int, pixels: int, depth: int) -> Loops:
        channels, form = context.output().shape[3] // groups_of(context), layer_form(context)
        steps, tail = self.split(depth)
        blocks = calls * -(-pixels // self.together)
        rounds = blocks * channels // 2
        return {
            "call": calls,
            "block": blocks,
            "pair": rounds,
            "step": rounds * steps,
            "tail": rounds * (tail > 0),
            "general": rounds * (form == GENERAL),
            "in_float": rounds * (form == FLOAT),
        }

    def flash(self, context: Context) -> int:
        form, depth = layer_form(context), self.depth(context)
        head = 8 + LANES * {FLOAT: 1, GENERAL: 3}.get(form, 2)
        return _window(context).out_c // 2 * (head + 2 * -(-depth // LANES) * LANES)


KERNELS: tuple[Kernel, ...] = (ConvPartsS8Mve(), ConvFewS8Mve(), ConvPairsS8Mve())
