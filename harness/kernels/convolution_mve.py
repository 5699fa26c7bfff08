"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED, int8, on Armv8.1-M MVE."""

from __future__ import annotations

import numpy as np

from harness.graph import ConvAttrs, Pads
from harness.kernels.base import Call, Context, Cost, In, Kernel, Lowered, Out, Table
from harness.kernels.convolution import folded_bias, weights_of
from harness.kernels.mve import pack_gemm, scaling, split_depth
from harness.oracle.params import conv_params

MVE = frozenset({"mve"})
MAX_CHANNELS = 65532  # offsets of outputs are uint16


class Conv1x1S8Mve(Kernel):
    """1x1 convolutions that read their input in place."""

    ops = frozenset({"CONV_2D"})
    features = MVE

    def applies(self, context: Context) -> bool:
        attrs = context.node.attrs
        assert isinstance(attrs, ConvAttrs)
        x, w = context.input(0), context.input(1)
        plain = w.shape[1:3] == (1, 1) and attrs.stride == (1, 1) and attrs.pads == Pads()
        # A depth of 9 to 15 beyond whole steps would be read past the last pixel.
        return (
            plain and w.shape[3] == x.shape[3] and 4 <= w.shape[0] <= MAX_CHANNELS and 0 <= x.shape[3] % 16 <= 8
        )

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, ConvAttrs)
        x, w, y = context.input(0), context.input(1), context.output()
        weights = weights_of(context).reshape(w.shape[0], -1)
        bias = folded_bias(context, w.shape[0], x.q.zero_point * weights.astype(np.int64).sum(axis=1))
        scale = scaling(bias, *conv_params(x, w, y), y.q.zero_point, attrs.clamp)
        steps, tail = split_depth(weights.shape[1])
        shape = {
            "pixels": y.elements // w.shape[0],
            "x_step": x.shape[3],
            "steps": steps,
            "tail": tail,
            "out_c": w.shape[0],
            "out_zero": y.q.zero_point,
            "clamp_min": attrs.clamp[0],
            "clamp_max": attrs.clamp[1],
            "form": scale.form,
        }
        table = Table("packed", "int32_t", pack_gemm(weights, scale))
        return Lowered("conv_1x1_s8_mve", (Call("conv_1x1_s8_mve", (In(), table, Out()), shape),))

    def cost(self, context: Context) -> Cost:
        return Cost(0.2 * context.output().elements * context.input().shape[3])
