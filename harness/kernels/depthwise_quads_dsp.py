"""DEPTHWISE_CONV_2D of any kernel, int8, on cores with the DSP extension: four channels of a pixel at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.ir.operators.operator import EITHER_ROUNDING
from harness.ir.window import ConvAttrs
from harness.kernels.access_order import AccessOrder, windows
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out
from harness.kernels.context import Context
from harness.kernels.quantized_layer import quantized_layer
from harness.kernels.scaling_dsp import DSP, SaturatingRequant, clamp_loops, clamped, depthwise_requant
from harness.kernels.window_fields import window_fields
from harness.kernels.work import Reuse, Work
from harness.quantization.fixedpoint import Ints

QUAD = 4


class DepthwiseConvS8Dsp(Kernel):
    """Multiplier 1, at least four channels; see depthwise_conv_s8_dsp.c."""

    ops = frozenset({"DEPTHWISE_CONV_2D"})
    roundings = EITHER_ROUNDING
    features = DSP
    function = "depthwise_conv_s8_dsp"

    def applies(self, context: Context) -> bool:
        x, y = context.input(0), context.output()
        return x.shape[3] == y.shape[3] >= QUAD and _requant(context) is not None

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, ConvAttrs)
        scale = _requant(context)
        assert scale is not None
        minus_zero = -context.input().q.zero_point
        # A column is as good as a row, and the taps of a row are the inner loop.
        shape = window_fields(context.window.column_as_row())
        shape |= {"minus_zero": (minus_zero & 0xFFFF) | (minus_zero << 16)}
        table = ConstantTable("packed", "int32_t", pack_quads(quantized_layer(context).weights, scale))
        call = Call(self.function, (In(), table, Out()), shape)
        return Lowered(self.function, clamped(context, (call,), attrs.clamp))

    def access_order(self, context: Context) -> AccessOrder:
        channels = context.output().shape[3]
        return windows(context, within=[c // QUAD for c in range(channels)], own=channels % QUAD == 0)

    def work(self, context: Context) -> Work:
        attrs, scale = context.node.attrs, _requant(context)
        assert isinstance(attrs, ConvAttrs) and scale is not None
        window = context.window.column_as_row()
        pixels, taps = window.pixels, window.taps_inside()
        lines = window.batches * window.rows.taps_inside() * window.columns.out
        quads, linear = len(scale.linear[::QUAD]), int(scale.linear[::QUAD].sum())
        loops = {
            "row": window.batches * context.output().shape[1],
            "pixel": pixels,
            "quad": pixels * linear,
            "rounded_quad": pixels * (quads - linear),
            "line": lines * quads,
            "tap": taps * quads,
            **clamp_loops(context, attrs.clamp),
        }
        packed = 4 * quads * window.taps + 32 * linear + 64 * (quads - linear)
        return Work(loops, (Reuse("weights", packed, pixels),))


def _requant(context: Context) -> SaturatingRequant | None:
    return depthwise_requant(context, folded=False, together=QUAD)


def pack_quads(weights: Ints, scale: SaturatingRequant) -> npt.NDArray[np.int32]:
    """Per four channels (the last may overlap the ones before) a word a tap, then the constants of each kind."""
    words: list[npt.NDArray[np.int32]] = []
    for first in range(0, len(weights), QUAD):
        group = slice(min(first, len(weights) - QUAD), min(first, len(weights) - QUAD) + QUAD)
        taps = np.ascontiguousarray(weights[group].T.astype(np.int8))
        words += [taps.view("<i4").reshape(-1), _constants(scale, group)]
    return np.concatenate(words)


def _constants(scale: SaturatingRequant, quad: slice) -> npt.NDArray[np.int32]:
    """The constants of four channels, as depthwise_quads_dsp.h has them."""
    start, multiplier = scale.start[quad], scale.multiplier[quad]
    if scale.linear[quad].all():
        return np.concatenate([start, multiplier]).astype(np.int32)
    doublings = (scale.left[quad] + 1) | scale.shift[quad] << 8
    rest = np.stack([scale.addend[quad], doublings], axis=1).reshape(-1)
    return np.concatenate([start, ~multiplier[:1], multiplier[1:], rest]).astype(np.int32)


KERNELS: tuple[Kernel, ...] = (DepthwiseConvS8Dsp(),)
