"""Records of the portable kernels that turn a layer's sums into int8 (firmware/kernels/scale_s8.h)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from harness.hardware.target import Target
from harness.ir.graph import ConvAttrs, FullyConnectedAttrs, Graph, Node
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.requant import accumulator_range, requant
from harness.kernels.requant_linear import SCALE_BITS, linear
from harness.quantization.fixedpoint import wrap32
from harness.quantization.params import conv_params, fully_connected_params

LINEAR, ROUNDED, GENERAL = (constant("scale_s8.h", f"HIL_SCALE_{form}") for form in ("LINEAR", "ROUNDED", "GENERAL"))


def channel_weights(context: Context) -> npt.NDArray[np.int64]:
    """int64 (output channels, taps) of a layer with weights."""
    data = context.input(1).data
    assert data is not None, "the verifier requires constant weights"
    axis = 3 if context.node.op == "DEPTHWISE_CONV_2D" else 0
    return np.moveaxis(data.astype(np.int64), axis, 0).reshape(data.shape[axis], -1)


def exact_bias(context: Context) -> npt.NDArray[np.int64]:
    """int64: the bias of each output channel, or zeros."""
    tensor = context.optional(2)
    channels = context.output().shape[-1]
    return np.zeros(channels, np.int64) if tensor is None or tensor.data is None else tensor.data.astype(np.int64)


def records(context: Context) -> tuple[dict[str, int], npt.NDArray[np.int32]]:
    """(fields of the C shape, records of the channels): the cheapest form that is exact for every channel."""
    return _records(context.graph, context.node, context.target)


def scale_loops(context: Context) -> dict[str, float]:
    """Outputs whose scaling takes longer than the linear form."""
    form, outputs = records(context)[0]["scale.form"], context.output().elements
    return {"rounded": outputs * (form == ROUNDED), "general": outputs * (form == GENERAL)}


def table_bytes(context: Context) -> int:
    """Bytes of weights and records."""
    return context.input(1).elements + records(context)[1].nbytes


@lru_cache(maxsize=256)
def _records(graph: Graph, node: Node, target: Target) -> tuple[dict[str, int], npt.NDArray[np.int32]]:
    context = Context(graph, node, target)
    attrs, x, w, y = node.attrs, context.input(0), context.input(1), context.output()
    assert isinstance(attrs, ConvAttrs | FullyConnectedAttrs)
    weights, bias = channel_weights(context), exact_bias(context)
    bias = bias - x.q.zero_point * weights.sum(axis=1)
    m, shifts = (conv_params if isinstance(attrs, ConvAttrs) else fully_connected_params)(x, w, y)
    low, high = accumulator_range(weights, bias)
    line = linear(m, shifts, y.q.zero_point, attrs.clamp, low, high)
    rounded = None if line.exact.all() else requant(m, shifts, y.q.zero_point, attrs.clamp, low, high)
    words: tuple[npt.NDArray[np.integer], ...]
    if line.exact.all():
        form, words = LINEAR, (wrap32((bias << SCALE_BITS) + line.offset), line.multiplier)
    elif rounded is not None:
        form, words = ROUNDED, (wrap32(bias), rounded.multiplier, rounded.addend, rounded.shift)
    else:
        form, words = GENERAL, (wrap32(bias), m, shifts)
    fields = {"form": form, "words": len(words), "out_zero": y.q.zero_point}
    fields |= {"clamp_min": attrs.clamp[0], "clamp_max": attrs.clamp[1]}
    table = np.stack([column.astype(np.int32) for column in words], axis=1).reshape(-1)
    return {f"scale.{key}": value for key, value in fields.items()}, table
