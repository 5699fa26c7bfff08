"""FULLY_CONNECTED of weights that are computed at run time."""

from __future__ import annotations

from typing import cast

from harness.ir.operators import OPERATORS
from harness.ir.operators.dynamic_fully_connected import DynamicAttrs
from harness.kernels.base import Call, Float, In, Kernel, Lowered, Out
from harness.kernels.context import Context
from harness.kernels.work import Work
from harness.quantization.params import channel_params
from harness.quantization.types import DType

_BYTES = "uint8_t"


class FullyConnectedDynamicPortable(Kernel):
    """DYNAMIC_FULLY_CONNECTED; weights are read as they lie."""

    ops = frozenset({"DYNAMIC_FULLY_CONNECTED"})
    types = OPERATORS["DYNAMIC_FULLY_CONNECTED"].types

    def lower(self, context: Context) -> Lowered:
        clamp = cast(DynamicAttrs, context.node.attrs).clamp
        x, w, y = context.input(), context.input(1), context.output()
        channels, depth = w.shape
        has_bias = context.optional(2) is not None
        shape = {"rows": x.elements // depth, "depth": depth, "channels": channels}
        shape |= {"is_float": int(y.dtype is DType.FLOAT32), "has_bias": int(has_bias)}
        numbers = dict.fromkeys(("x_zero", "w_zero", "multiplier", "shift", "out_zero", "clamp_min", "clamp_max"), 0)
        limits = Float(0.0), Float(0.0)
        if y.dtype is DType.FLOAT32:
            limits = Float(float(clamp[0])), Float(float(clamp[1]))
        else:
            (multiplier,), (shift,) = (values.tolist() for values in channel_params(x, w, y, 1))
            made = (x.q.zero_point, w.q.zero_point, multiplier, shift, y.q.zero_point, *clamp)
            numbers = dict(zip(numbers, made, strict=True))
        arguments = (In(0, _BYTES), In(1, _BYTES), In(2 if has_bias else 1, _BYTES), Out(ctype=_BYTES), *limits)
        call = Call("fully_connected_dynamic_portable", arguments, shape | numbers)
        return Lowered("fully_connected_dynamic_portable", (call,))

    def work(self, context: Context) -> Work:
        y = context.output()
        kind = "float" if y.dtype is DType.FLOAT32 else "byte"
        return Work({f"{kind}s": y.elements, f"{kind} tap": y.elements * context.input(1).shape[1]})


KERNELS: tuple[Kernel, ...] = (FullyConnectedDynamicPortable(),)
