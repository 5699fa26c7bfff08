"""Layers of int16 activations and int8 weights (16x8) with the DSP extension and on Armv8.1-M MVE.

They sum in 32 bits, and rescale by one instruction: for layers of which no sum leaves 32 bits, whatever the input, and
of which no factor is a half or more. Others are left to the portable kernels, which sum in 64 bits.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.operator import INT16_WEIGHTS
from harness.ir.operators.transpose_conv import TransposeConvAttrs
from harness.ir.operators.weights import has_narrow_sums
from harness.ir.weights import channel_bias, channel_weights
from harness.ir.window import ConvAttrs, Window2D
from harness.kernels.base import Argument, Call, ConstantTable, In, Kernel, Lowered, Out, Scratch, packed
from harness.kernels.context import Context
from harness.kernels.mve_kernel import MVE
from harness.kernels.recurrent_dsp import quads_of_pairs, words
from harness.kernels.window_fields import window_fields
from harness.kernels.work import Reuse, Work
from harness.quantization.fixedpoint import Ints, upper_bits
from harness.quantization.params import channel_params

_DSP = frozenset({"dsp"})
X, Y = In(ctype="int16_t"), Out(ctype="int16_t")
_LOWEST_SHIFT, _HIGHEST_SHIFT = -17, -1
"""Of a multiplier, with which its upper bits, shifted up by 16 and less, fit 31 bits."""


def rows_of(context: Context) -> Ints:
    """Weights [channels, taps]."""
    return channel_weights(context.graph, context.node)


def _has_short_sums(context: Context, rows: Ints) -> bool:
    """Whether sums and biases fit 32 bits, and scale_s16.h has the factors."""
    if has_narrow_sums([context.input(0), context.input(1), context.optional(2)]):
        return False
    multipliers, shifts = channel_params(context.input(), context.input(1), context.output(), len(rows))
    bound = (np.abs(rows).sum(axis=1) << 15) + np.abs(channel_bias(context.graph, context.node))
    held = (multipliers == 0) | ((shifts >= _LOWEST_SHIFT) & (shifts <= _HIGHEST_SHIFT))
    return bool((bound < 1 << 31).all() and held.all())


def _records(context: Context, rows: Ints, group: int, parts: int = 1) -> Ints:
    """[channels / group, 2, group]: biases and factors of scale_s16.h, each part's filled up with zeros."""
    multipliers, shifts = channel_params(context.input(), context.input(1), context.output(), len(rows))
    factors = [upper_bits(int(m)) << (17 + int(s)) if m else 0 for m, s in zip(multipliers, shifts, strict=True)]
    both = np.stack([channel_bias(context.graph, context.node), np.array(factors, np.int64)])
    padded = np.pad(both.reshape(2, parts, -1), ((0, 0), (0, 0), (0, -(len(rows) // parts) % group)))
    return padded.reshape(2, -1, group).transpose(1, 0, 2)


def filled(rows: Ints, channels: int, taps: int = 1) -> Ints:
    """Rows with zeros up to multiples of `channels` and `taps`."""
    return np.pad(rows, ((0, -len(rows) % channels), (0, -rows.shape[1] % taps)))


class _Wide(Kernel):
    """What these kernels share: when they apply, and how a call is made."""

    types = INT16_WEIGHTS
    group = 4

    def applies(self, context: Context) -> bool:
        return _has_short_sums(context, rows_of(context))

    def groups(self, context: Context) -> int:
        """Of channels, each of which reads channels of the input that are its own."""
        return 1

    def call(self, context: Context, weights: ConstantTable, shape: dict[str, int], *more: Argument) -> Call:
        """The call of the function that has the class's name in C."""
        attrs = context.node.attrs
        assert isinstance(attrs, ConvAttrs | FullyConnectedAttrs | TransposeConvAttrs)
        made = _records(context, rows_of(context), self.group, self.groups(context))
        records = ConstantTable("records", "int32_t", packed(made, "int32"))
        clamp = {"clamp_min": attrs.clamp[0], "clamp_max": attrs.clamp[1]}
        return Call(self.function, (X, weights, records, *more, Y), shape | clamp)

    function: str


class _Convolution(_Wide):
    ops = frozenset({"CONV_2D"})

    def groups(self, context: Context) -> int:
        return context.input().shape[3] // context.input(1).shape[3]


class ConvS16Dsp(_Convolution):
    """CONV_2D: columns of four pixels, two output channels at a time."""

    features = _DSP
    superseded_by = MVE
    function = "conv_s16_dsp"
    group = 2

    def applies(self, context: Context) -> bool:
        return self.groups(context) == 1 and super().applies(context)

    def lower(self, context: Context) -> Lowered:
        weights, taps = self.pairs(context)
        shape = window_fields(context.window) | {"channels": context.output().shape[3], "taps": taps}
        call = self.call(context, weights, shape, Scratch("int16_t"))
        return Lowered(self.function, (call,), self.scratch(context))

    def pairs(self, context: Context) -> tuple[ConstantTable, int]:
        """(weights as gemm_2x4_s16_dsp.h wants them, taps of a column)."""
        rows = filled(rows_of(context), 2, 4)
        pairs = rows.reshape(-1, 2, rows.shape[1] // 2, 2).transpose(0, 2, 3, 1)
        return words("weights", pairs), rows.shape[1]

    def scratch(self, context: Context) -> int:
        """Bytes of four columns."""
        return 8 * _taps(context)

    def work(self, context: Context) -> Work:
        window, channels, taps = context.window, context.output().shape[3], _taps(context)
        blocks = window.batches * -(-window.pixels // window.batches // 4)
        pairs = blocks * -(-channels // 2)
        reuse = Reuse("weights", -(-channels // 2) * (2 * taps + 16), blocks, self.scratch(context))
        loops: dict[str, float] = {"pixel": window.pixels, "pair": pairs, "tap": pairs * taps}
        # Columns are filled by words where there is an even number of channels.
        single = window.in_c % 2 == 1
        lines = window.pixels * window.rows.kernel
        loops |= {"line": lines, "single": window.pixels * taps * single, "word": window.pixels * taps * (not single)}
        return Work(loops, (reuse,), self.scratch(context))


def _taps(context: Context) -> int:
    """Taps of a column, filled up to a multiple of four."""
    taps: int = rows_of(context).shape[1]
    return -(-taps // 4) * 4


class ConvS16Mve(_Convolution):
    """CONV_2D: two pixels, four output channels of a group and eight taps at a time."""

    features = MVE
    function = "conv_s16_mve"
    at_once = 2
    """Pixels of a row."""

    def window(self, context: Context) -> Window2D:
        """An image one column wide is a row."""
        return context.window.column_as_row()

    def lower(self, context: Context) -> Lowered:
        scratch, groups = self.scratch(context), self.groups(context)
        column = Scratch("int16_t") if scratch else X
        shape = window_fields(self.window(context)) | {"groups": groups}
        call = self.call(context, eights(rows_of(context), groups), shape, column)
        return Lowered(self.function, (_with_row(call, context, groups),), scratch)

    def scratch(self, context: Context) -> int:
        """Bytes of columns, of which a kernel of one tap needs none."""
        window, (_, taps) = self.window(context), rows_of(context).shape
        alone = window.taps == 1 and window.taps_inside() == window.pixels
        return 0 if alone else 2 * taps * min(self.at_once, window.columns.out)

    def is_outside(self, context: Context) -> bool:
        """Whether a kernel of one tap lies in the padding now and then, which is none that networks have."""
        window = self.window(context)
        return window.taps == 1 and window.taps_inside() != window.pixels

    def applies(self, context: Context) -> bool:
        return not self.is_outside(context) and super().applies(context)

    def work(self, context: Context) -> Work:
        window, rows, groups = self.window(context), rows_of(context), self.groups(context)
        pixels, fours, eights = window.pixels * groups, -(-(len(rows) // groups) // 4), -(-rows.shape[1] // 8)
        rows_out = pixels // window.columns.out
        pairs, single = (rows_out * part for part in divmod(window.columns.out, self.at_once))
        loops: dict[str, float] = {"pixel": pixels, "row": rows_out, "call": pairs + single}
        loops |= {"quad": single * fours, "eight": single * fours * eights}
        loops |= {"pair_quad": pairs * fours, "pair_eight": pairs * fours * eights}
        scratch = self.scratch(context)
        if scratch:
            together = groups == 1 and window.columns.dilation == 1
            runs = window.pixels * window.rows.kernel if together else pixels * window.taps
            length = rows.shape[1] // (window.rows.kernel if together else window.taps)
            loops |= {"line": pixels * window.rows.kernel, "run": runs, "copied": runs * -(-length // 8)}
        return Work(loops, (Reuse("weights", rows.size, window.pixels),), scratch)


def eights(rows: Ints, groups: int = 1) -> ConstantTable:
    """Weights as row_s16_mve.h wants them, of one group after the other."""
    parts = np.split(rows, groups) if rows.size else []
    found = [np.zeros(0, np.int64), *map(_eights, parts)]
    return ConstantTable("weights", "int8_t", packed(np.concatenate(found), "int8"))


def _eights(rows: Ints) -> Ints:
    whole = filled(rows, 4, 8)
    packs: Ints = whole.reshape(-1, 4, whole.shape[1] // 8, 8).transpose(0, 2, 1, 3).reshape(-1)
    return packs


def _with_row(call: Call, context: Context, groups: int = 1) -> Call:
    """A call with the sizes of a group's row and the clamp in a struct of their own."""
    channels, taps = rows_of(context).shape
    own = {"row.taps": taps, "row.channels": channels // groups}
    own |= {f"row.{name}": call.shape[name] for name in ("clamp_min", "clamp_max")}
    shape = {name: value for name, value in call.shape.items() if f"row.{name}" not in own}
    return Call(call.function, call.arguments, shape | own)


class _FullyConnected(_Wide):
    ops = frozenset({"FULLY_CONNECTED"})

    def sizes(self, context: Context) -> dict[str, int]:
        """Of the C shape."""
        outputs, depth = context.input(1).shape
        return {"rows": context.input().elements // depth, "depth": depth, "outputs": outputs}

    def work(self, context: Context) -> Work:
        sizes = self.sizes(context)
        quads = sizes["rows"] * -(-sizes["outputs"] // 4)
        loops = {"row": sizes["rows"], "quad": quads, "tap": quads * sizes["depth"]}
        return Work(loops, (Reuse("weights", sizes["outputs"] * sizes["depth"], sizes["rows"]),))


class FullyConnectedS16Dsp(_FullyConnected):
    """FULLY_CONNECTED: four outputs at a time."""

    features = _DSP
    superseded_by = MVE
    function = "fully_connected_s16_dsp"

    def lower(self, context: Context) -> Lowered:
        rows, sizes = filled(rows_of(context), 4), self.sizes(context)
        weights = words("weights", quads_of_pairs(rows, range(4)))
        return Lowered(self.function, (self.call(context, weights, sizes | {"stride": 4 * sizes["depth"]}),))


class FullyConnectedS16Mve(_FullyConnected):
    """FULLY_CONNECTED: two rows, four outputs and eight taps at a time."""

    features = MVE
    at_once = 2
    function = "fully_connected_s16_mve"

    def lower(self, context: Context) -> Lowered:
        call = self.call(context, eights(rows_of(context)), {"rows": self.sizes(context)["rows"]})
        return Lowered(self.function, (_with_row(call, context),))

    def work(self, context: Context) -> Work:
        sizes = self.sizes(context)
        outputs, depth = -(-sizes["outputs"] // 4), -(-sizes["depth"] // 8)
        pairs, single = divmod(sizes["rows"], self.at_once)
        loops = {"row": pairs + single, "quad": single * outputs, "eight": single * outputs * depth}
        loops |= {"pair_quad": pairs * outputs, "pair_eight": pairs * outputs * depth}
        return Work(loops, (Reuse("weights", sizes["outputs"] * sizes["depth"], pairs + single),))


class _WideDepthwise(_Wide):
    ops = frozenset({"DEPTHWISE_CONV_2D"})
    at_once: int

    def work(self, context: Context) -> Work:
        window = context.window
        rows = window.taps_inside() / window.columns.kernel
        groups = -(-context.output().shape[3] // self.at_once)
        weights = Reuse("weights", rows_of(context).size, window.pixels)
        loops = {"pixel": window.pixels, "group": window.pixels * groups, "line": rows * groups}
        return Work(loops | {"tap": window.taps_inside() * groups}, (weights,))


class DepthwiseConvS16Dsp(_WideDepthwise):
    """DEPTHWISE_CONV_2D with one filter a channel, four channels at a time."""

    features = _DSP
    superseded_by = MVE
    function = "depthwise_conv_s16_dsp"
    at_once = 4

    def applies(self, context: Context) -> bool:
        channels = context.input().shape[3]
        return channels == context.output().shape[3] and channels % 4 == 0 and super().applies(context)

    def lower(self, context: Context) -> Lowered:
        groups = rows_of(context).reshape(-1, 4, rows_of(context).shape[1]).transpose(0, 2, 1)[..., [0, 2, 1, 3]]
        call = self.call(context, words("weights", groups), window_fields(context.window))
        return Lowered(self.function, (call,))


class DepthwiseConvS16Mve(_WideDepthwise):
    """DEPTHWISE_CONV_2D, eight channels at a time."""

    features = MVE
    function = "depthwise_conv_s16_mve"
    at_once = group = 8

    def filters(self, context: Context) -> int:
        """Of a channel."""
        return context.output().shape[3] // context.input().shape[3]

    def applies(self, context: Context) -> bool:
        return context.output().shape[3] * self.filters(context) <= 1 << 16 and super().applies(context)

    def work(self, context: Context) -> Work:
        work, spread = super().work(context), self.filters(context) > 1
        more = {f"spread_{name}": work.loops[name] * spread for name in ("group", "tap")}
        return replace(work, loops={**work.loops, **more})

    def lower(self, context: Context) -> Lowered:
        table, filters = ConstantTable("weights", "int8_t", packed(rows_of(context).T, "int8")), self.filters(context)
        shape = window_fields(context.window) | {"out_c": context.output().shape[3]}
        shape["reciprocal"] = -(-(1 << 16) // filters) if filters > 1 else 0
        call = self.call(context, table, shape)
        x, weights, records, y = call.arguments
        assert isinstance(records, ConstantTable)
        # Products of even lanes and of odd ones lie in vectors of their own.
        apart = records.data.reshape(-1, 2, 4, 2).transpose(0, 1, 3, 2)
        records = ConstantTable(records.name, records.ctype, packed(apart, "int32"))
        return Lowered(self.function, (Call(self.function, (x, weights, records, y), call.shape),))


class TransposeConvS16Mve(_Wide):
    """TRANSPOSE_CONV: a pixel, four output channels and eight of the taps that meet an input at a time."""

    ops = frozenset({"TRANSPOSE_CONV"})
    features = MVE
    function = "transpose_conv_s16_mve"

    def phases(self, context: Context) -> list[tuple[int, int]]:
        """(first row, first column) of the taps that outputs have, which are a stride apart."""
        attrs = context.node.attrs
        assert isinstance(attrs, TransposeConvAttrs)
        return [(y, x) for y in range(attrs.stride[0]) for x in range(attrs.stride[1])]

    def parts(self, context: Context) -> list[Ints]:
        """Weights [channels, taps] of each phase, from its last row and column to the first."""
        attrs, (channels, *kernel, depth) = context.node.attrs, context.input(1).shape
        assert isinstance(attrs, TransposeConvAttrs)
        taps = rows_of(context).reshape(channels, *kernel, depth)
        found = (taps[:, y :: attrs.stride[0], x :: attrs.stride[1]] for y, x in self.phases(context))
        return [part[:, ::-1, ::-1].reshape(channels, -1) for part in found]

    def lower(self, context: Context) -> Lowered:
        attrs, (_, *kernel, _) = context.node.attrs, context.input(1).shape
        assert isinstance(attrs, TransposeConvAttrs)
        tables = [eights(part).data for part in self.parts(context)]
        offsets = np.cumsum([0, *(len(table) for table in tables)])[:-1]
        weights = ConstantTable("weights", "int8_t", packed(np.concatenate(tables), "int8"))
        shape = dict(zip(("batches", "in_h", "in_w", "in_c"), context.input().shape, strict=True))
        shape |= dict(zip(("out_h", "out_w"), context.output().shape[1:3], strict=True))
        for name, pair in (("kernel", kernel), ("stride", attrs.stride), ("dilation", (1, 1))):
            shape |= {f"{name}_h": pair[0], f"{name}_w": pair[1]}
        shape |= {"pad_top": attrs.before[0], "pad_left": attrs.before[1], "groups": 1}
        call = self.call(context, weights, shape, Scratch("int16_t"))
        table = ConstantTable("offsets", "int32_t", packed(offsets, "int32"))
        call = replace(call, arguments=(*call.arguments[:2], table, *call.arguments[2:]))
        return Lowered(self.function, (_with_row(call, context),), self.scratch(context))

    def scratch(self, context: Context) -> int:
        """Bytes of a column."""
        taps: list[int] = [part.shape[1] for part in self.parts(context)]
        return 2 * max(taps)

    def work(self, context: Context) -> Work:
        attrs, (batches, height, width, channels) = context.node.attrs, context.output().shape
        assert isinstance(attrs, TransposeConvAttrs)
        pixels = batches * height * width
        share, quads = pixels / len(self.phases(context)), -(-channels // 4)
        shapes = [part.shape[1] for part in self.parts(context)]
        lines = context.input(1).shape[1] * attrs.stride[1] * share
        loops = {"pixel": pixels, "quad": pixels * quads, "line": lines}
        loops |= {"eight": share * quads * sum(-(-taps // 8) for taps in shapes), "copied": share * sum(shapes) / 8}
        return Work(loops, (Reuse("weights", context.input(1).elements, pixels),), self.scratch(context))


KERNELS: tuple[Kernel, ...] = (
    ConvS16Dsp(),
    ConvS16Mve(),
    FullyConnectedS16Dsp(),
    FullyConnectedS16Mve(),
    DepthwiseConvS16Dsp(),
    DepthwiseConvS16Mve(),
    TransposeConvS16Mve(),
)
