"""Convolutions of small images that are copied into a border of padding first: then no window needs to be gathered.

Windows that reach into the padding are copied one by one (conv_chunk_dsp.c), which costs more than their products where
images are small or windows large. Here the image is copied once, and the layer is a convolution without padding.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.ir.operators import names_of, names_with
from harness.ir.operators.traits import Trait
from harness.ir.window import ConvAttrs, Window2D, WindowAxis
from harness.kernels.access_order import AccessOrder
from harness.kernels.base import At, Call, In, Kernel, Lowered
from harness.kernels.context import Context
from harness.kernels.convolution_dsp import (
    ConvDsp,
    ConvS8CarryDsp,
    ConvS8CarryDualIssue,
    ConvS8CarryStaged,
    ConvS8LineDsp,
    ConvS8LineDualIssue,
    ConvS8LineStaged,
)
from harness.kernels.convolution_dsp_loops import Im2col
from harness.kernels.loops import DEPTH, NestLoop, nest_fields, padded
from harness.kernels.work import Work

LARGEST = 8192
"""Bytes of a padded image."""

_FASTER = frozenset({"dual-issue", "mve"})


class Padded(ConvDsp):
    """A convolution of one image with padding, over a copy that has it; attributes as those of ConvDsp."""

    ops = names_of(ConvAttrs) - names_with(Trait.CHANNELS_APART)

    def im2col(self, context: Context) -> Im2col:
        window = context.window
        return Im2col(replace(window, rows=_whole(window.rows), columns=_whole(window.columns)))

    def applies(self, context: Context) -> bool:
        window = context.window
        fits = window.batches == 1 and window.reaches_padding and window.columns.canonical().dilation == 1
        return fits and _image_bytes(self.im2col(context).window) <= LARGEST and super().applies(context)

    def lower(self, context: Context) -> Lowered:
        lowered = super().lower(context)
        (call,) = lowered.calls
        window = context.window
        image, place = self.im2col(context).window, lowered.scratch
        run, line = _copied(window.columns) * window.in_c, image.columns.size * window.in_c
        rows = NestLoop(_copied(window.rows), (window.columns.size * window.in_c, line))
        shape = {
            "bytes": run,
            "out_offset": window.rows.pad_before * line + window.columns.pad_before * window.in_c,
            "total": _image_bytes(image),
            "value": context.input().q.zero_point,
            **nest_fields(padded([rows], DEPTH, 2, "a padded image")),
        }
        copy = Call("pad_runs_portable", (In(ctype="uint8_t"), At(None, place, "uint8_t")), shape)
        over = replace(call, arguments=(At(None, place), *call.arguments[1:]))
        return Lowered(lowered.kernel, (copy, over), place + _image_bytes(image))

    def access_order(self, context: Context) -> AccessOrder:
        x, y = context.input(), context.output()
        return AccessOrder({0: np.zeros(x.elements, np.int32)}, np.ones(y.elements, np.int32))

    def work(self, context: Context) -> Work:
        work, image = super().work(context), self.im2col(context).window
        rows, columns = context.window.rows, context.window.columns
        loops = {"copied_row": _copied(rows), "copied_byte": _copied(rows) * _copied(columns) * image.in_c}
        loops["border_byte"] = _image_bytes(image) - loops["copied_byte"]
        return replace(work, loops={**work.loops, **loops}, scratch=work.scratch + _image_bytes(image))


def _whole(axis: WindowAxis) -> WindowAxis:
    """The axis over a copy with its padding, as far as windows reach."""
    return replace(axis, size=axis.length, pad_before=0)


def _copied(axis: WindowAxis) -> int:
    """Elements of the image that windows reach."""
    return min(axis.size, axis.length - axis.pad_before)


def _image_bytes(window: Window2D) -> int:
    return window.rows.size * window.columns.size * window.in_c


class ConvS8LinePadded(Padded, ConvS8LineDsp):
    """A fused RELU."""

    superseded_by = _FASTER


class ConvS8CarryPadded(Padded, ConvS8CarryDsp):
    """Weights that share lanes."""

    superseded_by = _FASTER


class ConvS8LineStagedPadded(Padded, ConvS8LineStaged):
    """A fused RELU; weights are copied to RAM first."""

    superseded_by = _FASTER


class ConvS8CarryStagedPadded(Padded, ConvS8CarryStaged):
    """Weights that share lanes, copied to RAM first."""

    superseded_by = _FASTER


class ConvS8LinePaddedDualIssue(Padded, ConvS8LineDualIssue):
    """A fused RELU, on the Cortex-M7."""


class ConvS8CarryPaddedDualIssue(Padded, ConvS8CarryDualIssue):
    """Weights that share lanes, on the Cortex-M7."""


KERNELS: tuple[Kernel, ...] = (
    ConvS8LinePadded(),
    ConvS8CarryPadded(),
    ConvS8LineStagedPadded(),
    ConvS8CarryStagedPadded(),
    ConvS8LinePaddedDualIssue(),
    ConvS8CarryPaddedDualIssue(),
)
