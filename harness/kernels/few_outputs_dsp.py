"""FULLY_CONNECTED of few outputs and CONV_2D 1x1 of few channels, int8, on cores with the DSP extension."""

from __future__ import annotations

import numpy as np

from harness.ir.operators import names_of, names_with
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.operator import EITHER_ROUNDING
from harness.ir.operators.traits import Trait
from harness.ir.window import ConvAttrs
from harness.kernels.access_order import AccessOrder
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.convolution_dsp import im2col_of
from harness.kernels.quantized_layer import quantized_layer
from harness.kernels.scale import records, scale_loops
from harness.kernels.scaling_dsp import DSP
from harness.kernels.work import Reuse, Work

MOST = constant("fully_connected_few_s8_dsp.h", "HIL_FEW_DSP_OUTPUTS")
_TAPS = 16


class FullyConnectedFewS8Dsp(Kernel):
    """Rows of few outputs: two outputs of a row at a time, or one output of two rows."""

    ops = (names_of(ConvAttrs) | names_of(FullyConnectedAttrs)) - names_with(Trait.CHANNELS_APART)
    roundings = EITHER_ROUNDING
    features = DSP
    superseded_by = frozenset({"mve"})
    function = "fully_connected_few_s8_dsp"

    def applies(self, context: Context) -> bool:
        if not isinstance(context.node.attrs, FullyConnectedAttrs):
            window = im2col_of(context).window
            rows_follow = window.rows.out == window.rows.size == 1 and window.columns.out == window.columns.size
            dense = context.input(1).shape[3] == window.in_c
            if not rows_follow or window.taps > 1 or window.reaches_padding or not dense:
                return False
        return context.input(1).shape[0] <= MOST

    def sizes(self, context: Context) -> tuple[int, int, int]:
        """(rows, outputs, inputs of a row)."""
        outputs, depth = context.input(1).shape[0], context.input(1).shape[-1]
        return context.input().elements // depth, outputs, depth

    def lower(self, context: Context) -> Lowered:
        rows, outputs, depth = self.sizes(context)
        fields, words = records(context)
        weights = np.pad(quantized_layer(context).weights.astype(np.int8), ((0, 0), (0, -depth % 4)))
        shape = fields | {"batches": rows, "in_n": depth, "in_step": weights.shape[1], "out_n": outputs}
        packed = np.ascontiguousarray(weights).reshape(-1).view("<i4").astype(np.int32)
        tables = (ConstantTable("weights", "int32_t", packed), ConstantTable("records", "int32_t", words))
        return Lowered(self.function, (Call(self.function, (In(), *tables, Out()), shape),))

    def access_order(self, context: Context) -> AccessOrder:
        rows, outputs, depth = self.sizes(context)
        row = np.arange(rows, dtype=np.int32)
        return AccessOrder({0: np.repeat(row, depth)}, np.repeat(row, outputs))

    def work(self, context: Context) -> Work:
        rows, outputs, depth = self.sizes(context)
        # Rows that begin at words: all, every second one, or every fourth.
        at_words = -(-rows // (1 if depth % 4 == 0 else 2 if depth % 2 == 0 else 4)) if depth >= _TAPS else 0
        paired = rows // 2 if outputs == 1 and depth % 4 == 0 and depth >= _TAPS else 0
        pairs = paired + at_words * (outputs // 2)
        singles = at_words * (outputs % 2) - 2 * paired
        steps, rest = divmod(depth, _TAPS)
        slow = (rows - at_words) * outputs
        fast = at_words * outputs
        loops = {
            "row": rows - paired,
            "output": rows * outputs,
            "pair": pairs,
            "single": singles,
            "pair_step": pairs * steps,
            "step": singles * steps,
            "word": fast * (rest // 4) + slow * (depth // 4),
            "byte": rows * outputs * (depth % 4),
        }
        size = outputs * (depth + -depth % 4) + records(context)[1].nbytes
        return Work(loops | scale_loops(context), (Reuse("weights", size, rows - paired),))


KERNELS: tuple[Kernel, ...] = (FullyConnectedFewS8Dsp(),)
