"""TRANSPOSE_CONV, PRELU and L2_NORMALIZATION."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import Tensor
from harness.ir.operators import OPERATORS
from harness.ir.operators.float_layers import FLOAT_WEIGHTS
from harness.ir.operators.operator import INT8_WEIGHTS, ONNX_ALONE
from harness.ir.operators.transpose_conv import TransposeConvAttrs
from harness.ir.weights import channel_bias
from harness.kernels.base import Call, ConstantTable, Float, In, Kernel, Lowered, Out, packed
from harness.kernels.context import Context
from harness.kernels.loops import broadcast_loops_of, broadcast_nest, nest_fields, operation_loop
from harness.kernels.work import Work
from harness.quantization.onnx_rounding import onnx_factors
from harness.quantization.params import Int32s, channel_params, mul_params, requantize_params
from harness.quantization.types import DType

_BYTES = "uint8_t"


def transposed_sizes(context: Context, attrs: TransposeConvAttrs) -> dict[str, int]:
    """Fields of transpose_conv_portable_shape but zero points and clamp."""
    x, w, y = context.input(), context.input(1), context.output()
    names = ("batches", "in_h", "in_w", "in_c", "out_h", "out_w", "out_c", "kernel_h", "kernel_w")
    sizes = (*x.shape, *y.shape[1:], *w.shape[1:3])
    shape = dict(zip(names, sizes, strict=True))
    return shape | dict(zip(("stride_h", "stride_w", "top", "left"), (*attrs.stride, *attrs.before), strict=True))


def sources(context: Context) -> Work:
    """Input pixels that reach output pixels, times what each adds."""
    x, w, y = context.input(), context.input(1), context.output()
    return Work({"element": y.elements, "tap": x.elements // x.shape[3] * w.elements})


class TransposeConvS8Portable(Kernel):
    """int8 TRANSPOSE_CONV of any shape."""

    ops = frozenset({"TRANSPOSE_CONV"})
    types = INT8_WEIGHTS
    function = "transpose_conv_s8_portable"

    def scaling(self, x: Tensor, w: Tensor, y: Tensor) -> tuple[Int32s, ...]:
        """Of each output channel: what its sums are multiplied by."""
        return channel_params(x, w, y, w.shape[0])

    def lower(self, context: Context) -> Lowered:
        attrs, x, w, y = context.node.attrs, context.input(), context.input(1), context.output()
        assert isinstance(attrs, TransposeConvAttrs) and w.data is not None
        records = np.stack([channel_bias(context.graph, context.node), *self.scaling(x, w, y)], axis=1)
        shape = transposed_sizes(context, attrs) | {"in_zero": x.q.zero_point, "out_zero": y.q.zero_point}
        shape |= {"clamp_min": attrs.clamp[0], "clamp_max": attrs.clamp[1]}
        tables = (
            ConstantTable("weights", "int8_t", packed(w.data, "int8")),
            ConstantTable("records", "int32_t", packed(records, "int32")),
        )
        return Lowered(self.function, (Call(self.function, (In(), *tables, Out()), shape),))

    def work(self, context: Context) -> Work:
        return sources(context)


class TransposeConvS8OnnxPortable(TransposeConvS8Portable):
    """The same with ONNX Runtime's rounding."""

    roundings = ONNX_ALONE
    function = "transpose_conv_s8_onnx_portable"

    def scaling(self, x: Tensor, w: Tensor, y: Tensor) -> tuple[Int32s, ...]:
        return (onnx_factors(x, w, y, w.shape[0]).view(np.int32),)


class TransposeConvF32Portable(Kernel):
    """float32 TRANSPOSE_CONV of any shape."""

    ops = frozenset({"TRANSPOSE_CONV"})
    types = FLOAT_WEIGHTS

    def lower(self, context: Context) -> Lowered:
        attrs, w, bias = context.node.attrs, context.input(1), context.optional(2)
        assert isinstance(attrs, TransposeConvAttrs) and w.data is not None
        added = np.zeros(w.shape[0]) if bias is None or bias.data is None else bias.data
        tables = (
            ConstantTable("weights", "float", packed(w.data, "float32")),
            ConstantTable("bias", "float", packed(added, "float32")),
        )
        shape = transposed_sizes(context, attrs) | dict.fromkeys(("in_zero", "out_zero", "clamp_min", "clamp_max"), 0)
        ends = tuple(Float(float(end)) for end in attrs.clamp)
        call = Call("transpose_conv_f32_portable", (In(ctype="float"), *tables, Out(ctype="float"), *ends), shape)
        return Lowered("transpose_conv_f32_portable", (call,))

    def work(self, context: Context) -> Work:
        return sources(context)


class PreluPortable(Kernel):
    """PRELU with slopes of any shape that is broadcast."""

    ops = frozenset({"PRELU"})
    types = OPERATORS["PRELU"].types

    def lower(self, context: Context) -> Lowered:
        x, slopes, y = context.input(), context.input(1), context.output()
        shape = nest_fields(broadcast_nest(x, slopes, y, "PRELU")) | {"is_float": int(y.dtype is DType.FLOAT32)}
        numbers = (0,) * 7
        if y.dtype is not DType.FLOAT32:
            above, below = requantize_params(x, y), mul_params(x, slopes, y)
            zeros = (x.q.zero_point, slopes.q.zero_point)
            numbers = (*zeros, above.m, above.shift, below.m, below.shift, y.q.zero_point)
        names = ("in_zero", "slope_zero", "above_multiplier", "above_shift", "below_multiplier", "below_shift")
        shape |= dict(zip((*names, "out_zero"), numbers, strict=True))
        call = Call("prelu_portable", (In(0, _BYTES), In(1, _BYTES), Out(ctype=_BYTES)), shape)
        return Lowered("prelu_portable", (call,))

    def work(self, context: Context) -> Work:
        row = broadcast_loops_of(context.input(), context.input(1), context.output())[-1]
        elements = context.output().elements
        loops = {operation_loop(context): elements, "run": elements // row.count}
        return Work(loops | {"value": elements * (row.steps[1] == 0)})


class L2NormalizationPortable(Kernel):
    """L2_NORMALIZATION over the last dimension."""

    ops = frozenset({"L2_NORMALIZATION"})
    types = OPERATORS["L2_NORMALIZATION"].types

    def lower(self, context: Context) -> Lowered:
        x, floats = context.input(), context.input().dtype is DType.FLOAT32
        shape = {"rows": x.elements // x.shape[-1], "depth": x.shape[-1]}
        shape |= {"in_zero": 0 if floats else x.q.zero_point, "is_float": int(floats)}
        call = Call("l2_normalization_portable", (In(ctype=_BYTES), Out(ctype=_BYTES)), shape)
        return Lowered("l2_normalization_portable", (call,))

    def work(self, context: Context) -> Work:
        x = context.input()
        return Work({operation_loop(context, "row"): x.elements // x.shape[-1], operation_loop(context): x.elements})


KERNELS: tuple[Kernel, ...] = (
    TransposeConvS8Portable(),
    TransposeConvS8OnnxPortable(),
    TransposeConvF32Portable(),
    PreluPortable(),
    L2NormalizationPortable(),
)
