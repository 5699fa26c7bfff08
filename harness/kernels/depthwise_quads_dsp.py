"""DEPTHWISE_CONV_2D of any kernel, int8, on cores with the DSP extension: four channels of a pixel at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.ir.graph import ConvAttrs
from harness.kernels.access_order import AccessOrder, windows
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out
from harness.kernels.context import Context
from harness.kernels.scale import channel_weights
from harness.kernels.scaling_dsp import DSP, Scaling, clamp_loops, clamped, depthwise_scaling
from harness.kernels.work import Reuse, Work, taps_inside
from harness.quantization.fixedpoint import Ints

QUAD = 4


class DepthwiseConvS8Dsp(Kernel):
    """Multiplier 1, at least four channels; see depthwise_conv_s8_dsp.c."""

    ops = frozenset({"DEPTHWISE_CONV_2D"})
    features = DSP
    function = "depthwise_conv_s8_dsp"

    def applies(self, context: Context) -> bool:
        x, y = context.input(0), context.output()
        return x.shape[3] == y.shape[3] >= QUAD and _scaling(context) is not None

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, ConvAttrs)
        scale = _scaling(context)
        assert scale is not None
        (n, in_h, in_w, in_c), (_, out_h, out_w, _) = context.input().shape, context.output().shape
        kernel_h, kernel_w = context.input(1).shape[1:3]
        sizes = [(in_h, out_h, kernel_h), (in_w, out_w, kernel_w)]
        steps = [
            (attrs.stride[0], attrs.dilation[0], attrs.pads.top),
            (attrs.stride[1], attrs.dilation[1], attrs.pads.left),
        ]
        if in_w == out_w == kernel_w == 1:
            # A column is as good as a row, and the taps of a row are the inner loop.
            sizes.reverse()
            steps.reverse()
        minus_zero = -context.input().q.zero_point
        shape = {"batches": n, "in_h": sizes[0][0], "in_w": sizes[1][0], "in_c": in_c}
        shape |= {"out_h": sizes[0][1], "out_w": sizes[1][1], "kernel_h": sizes[0][2], "kernel_w": sizes[1][2]}
        shape |= {"stride_h": steps[0][0], "stride_w": steps[1][0]}
        shape |= {"dilation_h": steps[0][1], "dilation_w": steps[1][1], "pad_top": steps[0][2], "pad_left": steps[1][2]}
        shape |= {"minus_zero": (minus_zero & 0xFFFF) | (minus_zero << 16)}
        table = ConstantTable("packed", "int32_t", pack_quads(channel_weights(context), scale))
        call = Call(self.function, (In(), table, Out()), shape)
        return Lowered(self.function, clamped(context, (call,), attrs.clamp))

    def access_order(self, context: Context) -> AccessOrder:
        channels = context.output().shape[3]
        return windows(context, within=[c // QUAD for c in range(channels)], own=channels % QUAD == 0)

    def work(self, context: Context) -> Work:
        attrs, scale = context.node.attrs, _scaling(context)
        assert isinstance(attrs, ConvAttrs) and scale is not None
        x, y = context.input(), context.output()
        kernel_h, kernel_w = context.input(1).shape[1:3]
        rows = taps_inside(x.shape[1], y.shape[1], kernel_h, attrs.stride[0], attrs.dilation[0], attrs.pads.top)
        columns = taps_inside(x.shape[2], y.shape[2], kernel_w, attrs.stride[1], attrs.dilation[1], attrs.pads.left)
        lines, pixels = rows * y.shape[2], y.shape[1] * y.shape[2]
        if x.shape[2] == y.shape[2] == kernel_w == 1:
            lines, kernel_h, kernel_w = y.shape[1], kernel_w, kernel_h  # as lower does
        batches, quads, linear = y.shape[0], len(scale.linear[::QUAD]), int(scale.linear[::QUAD].sum())
        loops = {
            "row": batches * pixels // max(y.shape[2], 1),
            "pixel": batches * pixels,
            "quad": batches * pixels * linear,
            "rounded_quad": batches * pixels * (quads - linear),
            "line": batches * lines * quads,
            "tap": batches * rows * columns * quads,
            **clamp_loops(context, attrs.clamp),
        }
        packed = 4 * quads * kernel_h * kernel_w + 32 * linear + 40 * (quads - linear)
        return Work(loops, (Reuse("weights", packed, batches * pixels),))


def _scaling(context: Context) -> Scaling | None:
    return depthwise_scaling(context, folded=False, together=QUAD)


def pack_quads(weights: Ints, scale: Scaling) -> npt.NDArray[np.int32]:
    """Per four channels (the last may overlap the ones before) a word a tap, then the constants of each kind."""
    words: list[npt.NDArray[np.int32]] = []
    for first in range(0, len(weights), QUAD):
        group = slice(min(first, len(weights) - QUAD), min(first, len(weights) - QUAD) + QUAD)
        taps = np.ascontiguousarray(weights[group].T.astype(np.int8))
        words += [taps.view("<i4").reshape(-1), _constants(scale, group)]
    return np.concatenate(words)


def _constants(scale: Scaling, quad: slice) -> npt.NDArray[np.int32]:
    """The constants of four channels, as quad_requant_dsp.h wants them."""
    start, multiplier = scale.start[quad], scale.multiplier[quad]
    if scale.linear[quad].all():
        return np.concatenate([start, multiplier]).astype(np.int32)
    middle = scale.addend[quad] >> scale.shift[quad]
    rest = ((middle << 8) | (scale.shift[quad] - 1)).astype("<i2").view("<i4")
    return np.concatenate([start, ~multiplier, rest]).astype(np.int32)


KERNELS: tuple[Kernel, ...] = (DepthwiseConvS8Dsp(),)
