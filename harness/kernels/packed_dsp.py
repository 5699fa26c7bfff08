"""CONV_2D and FULLY_CONNECTED of weights that take four bits, on cores with the DSP extension.

Weights stay packed in flash. Those in -8..7 are multiplied as they are, four channels a lane (gemm.py, `int4`). Those
of 16 values are looked up: in fully connected layers inside the inner kernel, in convolutions once per layer, some
channels at a time, into the words that the inner kernels of unpacked weights read.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from harness.hardware.target import Target
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.operator import TFLM_ALONE
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.convolution_dsp import (
    DUAL_ISSUE,
    STAGE,
    ConvDsp,
    FullyConnectedDsp,
    chunk_within,
    im2col_of,
    layer_matrix,
)
from harness.kernels.convolution_dsp_loops import CHANNELS, TAPS, Im2col, blocks
from harness.kernels.gemm import GROUP_WORDS, START_WORDS, Form, Matrix, block_words, column_order, pack
from harness.kernels.lut16 import Lut16, bytes_of, lut16
from harness.kernels.mve_kernel import MVE
from harness.kernels.requant import Int32s
from harness.kernels.scaling_dsp import DSP
from harness.kernels.work import Work
from harness.quantization.fixedpoint import Ints
from harness.quantization.shared_values import NIBBLES

PAIRS = constant("gemm_4x1_lut16_dsp.h", "HIL_LUT16_PAIRS")
"""Pairs of indices."""


class ConvS8Int4Dsp(ConvDsp):
    """Weights of four bits."""

    roundings = TFLM_ALONE
    superseded_by = MVE
    function = "conv_s8_int4_dsp"
    form = "int4"


class FullyConnectedS8Int4Dsp(FullyConnectedDsp):
    """Weights of four bits."""

    roundings = TFLM_ALONE
    superseded_by = MVE
    function = "fully_connected_s8_int4_dsp"
    form = "int4"


def _order(im2col: Im2col) -> Ints:
    return column_order(im2col.rows, im2col.run)


def _shared(made: Matrix, im2col: Im2col, *, per_channel: bool) -> Lut16 | None:
    """The layer's weights in a column's order; places without a tap are weights of zero, and need a value as well."""
    return _lut16(made, im2col.rows, im2col.run, per_channel)


@lru_cache(maxsize=256)
def _lut16(made: Matrix, rows: int, run: int, per_channel: bool) -> Lut16 | None:
    if not made.allows("plain"):
        return None
    order = column_order(rows, run)
    taps = np.where(order >= 0, made.weights[:, np.maximum(order, 0)], 0)
    found = lut16(taps, per_channel=per_channel)
    return None if found is None else found.filled(CHANNELS * blocks(len(taps)))


class ConvS8Lut16Dsp(ConvDsp):
    """Weights of 16 values in all or in each channel, unpacked to RAM some channels at a time."""

    roundings = TFLM_ALONE
    superseded_by = DUAL_ISSUE | MVE
    function = "conv_s8_lut16_dsp"
    stage = STAGE
    staged = True

    def applies(self, context: Context) -> bool:
        dense = isinstance(context.node.attrs, FullyConnectedAttrs)
        if not dense and context.input(0).shape[3] != context.input(1).shape[3]:
            return False  # groups
        found = _shared(layer_matrix(context), im2col_of(context), per_channel=True)
        if dense and im2col_of(context).window.pixels == 1 and found is not None and not found.table_step:
            return False  # one row uses a weight once: FullyConnectedS8Lut16Dsp looks it up then
        return found is not None

    def best_form(self, context: Context) -> Form:
        """The form of the unpacked weights."""
        made = layer_matrix(context)
        forms: tuple[Form, ...] = ("line", "carry", "plain")
        return next(form for form in forms if made.allows(form))

    def lower(self, context: Context) -> Lowered:
        im2col, made = im2col_of(context), layer_matrix(context)
        shared, form = _shared(made, im2col, per_channel=True), self.best_form(context)
        assert shared is not None
        words, chunk = block_words(form, im2col.groups), self._chunk_of(im2col, form)
        shape = {
            **{f"conv.{name}": value for name, value in self._shape(context, chunk, form).items()},
            "head": START_WORDS[form],
            "tail": words - START_WORDS[form] - GROUP_WORDS[form] * im2col.groups,
            "table_step": shared.table_step,
            "low_mask": 255 if form == "plain" else -1,
        }
        arguments = (
            In(),
            ConstantTable("weights", "int32_t", _packed(made, _order(im2col), form, shared)),
            ConstantTable("values", "int8_t", shared.tables.reshape(-1)),
            Out(),
            Scratch(ctype="int32_t"),
        )
        call = Call(self.function, arguments, shape)
        return Lowered(self.function, (call,), self._scratch_of(im2col, chunk, form, shared))

    def _chunk_of(self, im2col: Im2col, form: Form) -> int:
        """Output channels whose unpacked weights are in RAM together."""
        return chunk_within(im2col, form, self.stage) or min(CHANNELS, im2col.window.out_c)

    def _scratch_of(self, im2col: Im2col, chunk: int, form: Form, shared: Lut16) -> int:
        lanes = 2 * NIBBLES * NIBBLES * (2 if shared.table_step else 1)
        return self._scratch(im2col, chunk, form) + lanes

    def _chunk(self, im2col: Im2col, target: Target) -> int:
        return self._chunk_of(im2col, "plain")

    def work(self, context: Context) -> Work:
        im2col, form = im2col_of(context), self.best_form(context)
        shared = _shared(layer_matrix(context), im2col, per_channel=True)
        assert shared is not None
        chunk = self._chunk_of(im2col, form)
        work = self._work(context, chunk, form)
        plain = form == "plain"
        loops = {("plain_" + name if plain and name in _OF_A_FORM else name): n for name, n in work.loops.items()}
        loops |= {"line_block": loops.get("block", 0) if form == "line" else 0}
        count = blocks(im2col.window.out_c)
        loops |= {"copy": 0, "unpacked_block": count, "unpacked": 2 * count * im2col.groups}
        loops |= {"lanes": 1 + (2 * count if shared.table_step else 0)}
        return replace(work, loops=loops, reuse=(), scratch=self._scratch_of(im2col, chunk, form, shared))


_OF_A_FORM = ("block", "group", "single_block", "single_group", "single_rest")
"""Loops of inner kernels that take longer with weights of a byte each."""


class ConvS8Lut16SmallDsp(ConvS8Lut16Dsp):
    """The same in as little RAM as can be: four channels at a time."""

    stage = 0


class ConvS8Lut16DualIssue(ConvS8Lut16Dsp):
    """Weights of 16 values in all or in each channel, unpacked to RAM, on the Cortex-M7."""

    superseded_by = MVE
    features = DSP | DUAL_ISSUE
    function = "conv_s8_lut16_dual_issue"
    unrolled = 4


class ConvS8Lut16SmallDualIssue(ConvS8Lut16DualIssue):
    """The same in as little RAM as can be: four channels at a time."""

    stage = 0


class FullyConnectedS8Lut16Dsp(FullyConnectedDsp):
    """Weights of 16 values, looked up in pairs."""

    roundings = TFLM_ALONE
    superseded_by = MVE
    function = "fully_connected_s8_lut16_dsp"
    form = "plain"
    unrolled = 1

    def applies(self, context: Context) -> bool:
        return _shared(layer_matrix(context), im2col_of(context), per_channel=False) is not None

    def lower(self, context: Context) -> Lowered:
        lowered = super().lower(context)
        im2col, made = im2col_of(context), layer_matrix(context)
        shared = _shared(made, im2col, per_channel=False)
        assert shared is not None
        (call,) = lowered.calls
        weights = ConstantTable("weights", "int32_t", _paired(made, _order(im2col), shared))
        values = ConstantTable("values", "int8_t", shared.tables.reshape(-1))
        call = replace(call, arguments=(In(), weights, values, Out(), Scratch(ctype="int32_t")))
        return replace(lowered, calls=(call,), scratch=lowered.scratch + 4 * PAIRS)

    def work(self, context: Context) -> Work:
        work = super().work(context)
        im2col = im2col_of(context)
        saved = 8 * im2col.groups * blocks(im2col.window.out_c)
        packed = tuple(replace(one, size=one.size - saved) for one in work.reuse)
        return replace(work, reuse=packed, scratch=work.scratch + 4 * PAIRS)


def _packed(made: Matrix, order: Ints, form: Form, shared: Lut16) -> Int32s:
    """Blocks with two indices for each lane instead of the weights."""
    whole = pack(made, order, form).reshape(blocks(len(made.weights)), -1)
    # (block, pair, even or odd, group, half, first or second tap), as in gemm.py
    lanes = shared.indices.reshape(-1, 2, 2, len(order) // TAPS, 2, 2).swapaxes(4, 5)
    pairs = bytes_of(lanes[:, :, 0], lanes[:, :, 1])
    # (block, pair, group, half, tap) -> (block, group, half, pair, tap)
    indices = np.ascontiguousarray(pairs.transpose(0, 2, 3, 1, 4)).reshape(len(whole), -1).view("<i4")
    start = START_WORDS[form]
    end = start + GROUP_WORDS[form] * (len(order) // TAPS)
    return np.concatenate([whole[:, :start], indices, whole[:, end:]], axis=1).astype(np.int32).reshape(-1)


def _paired(made: Matrix, order: Ints, shared: Lut16) -> Int32s:
    """Blocks with a byte a channel for two taps instead of the weights."""
    whole = pack(made, order, "plain").reshape(blocks(len(made.weights)), -1)
    # (block, channel, group, half, first or second tap): taps 0, 2 and 1, 3 of a group go together
    taps = shared.indices.reshape(len(whole), CHANNELS, len(order) // TAPS, 2, 2).swapaxes(3, 4)
    pairs = bytes_of(taps[..., 0], taps[..., 1])
    indices = np.ascontiguousarray(pairs.transpose(0, 2, 3, 1)).reshape(len(whole), -1).view("<i4")
    ends = whole[:, whole.shape[1] - 5 :]
    return np.concatenate([whole[:, :CHANNELS], indices, ends], axis=1).astype(np.int32).reshape(-1)


KERNELS: tuple[Kernel, ...] = (
    ConvS8Int4Dsp(),
    FullyConnectedS8Int4Dsp(),
    ConvS8Lut16Dsp(),
    ConvS8Lut16SmallDsp(),
    ConvS8Lut16DualIssue(),
    ConvS8Lut16SmallDualIssue(),
    FullyConnectedS8Lut16Dsp(),
)
