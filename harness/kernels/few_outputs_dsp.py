"""FULLY_CONNECTED of few outputs and CONV_2D 1x1 of few channels, int8, on cores with the DSP extension."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from harness.ir.operators import names_of, names_with
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.operator import EITHER_ROUNDING
from harness.ir.operators.traits import Trait
from harness.ir.window import ConvAttrs
from harness.kernels.access_order import NEVER, AccessOrder
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.convolution_dsp import im2col_of
from harness.kernels.quantized_layer import quantized_layer
from harness.kernels.scale import records, scale_loops
from harness.kernels.scaling_dsp import DSP
from harness.kernels.work import Reuse, Work

MOST = constant("fully_connected_few_s8_dsp.h", "HIL_FEW_DSP_OUTPUTS")
_ROWS = 16
"""That are scaled together."""
_TAPS = 16
"""Of one output taken in one step, all but a row's last few."""


class FullyConnectedFewS8Dsp(Kernel):
    """Rows of few outputs: two outputs of two rows at a time."""

    ops = (names_of(ConvAttrs) | names_of(FullyConnectedAttrs)) - names_with(Trait.CHANNELS_APART)
    roundings = EITHER_ROUNDING
    features = DSP
    superseded_by = frozenset({"mve"})
    function = "fully_connected_few_s8_dsp"

    def applies(self, context: Context) -> bool:
        if not isinstance(context.node.attrs, FullyConnectedAttrs):
            window = im2col_of(context).window
            dense = context.input(1).shape[3] == window.in_c
            images_follow = window.batches == 1 or window.rows.size == window.rows.out * window.rows.stride
            if window.taps > 1 or window.reaches_padding or not dense or not images_follow:
                return False
        return context.input(1).shape[0] <= MOST

    def lower(self, context: Context) -> Lowered:
        rows, outputs, depth = _Rows.of(context), context.input(1).shape[0], context.input(1).shape[-1]
        fields, words = records(context)
        shape = fields | asdict(rows) | {"in_n": depth, "out_n": outputs}
        packed = _packed(quantized_layer(context).weights.astype(np.int8))
        tables = (ConstantTable("weights", "int32_t", packed), ConstantTable("records", "int32_t", words))
        return Lowered(self.function, (Call(self.function, (In(), *tables, Out()), shape),))

    def access_order(self, context: Context) -> AccessOrder:
        rows, outputs, depth = _Rows.of(context), context.input(1).shape[0], context.input(1).shape[-1]
        steps = np.arange(rows.count, dtype=np.int32)
        reads = np.full(context.input().elements, NEVER, np.int32)
        reads[rows.places[:, None] + np.arange(depth)] = steps[:, None]
        return AccessOrder({0: reads}, np.repeat(steps, outputs))

    def work(self, context: Context) -> Work:
        rows, outputs, depth = _Rows.of(context), context.input(1).shape[0], context.input(1).shape[-1]
        blocks, fours = rows.lines * -(-rows.columns // _ROWS), -(-depth // 4) - 1
        long = (depth - 1) // _TAPS
        tiles, alone = rows.lines * (rows.columns // 2), rows.lines * (rows.columns % 2)
        loops = {"block": blocks, "block_output": blocks * outputs, "output": rows.count * outputs}
        for name, count in (("tile", tiles), ("row", alone)):
            loops |= {
                f"{name}_pair": count * (outputs // 2),
                f"{name}_single": count * (outputs % 2),
                f"{name}_pair_four": count * (outputs // 2) * fours,
                f"{name}_single_step": count * (outputs % 2) * long,
                f"{name}_single_four": count * (outputs % 2) * (fours - _TAPS // 4 * long),
            }
        loops["byte"] = rows.count * (outputs // 2 + outputs % 2) * (depth if depth < 4 else 0)
        size = outputs * 8 * (fours + 1) + records(context)[1].nbytes
        return Work(loops | scale_loops(context), (Reuse("weights", size, tiles + alone),))


def _packed(weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int32]:
    """Of (outputs, taps), as firmware/kernels/fully_connected_few_s8_dsp.h says."""
    outputs, depth = weights.shape
    taps = np.pad(weights.astype(np.int16), ((0, 0), (0, -depth % 4)))
    if depth > 4:
        taps[:, -4:] = np.roll(taps[:, -4:], -depth % 4, axis=1)
    fours = taps.reshape(outputs, -1, 4)[:, :, [0, 2, 1, 3]]
    parts = [fours[first : min(first + 2, outputs)] for first in range(0, outputs, 2)]
    return np.concatenate([part.swapaxes(0, 1).reshape(-1) for part in parts]).view("<i4").astype(np.int32)


@dataclass(frozen=True)
class _Rows:
    """Where the inputs of rows lie: lines of as many rows each, steps in bytes."""

    lines: int
    columns: int
    line_step: int
    column_step: int

    @staticmethod
    def of(context: Context) -> _Rows:
        window = im2col_of(context).window
        depth, lines = window.in_c, window.batches * window.rows.out
        steps = (window.rows.stride * window.columns.size * depth, window.columns.stride * depth)
        if lines > 1 and steps[0] == window.columns.out * steps[1]:
            return _Rows(1, lines * window.columns.out, 0, steps[1])
        return _Rows(lines, window.columns.out, steps[0] if lines > 1 else 0, steps[1])

    @property
    def count(self) -> int:
        return self.lines * self.columns

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """Of the rows, in their order."""
        starts = np.arange(self.lines)[:, None] * self.line_step + np.arange(self.columns) * self.column_step
        return starts.reshape(-1).astype(np.int64)


KERNELS: tuple[Kernel, ...] = (FullyConnectedFewS8Dsp(),)
