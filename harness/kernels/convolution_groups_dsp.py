"""Convolutions in groups, and depthwise ones with multipliers, int8, on cores with the DSP extension."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import ClassVar

import numpy as np

from harness.ir.operators import has, names_of
from harness.ir.operators.operator import EITHER_ROUNDING
from harness.ir.operators.traits import Trait
from harness.ir.window import ConvAttrs
from harness.kernels.access_order import AccessOrder, windows
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.convolution_dsp import COLUMNS_END, DUAL_ISSUE
from harness.kernels.convolution_dsp_loops import CHANNELS, TAPS, blocks
from harness.kernels.gemm import Form, Matrix, block_words, column_order, gemm_fields, matrix, pack
from harness.kernels.quantized_layer import QuantizedLayer, quantized_layer
from harness.kernels.scaling_dsp import DSP
from harness.kernels.window_fields import window_fields
from harness.kernels.work import Reuse, Work

MANY = constant("conv_groups_dsp.h", "HIL_CONV_GROUPS_MANY")
"""Groups of one channel from which on a tap of all of them is copied at a time, and no row of each one's."""


@lru_cache(maxsize=256)
def _whole_blocks(layer: QuantizedLayer, groups: int) -> QuantizedLayer:
    """The layer with each group's last channel repeated up to whole blocks."""
    each = len(layer.weights) // groups
    group = np.minimum(np.arange(CHANNELS * blocks(each)), each - 1)
    at = (np.arange(groups)[:, None] * each + group).reshape(-1)
    rows = {name: getattr(layer, name)[at] for name in ("weights", "bias", "multipliers", "shifts")}
    return replace(layer, **rows, factors=layer.factors[at] if layer.factors.size else layer.factors)


class ConvGroupsDsp(Kernel):
    """Two pixels at a time; form and function as those of ConvDsp."""

    ops = names_of(ConvAttrs)
    features = DSP
    superseded_by = frozenset({"mve"})
    function: ClassVar[str]
    form: ClassVar[Form]

    def applies(self, context: Context) -> bool:
        groups, _, each = self.sizes(context)
        return groups > 1 and each > 1 and self._matrix(context).allows(self.form)

    def sizes(self, context: Context) -> tuple[int, int, int]:
        """(groups, input channels of one, output channels of one)."""
        in_c, out_c = context.input().shape[3], context.output().shape[3]
        depth = 1 if has(context.node, Trait.CHANNELS_APART) else context.input(1).shape[3]
        return in_c // depth, depth, out_c // (in_c // depth)

    def _matrix(self, context: Context) -> Matrix:
        return matrix(_whole_blocks(quantized_layer(context), self.sizes(context)[0]))

    def _bytes(self, context: Context) -> tuple[int, int, int]:
        """(taps of a window, bytes of columns with what ends them, bytes of a group's window)."""
        taps = context.window.taps * self.sizes(context)[1]
        columns = 2 * TAPS * -(-taps // TAPS) * min(context.window.columns.out, 2)
        return taps, columns + COLUMNS_END, -(-taps // TAPS) * TAPS

    def _scratch(self, context: Context) -> int:
        taps, columns, window = self._bytes(context)
        windows = min(context.window.columns.out, 2) * self.sizes(context)[0]
        return columns + (windows - 1) * window + taps

    def lower(self, context: Context) -> Lowered:
        (groups, depth, each), (taps, columns, window) = self.sizes(context), self._bytes(context)
        made, fours = self._matrix(context), -(-taps // TAPS)
        shape = window_fields(context.window) | {"in_zero": context.input().q.zero_point, "count": groups}
        shape |= {"depth": depth, "group_words": blocks(each) * block_words(self.form, fours)}
        shape |= {"column_bytes": columns, "window_bytes": window}
        shape |= gemm_fields(made, fours, self.form) | {"gemm.channels": each}
        weights = ConstantTable("weights", "int32_t", pack(made, column_order(1, taps), self.form))
        call = Call(self.function, (In(), weights, Out(), Scratch(ctype="int32_t")), shape)
        return Lowered(self.function, (call,), self._scratch(context))

    def access_order(self, context: Context) -> AccessOrder:
        return windows(context, pixels=2)

    def work(self, context: Context) -> Work:
        (groups, depth, each), (taps, _, _) = self.sizes(context), self._bytes(context)
        window, fours = context.window, -(-taps // TAPS)
        lines = window.batches * window.rows.out
        pairs, singles = lines * (window.columns.out // 2) * groups, lines * (window.columns.out % 2) * groups
        gathered, (words, rest) = window.pixels * window.taps, divmod(taps, TAPS)
        moved, rows = gathered * groups, window.pixels * window.rows.kernel
        by_rows = depth == 1 and groups < MANY
        loops = {
            "pixel": window.pixels,
            "row": rows,
            "row_group": rows * groups * by_rows,
            "row_byte": moved * by_rows,
            "tap": gathered * (not by_rows),
            "tap_byte": moved * (not by_rows) if depth == 1 else moved * (depth % 4),
            "tap_word": 0 if depth == 1 else moved * (depth // 4),
            "tap_group": 0 if depth == 1 else moved,
            "pair": pairs,
            "pair_word": pairs * words,
            "pair_tail": pairs * (rest > 0),
            "block": pairs * blocks(each),
            "group": pairs * blocks(each) * fours,
            "single": singles,
            "single_word": singles * words,
            "single_block": singles * blocks(each),
            "single_group": singles * blocks(each) * fours,
        }
        size = 4 * groups * blocks(each) * block_words(self.form, fours)
        return Work(loops, (Reuse("weights", size, (pairs + singles) / groups),), self._scratch(context))


class ConvGroupsS8LineDsp(ConvGroupsDsp):
    """A fused RELU."""

    roundings = EITHER_ROUNDING
    superseded_by = DUAL_ISSUE | {"mve"}
    function = "conv_groups_s8_line_dsp"
    form = "line"


class ConvGroupsS8CarryDsp(ConvGroupsDsp):
    """Weights that share lanes."""

    superseded_by = DUAL_ISSUE | {"mve"}
    function = "conv_groups_s8_carry_dsp"
    form = "carry"


class ConvGroupsS8PlainDsp(ConvGroupsDsp):
    """Any weights."""

    function = "conv_groups_s8_plain_dsp"
    form = "plain"


class ConvGroupsS8GeneralDsp(ConvGroupsDsp):
    """Any weights, multipliers and sums."""

    function = "conv_groups_s8_general_dsp"
    form = "general"


class ConvGroupsS8LineDualIssue(ConvGroupsDsp):
    """A fused RELU, on the Cortex-M7."""

    roundings = EITHER_ROUNDING
    features = DSP | DUAL_ISSUE
    function = "conv_groups_s8_line_dual_issue"
    form = "line"


class ConvGroupsS8CarryDualIssue(ConvGroupsDsp):
    """Weights that share lanes, on the Cortex-M7."""

    features = DSP | DUAL_ISSUE
    function = "conv_groups_s8_carry_dual_issue"
    form = "carry"


KERNELS: tuple[Kernel, ...] = (
    ConvGroupsS8LineDsp(),
    ConvGroupsS8CarryDsp(),
    ConvGroupsS8PlainDsp(),
    ConvGroupsS8GeneralDsp(),
    ConvGroupsS8LineDualIssue(),
    ConvGroupsS8CarryDualIssue(),
)
