"""QUANTIZE and DEQUANTIZE beyond 8-bit tables."""

from __future__ import annotations

import numpy as np

from harness.ir.operators.operator import EITHER_ROUNDING
from harness.ir.operators.quantize import DEQUANTIZE_TYPES, QUANTIZE_TYPES
from harness.kernels.access_order import AccessOrder, elementwise
from harness.kernels.base import Call, Float, In, Kernel, Lowered, Out
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.mve_kernel import MVE
from harness.kernels.work import Work
from harness.quantization.params import requantize_params
from harness.quantization.types import DType, Rounding

_TYPE = {
    DType.INT8: constant("convert.h", "HIL_S8"),
    DType.UINT8: constant("convert.h", "HIL_U8"),
    DType.INT16: constant("convert.h", "HIL_S16"),
    DType.INT32: constant("convert.h", "HIL_S32"),
}


class RequantizePortable(Kernel):
    """QUANTIZE from integer to integer."""

    ops = frozenset({"QUANTIZE"})
    types = tuple(types for types in QUANTIZE_TYPES if types.x is not DType.FLOAT32)
    superseded_by = MVE
    function = "requantize_portable"

    def lower(self, context: Context) -> Lowered:
        x, y = context.input(), context.output()
        factor = requantize_params(x, y)
        shape = {
            "count": y.elements,
            "in_type": _TYPE[x.dtype],
            "in_zero": x.q.zero_point,
            "multiplier": factor.m,
            "shift": factor.shift,
            "out_type": _TYPE[y.dtype],
            "out_zero": y.q.zero_point,
            "clamp_min": y.dtype.range[0],
            "clamp_max": y.dtype.range[1],
        }
        arguments = (In(ctype="uint8_t"), Out(ctype="uint8_t"))
        return Lowered(self.function, (Call(self.function, arguments, shape),))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context)

    def work(self, context: Context) -> Work:
        x, y = context.input(), context.output()
        return Work({f"{x.dtype.value}_to_{y.dtype.value}": y.elements})


class QuantizeIntegersMve(RequantizePortable):
    """The same on Armv8.1-M MVE, four at a time."""

    features = MVE
    superseded_by = frozenset()
    function = "quantize_integers_mve"

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context, group=4)

    def work(self, context: Context) -> Work:
        return Work({"four": -(-context.output().elements // 4)})


class QuantizeF32Portable(Kernel):
    """QUANTIZE from float32."""

    ops = frozenset({"QUANTIZE"})
    types = tuple(types for types in QUANTIZE_TYPES if types.x is DType.FLOAT32)
    roundings = EITHER_ROUNDING

    def lower(self, context: Context) -> Lowered:
        y = context.output()
        shape = {"count": y.elements, "out_type": _TYPE[y.dtype], "out_zero": y.q.zero_point}
        shape |= {"ties_to_even": int(context.node.rounding is Rounding.ONNX)}
        arguments = (In(ctype="float"), Out(ctype="uint8_t"), Float(float(np.float32(y.q.scale))))
        return Lowered("quantize_f32_portable", (Call("quantize_f32_portable", arguments, shape),))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context)

    def work(self, context: Context) -> Work:
        x, y = context.input(), context.output()
        return Work({f"{x.dtype.value}_to_{y.dtype.value}": y.elements})


class DequantizePortable(Kernel):
    """DEQUANTIZE to float32."""

    ops = frozenset({"DEQUANTIZE"})
    types = DEQUANTIZE_TYPES

    def lower(self, context: Context) -> Lowered:
        x = context.input()
        shape = {"count": x.elements, "in_type": _TYPE[x.dtype], "in_zero": x.q.zero_point}
        arguments = (In(ctype="uint8_t"), Out(ctype="uint8_t"), Float(float(np.float32(x.q.scale))))
        return Lowered("dequantize_portable", (Call("dequantize_portable", arguments, shape),))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context)

    def work(self, context: Context) -> Work:
        return Work({"byte" if context.input().dtype.size == 1 else "half": context.output().elements})


KERNELS: tuple[Kernel, ...] = (RequantizePortable(), QuantizeIntegersMve(), QuantizeF32Portable(), DequantizePortable())
