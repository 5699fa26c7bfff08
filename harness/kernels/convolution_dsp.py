"""CONV_2D and FULLY_CONNECTED on cores with the DSP extension: im2col and packed inner kernels (gemm.py)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from harness.hardware.target import Target
from harness.ir.operators import names_of, names_with
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.operator import EITHER_ROUNDING, ONNX_ALONE
from harness.ir.operators.traits import Trait
from harness.ir.window import ConvAttrs, one_row
from harness.kernels.access_order import AccessOrder, pixel_pairs, rows
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.convolution_dsp_loops import (
    CHANNELS,
    TAPS,
    Im2col,
    blocks,
    convolution,
    fully_connected,
)
from harness.kernels.gemm import Form, Matrix, block_words, column_order, gemm_fields, matrix, pack
from harness.kernels.quantized_layer import quantized_layer
from harness.kernels.scaling_dsp import DSP
from harness.kernels.window_fields import window_fields
from harness.kernels.work import Reuse, Work

DUAL_ISSUE = frozenset({"dual-issue"})

STAGE = 10240
"""Bytes of RAM for staged weights."""

CACHE = 4096
"""Bytes of a cache before slow memory that spare copying weights: they are used from there, some channels at a time."""

COLUMNS_END = 4 * constant("columns_end.h", "HIL_COLUMNS_END_WORDS")
"""Bytes after the columns of two pixels: a mark that ends loops, and what loads that run ahead touch."""

COLUMN_END = 4 * constant("columns_end.h", "HIL_COLUMN_END_WORDS")
"""Bytes after a row's column, which loads that run ahead touch."""

_SIZES = (
    *("batches", "in_h", "in_w", "in_c", "out_h", "out_w", "out_c", "kernel_h", "kernel_w", "stride_h", "stride_w"),
    *("dilation_h", "dilation_w", "pad_top", "pad_left"),
)


def layer_matrix(context: Context) -> Matrix:
    """The layer's weights, one row of taps a channel."""
    return matrix(quantized_layer(context))


def allows(context: Context, form: Form) -> bool:
    """Whether a form is exact for the layer."""
    return layer_matrix(context).allows(form)


def chunk_within(im2col: Im2col, form: Form, limit: int) -> int:
    """Most output channels, all or a multiple of four, whose packed weights take `limit` bytes; 0 when none do.

    The layer's channels are spread evenly over as few chunks.
    """
    fitting, out_c = limit // (4 * block_words(form, im2col.groups)), im2col.window.out_c
    if fitting == 0:
        return 0
    chunks = -(-blocks(out_c) // fitting)
    return out_c if chunks == 1 else CHANNELS * -(-blocks(out_c) // chunks)


def im2col_of(context: Context) -> Im2col:
    """The layer's windows; those of one pixel make one long row: pairs of pixels need not end with the image's rows."""
    if isinstance(context.node.attrs, FullyConnectedAttrs):
        out_n, in_n = context.input(1).shape
        return Im2col(one_row(context.input(0).elements // in_n, in_n, out_n))
    window = context.window
    alone = window.taps == window.rows.stride == window.columns.stride == 1 and not window.reaches_padding
    return Im2col(one_row(window.pixels, window.in_c, window.out_c) if alone else window)


def _column_bytes(im2col: Im2col) -> int:
    return 2 * TAPS * im2col.groups * min(im2col.window.pixels, 2) + COLUMNS_END


class ConvDsp(Kernel):
    """Convolution of one group, two pixels at a time.

    Attributes:
        function: in C.
        form: of the packed weights (gemm.py).
        unrolled: groups of taps that the inner kernel of one pixel takes at once.
        stage: bytes of RAM in which weights are copied before they are used, as many channels at a time as fit; 0: they
            are used where they are.
        chunked: whether only as many channels are computed at a time as the cache before slow memory holds weights of.
    """

    ops = (names_of(ConvAttrs) | names_of(FullyConnectedAttrs)) - names_with(Trait.CHANNELS_APART)
    features = DSP
    function: ClassVar[str]
    form: ClassVar[Form]
    unrolled: ClassVar[int] = 8
    stage: ClassVar[int] = 0
    chunked: ClassVar[bool] = False

    @property
    def staged(self) -> bool:
        """Whether weights are in RAM when they are used."""
        return self.stage > 0

    def im2col(self, context: Context) -> Im2col:
        """How windows become columns."""
        return im2col_of(context)

    def applies(self, context: Context) -> bool:
        if isinstance(context.node.attrs, FullyConnectedAttrs):
            if self.im2col(context).window.pixels == 1:
                return False  # one row has no pairs
        elif context.input(0).shape[3] != context.input(1).shape[3]:
            return False  # groups
        return allows(context, self.form) and self._chunk(self.im2col(context), context.target) > 0

    def lower(self, context: Context) -> Lowered:
        im2col, layer = self.im2col(context), layer_matrix(context)
        chunk = self._chunk(im2col, context.target)
        weights = ConstantTable("weights", "int32_t", pack(layer, column_order(im2col.rows, im2col.run), self.form))
        arguments = (In(), weights, Out(), Scratch(ctype="int32_t"))
        call = Call(self.function, arguments, self._shape(context, chunk, self.form))
        return Lowered(self.function, (call,), self._scratch(im2col, chunk, self.form))

    def _shape(self, context: Context, chunk: int, form: Form) -> dict[str, int]:
        im2col, layer = self.im2col(context), layer_matrix(context)
        words = block_words(form, im2col.groups)
        return {
            **window_fields(im2col.window, *_SIZES),
            "inner_first": im2col.inner.start,
            "inner_end": im2col.inner.stop,
            "in_zero": context.input(0).q.zero_point,
            "chunk": chunk,
            "block_words": words,
            "stage_words": words * blocks(chunk) if self.staged else 0,
            "column_bytes": _column_bytes(im2col),
            **gemm_fields(layer, im2col.groups, form),
        }

    def _chunk(self, im2col: Im2col, target: Target) -> int:
        """Output channels computed for all pixels before the next ones; 0 where the kernel makes no sense."""
        cache = 0 if target.weights is None else target.weights.size
        if self.stage:
            slow = target.weight_stall > 0 and cache < CACHE
            return chunk_within(im2col, self.form, self.stage) if slow else 0
        if self.chunked:
            # The cache has to hold columns and outputs as well.
            chunk = chunk_within(im2col, self.form, cache * 5 // 8) if cache >= CACHE else 0
            return chunk if chunk < im2col.window.out_c else 0
        return im2col.window.out_c

    def _scratch(self, im2col: Im2col, chunk: int, form: Form) -> int:
        staged = 4 * block_words(form, im2col.groups) * blocks(chunk) if self.staged else 0
        return _column_bytes(im2col) + staged + im2col.gathered_slots * im2col.taps

    def access_order(self, context: Context) -> AccessOrder:
        im2col = self.im2col(context)
        chunk = self._chunk(im2col, context.target)
        return pixel_pairs(context, im2col.window.in_c, np.arange(im2col.window.out_c) // chunk)

    def work(self, context: Context) -> Work:
        return self._work(context, self._chunk(self.im2col(context), context.target), self.form)

    def _work(self, context: Context, chunk: int, form: Form) -> Work:
        im2col = self.im2col(context)
        window, words = im2col.window, block_words(form, im2col.groups)
        starts = range(0, window.out_c, chunk)
        sizes = [4 * words * blocks(min(chunk, window.out_c - first)) for first in starts]
        loops = convolution(im2col, chunk, sum(sizes) // 4 if self.staged else 0, self.unrolled)
        beside = _column_bytes(im2col) + window.out_c
        times = 1 if self.staged else -(-window.pixels // 2)
        reuse = tuple(Reuse("weights", size, times, beside) for size in sizes)
        return Work(loops, reuse, self._scratch(im2col, chunk, form))


class FullyConnectedDsp(Kernel):
    """Fully connected layer, one row at a time; attributes as those of ConvDsp."""

    ops = frozenset({"FULLY_CONNECTED"})
    features = DSP
    function: ClassVar[str]
    form: ClassVar[Form]
    unrolled: ClassVar[int] = 8

    def applies(self, context: Context) -> bool:
        return allows(context, self.form)

    def lower(self, context: Context) -> Lowered:
        layer = layer_matrix(context)
        out_n, in_n = context.input(1).shape
        order = column_order(1, in_n)
        shape = {
            "batches": context.input(0).elements // in_n,
            "in_n": in_n,
            **gemm_fields(layer, len(order) // TAPS, self.form),
        }
        weights = ConstantTable("weights", "int32_t", pack(layer, order, self.form))
        arguments = (In(), weights, Out(), Scratch(ctype="int32_t"))
        return Lowered(self.function, (Call(self.function, arguments, shape),), 2 * len(order) + COLUMN_END)

    def access_order(self, context: Context) -> AccessOrder:
        out_n, in_n = context.input(1).shape
        return rows(context, in_n, out_n)

    def work(self, context: Context) -> Work:
        im2col = im2col_of(context)
        size = 4 * blocks(im2col.window.out_c) * block_words(self.form, im2col.groups)
        scratch = 2 * TAPS * im2col.groups + COLUMN_END
        reuse = Reuse("weights", size, im2col.window.pixels, scratch)
        return Work(fully_connected(im2col, self.unrolled), (reuse,), scratch)


class ConvS8LineDsp(ConvDsp):
    """A fused RELU."""

    roundings = EITHER_ROUNDING
    superseded_by = DUAL_ISSUE
    function = "conv_s8_line_dsp"
    form = "line"


class ConvS8CarryDsp(ConvDsp):
    """Weights that share lanes."""

    superseded_by = DUAL_ISSUE
    function = "conv_s8_carry_dsp"
    form = "carry"


class ConvS8PlainDsp(ConvDsp):
    """Any weights."""

    function = "conv_s8_plain_dsp"
    form = "plain"
    unrolled = 1


class ConvS8GeneralDsp(ConvDsp):
    """Any weights, multipliers and sums."""

    superseded_by = frozenset({"mve"})
    function = "conv_s8_general_dsp"
    form = "general"
    unrolled = 1


class ConvS8FloatDsp(ConvDsp):
    """ONNX Runtime's rounding."""

    roundings = ONNX_ALONE
    function = "conv_s8_float_dsp"
    form = "float"
    unrolled = 1


class ConvS8LineDualIssue(ConvDsp):
    """A fused RELU, on the Cortex-M7."""

    roundings = EITHER_ROUNDING
    features = DSP | DUAL_ISSUE
    function = "conv_s8_line_dual_issue"
    form = "line"
    unrolled = 4


class ConvS8CarryDualIssue(ConvDsp):
    """Weights that share lanes, on the Cortex-M7."""

    features = DSP | DUAL_ISSUE
    function = "conv_s8_carry_dual_issue"
    form = "carry"
    unrolled = 4


class ConvS8LineStaged(ConvS8LineDsp):
    """A fused RELU; weights are copied to RAM first."""

    stage = STAGE


class ConvS8CarryStaged(ConvS8CarryDsp):
    """Weights that share lanes, copied to RAM first."""

    stage = STAGE


class ConvS8PlainStaged(ConvS8PlainDsp):
    """Any weights, copied to RAM first."""

    stage = STAGE


class ConvS8GeneralStaged(ConvS8GeneralDsp):
    """Any weights, multipliers and sums; weights are copied to RAM first."""

    stage = STAGE


class ConvS8FloatStaged(ConvS8FloatDsp):
    """ONNX Runtime's rounding; weights are copied to RAM first."""

    stage = STAGE


class ConvS8LineChunked(ConvS8LineDualIssue):
    """A fused RELU, on the Cortex-M7, weights beyond its cache."""

    chunked = True


class ConvS8CarryChunked(ConvS8CarryDualIssue):
    """Weights that share lanes, on the Cortex-M7, beyond its cache."""

    chunked = True


class FullyConnectedS8LineDsp(FullyConnectedDsp):
    """A fused RELU."""

    roundings = EITHER_ROUNDING
    superseded_by = DUAL_ISSUE
    function = "fully_connected_s8_line_dsp"
    form = "line"


class FullyConnectedS8CarryDsp(FullyConnectedDsp):
    """Weights that share lanes."""

    superseded_by = DUAL_ISSUE
    function = "fully_connected_s8_carry_dsp"
    form = "carry"


class FullyConnectedS8PlainDsp(FullyConnectedDsp):
    """Any weights."""

    function = "fully_connected_s8_plain_dsp"
    form = "plain"
    unrolled = 1


class FullyConnectedS8GeneralDsp(FullyConnectedDsp):
    """Any weights, multipliers and sums."""

    superseded_by = frozenset({"mve"})
    function = "fully_connected_s8_general_dsp"
    form = "general"
    unrolled = 1


class FullyConnectedS8FloatDsp(FullyConnectedDsp):
    """ONNX Runtime's rounding."""

    roundings = ONNX_ALONE
    function = "fully_connected_s8_float_dsp"
    form = "float"
    unrolled = 1


class FullyConnectedS8LineDualIssue(FullyConnectedDsp):
    """A fused RELU, on the Cortex-M7."""

    roundings = EITHER_ROUNDING
    features = DSP | DUAL_ISSUE
    function = "fully_connected_s8_line_dual_issue"
    form = "line"
    unrolled = 4


class FullyConnectedS8CarryDualIssue(FullyConnectedDsp):
    """Weights that share lanes, on the Cortex-M7."""

    features = DSP | DUAL_ISSUE
    function = "fully_connected_s8_carry_dual_issue"
    form = "carry"
    unrolled = 4


KERNELS: tuple[Kernel, ...] = (
    ConvS8LineDsp(),
    ConvS8CarryDsp(),
    ConvS8PlainDsp(),
    ConvS8GeneralDsp(),
    ConvS8FloatDsp(),
    ConvS8LineDualIssue(),
    ConvS8CarryDualIssue(),
    ConvS8LineStaged(),
    ConvS8CarryStaged(),
    ConvS8PlainStaged(),
    ConvS8GeneralStaged(),
    ConvS8FloatStaged(),
    ConvS8LineChunked(),
    ConvS8CarryChunked(),
    FullyConnectedS8LineDsp(),
    FullyConnectedS8CarryDsp(),
    FullyConnectedS8PlainDsp(),
    FullyConnectedS8GeneralDsp(),
    FullyConnectedS8FloatDsp(),
    FullyConnectedS8LineDualIssue(),
    FullyConnectedS8CarryDualIssue(),
)
