"""CONV_2D and FULLY_CONNECTED on cores with the DSP extension: im2col and packed inner kernels (gemm.py)."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

import numpy as np

from harness.hardware.target import Target
from harness.ir.graph import ConvAttrs, FullyConnectedAttrs, Graph, Node, Pads
from harness.kernels.access_order import AccessOrder, pixel_pairs, rows
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.convolution_dsp_loops import (
    CHANNELS,
    TAPS,
    Window,
    blocks,
    convolution,
    fully_connected,
)
from harness.kernels.gemm import EXTRA_WORDS, Form, Matrix, column_order, gemm_fields, matrix, pack
from harness.kernels.work import Reuse, Work
from harness.quantization.params import conv_params, fully_connected_params

DSP = frozenset({"dsp"})
DUAL_ISSUE = frozenset({"dual-issue"})

STAGE = 10240
"""Bytes of RAM for staged weights."""

CACHE = 4096
"""Bytes of a cache before slow memory that spare copying weights: they are used from there, some channels at a time."""

COLUMNS_END = 4 * constant("columns_end.h", "HIL_COLUMNS_END_WORDS")
"""Bytes after the columns of two pixels: a mark that ends loops, and what loads that run ahead touch."""

COLUMN_END = 4 * constant("columns_end.h", "HIL_COLUMN_END_WORDS")
"""Bytes after a row's column, which loads that run ahead touch."""


@lru_cache(maxsize=512)
def _matrix(graph: Graph, node: Node) -> Matrix | None:
    attrs = node.attrs
    assert isinstance(attrs, ConvAttrs | FullyConnectedAttrs)
    x, w, y = graph.tensors[node.inputs[0]], graph.tensors[node.inputs[1]], graph.tensors[node.outputs[0]]
    assert w.data is not None, "the verifier requires constant weights"
    weights = w.data.astype(np.int64).reshape(w.shape[0], -1)
    data = graph.tensors[node.inputs[2]].data if len(node.inputs) > 2 and node.inputs[2] >= 0 else None
    bias = np.zeros(len(weights), np.int64) if data is None else data.astype(np.int64)
    params = conv_params if isinstance(attrs, ConvAttrs) else fully_connected_params
    multipliers, shifts = params(x, w, y)
    folded = bias - x.q.zero_point * weights.sum(axis=1)
    return matrix(weights, folded, multipliers, shifts, y.q.zero_point, attrs.clamp)


def layer_matrix(context: Context) -> Matrix | None:
    """The layer's weights, one row of taps a channel, or None where the fast requantization is not exact."""
    return _matrix(context.graph, context.node)


def allows(context: Context, form: Form) -> bool:
    """Whether a form is exact for the layer."""
    layer = layer_matrix(context)
    return layer is not None and layer.allows(form)


def block_words(form: Form, groups: int) -> int:
    """Words of four channels' packed weights."""
    return EXTRA_WORDS[form] + CHANNELS * groups


def chunk_within(window: Window, form: Form, limit: int) -> int:
    """Most output channels, all or a multiple of four, whose packed weights take `limit` bytes; 0 when none do.

    The layer's channels are spread evenly over as few chunks.
    """
    fitting = limit // (4 * block_words(form, window.groups))
    if fitting == 0:
        return 0
    chunks = -(-blocks(window.out_c) // fitting)
    return window.out_c if chunks == 1 else CHANNELS * -(-blocks(window.out_c) // chunks)


def window_of(context: Context) -> Window:
    """The layer's geometry."""
    attrs, x, w, y = context.node.attrs, context.input(0), context.input(1), context.output()
    if isinstance(attrs, FullyConnectedAttrs):
        rows = x.elements // w.shape[1]
        return Window(1, 1, rows, w.shape[1], 1, rows, w.shape[0])
    assert isinstance(attrs, ConvAttrs)
    kernel = (w.shape[1], w.shape[2])
    if (*kernel, *attrs.stride) == (1, 1, 1, 1) and attrs.pads == Pads():
        # One long row: pairs of pixels need not end with the image's rows.
        pixels = y.elements // y.shape[3]
        return Window(1, 1, pixels, x.shape[3], 1, pixels, y.shape[3])
    n, in_h, in_w, in_c = x.shape
    _, out_h, out_w, out_c = y.shape
    return Window(n, in_h, in_w, in_c, out_h, out_w, out_c, kernel, attrs.stride, attrs.dilation, attrs.pads)


def _column_bytes(window: Window) -> int:
    return 2 * TAPS * window.groups * min(window.pixels, 2) + COLUMNS_END


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

    ops = frozenset({"CONV_2D", "FULLY_CONNECTED"})
    features = DSP
    function: ClassVar[str]
    form: ClassVar[Form]
    unrolled: ClassVar[int] = 8
    stage: ClassVar[int] = 0
    chunked: ClassVar[bool] = False

    def applies(self, context: Context) -> bool:
        if context.node.op == "CONV_2D" and context.input(0).shape[3] != context.input(1).shape[3]:
            return False
        if context.node.op == "FULLY_CONNECTED" and window_of(context).pixels == 1:
            return False  # one row has no pairs
        return allows(context, self.form) and self._chunk(window_of(context), context.target) > 0

    def lower(self, context: Context) -> Lowered:
        window, layer = window_of(context), layer_matrix(context)
        assert layer is not None
        order = column_order(window.kernel[0], window.kernel[1] * window.in_c)
        words = block_words(self.form, window.groups)
        chunk = self._chunk(window, context.target)
        shape = {
            "batches": window.batches,
            "in_h": window.in_h,
            "in_w": window.in_w,
            "in_c": window.in_c,
            "out_h": window.out_h,
            "out_w": window.out_w,
            "out_c": window.out_c,
            "kernel_h": window.kernel[0],
            "kernel_w": window.kernel[1],
            "stride_h": window.stride[0],
            "stride_w": window.stride[1],
            "dilation_h": window.dilation[0],
            "dilation_w": window.dilation[1],
            "pad_top": window.pads.top,
            "pad_left": window.pads.left,
            "inner_first": window.inner.start,
            "inner_end": window.inner.stop,
            "in_zero": context.input(0).q.zero_point,
            "chunk": chunk,
            "block_words": words,
            "stage_words": words * blocks(chunk) if self.stage else 0,
            "column_bytes": _column_bytes(window),
            **gemm_fields(layer, window.groups),
        }
        weights = ConstantTable("weights", "int32_t", pack(layer, order, self.form))
        arguments = (In(), weights, Out(), Scratch(ctype="int32_t"))
        return Lowered(self.function, (Call(self.function, arguments, shape),), self._scratch(window, chunk))

    def _chunk(self, window: Window, target: Target) -> int:
        """Output channels computed for all pixels before the next ones; 0 where the kernel makes no sense."""
        cache = 0 if target.weights is None else target.weights.size
        if self.stage:
            slow = target.weight_stall > 0 and cache < CACHE
            return chunk_within(window, self.form, self.stage) if slow else 0
        if self.chunked:
            # The cache has to hold columns and outputs as well.
            chunk = chunk_within(window, self.form, cache * 5 // 8) if cache >= CACHE else 0
            return chunk if chunk < window.out_c else 0
        return window.out_c

    def _scratch(self, window: Window, chunk: int) -> int:
        staged = 4 * block_words(self.form, window.groups) * blocks(chunk) if self.stage else 0
        return _column_bytes(window) + staged + window.gathered_slots * window.taps

    def access_order(self, context: Context) -> AccessOrder:
        window = window_of(context)
        chunk = self._chunk(window, context.target)
        return pixel_pairs(context, window.in_c, np.arange(window.out_c) // chunk)

    def work(self, context: Context) -> Work:
        window, target = window_of(context), context.target
        chunk, words = self._chunk(window, target), block_words(self.form, window.groups)
        starts = range(0, window.out_c, chunk)
        sizes = [4 * words * blocks(min(chunk, window.out_c - first)) for first in starts]
        loops = convolution(window, chunk, sum(sizes) // 4 if self.stage else 0, self.unrolled)
        beside = _column_bytes(window) + window.out_c
        times = 1 if self.stage else -(-window.pixels // 2)
        sweeps = tuple(Reuse("weights", size, times, beside) for size in sizes)
        return Work(loops, sweeps, self._scratch(window, chunk))


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
        assert layer is not None
        out_n, in_n = context.input(1).shape
        order = column_order(1, in_n)
        shape = {
            "batches": context.input(0).elements // in_n,
            "in_n": in_n,
            **gemm_fields(layer, len(order) // TAPS),
        }
        weights = ConstantTable("weights", "int32_t", pack(layer, order, self.form))
        arguments = (In(), weights, Out(), Scratch(ctype="int32_t"))
        return Lowered(self.function, (Call(self.function, arguments, shape),), 2 * len(order) + COLUMN_END)

    def access_order(self, context: Context) -> AccessOrder:
        out_n, in_n = context.input(1).shape
        return rows(context, in_n, out_n)

    def work(self, context: Context) -> Work:
        window = window_of(context)
        size = 4 * blocks(window.out_c) * block_words(self.form, window.groups)
        scratch = 2 * TAPS * window.groups + COLUMN_END
        sweep = Reuse("weights", size, window.pixels, scratch)
        return Work(fully_connected(window, self.unrolled), (sweep,), scratch)


class ConvS8LineDsp(ConvDsp):
    """A fused RELU."""

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


class ConvS8LineDualIssue(ConvDsp):
    """A fused RELU, on the Cortex-M7."""

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


class ConvS8LineChunked(ConvS8LineDualIssue):
    """A fused RELU, on the Cortex-M7, weights beyond its cache."""

    chunked = True


class ConvS8CarryChunked(ConvS8CarryDualIssue):
    """Weights that share lanes, on the Cortex-M7, beyond its cache."""

    chunked = True


class FullyConnectedS8LineDsp(FullyConnectedDsp):
    """A fused RELU."""

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


class FullyConnectedS8LineDualIssue(FullyConnectedDsp):
    """A fused RELU, on the Cortex-M7."""

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
    ConvS8LineDualIssue(),
    ConvS8CarryDualIssue(),
    ConvS8LineStaged(),
    ConvS8CarryStaged(),
    ConvS8PlainStaged(),
    ConvS8LineChunked(),
    ConvS8CarryChunked(),
    FullyConnectedS8LineDsp(),
    FullyConnectedS8CarryDsp(),
    FullyConnectedS8PlainDsp(),
    FullyConnectedS8LineDualIssue(),
    FullyConnectedS8CarryDualIssue(),
)
