"""SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_ALL, ARG_MAX, ARG_MIN, and MEAN beyond int8."""

from __future__ import annotations

from math import prod

from harness.ir.operators import OPERATORS
from harness.ir.operators.mean import MeanAttrs
from harness.ir.operators.operator import Types
from harness.ir.operators.reduce import ArgAttrs, ReduceAttrs
from harness.kernels.base import Call, In, Kernel, Lowered, Out
from harness.kernels.constants import constant, numbered
from harness.kernels.context import Context
from harness.kernels.loops import NestLoop, merge, operation_loop, padded, row_major
from harness.kernels.work import Work
from harness.quantization.params import mean_params, requantize_params
from harness.quantization.types import DType

_BYTES = "uint8_t"
_HEADER = "reduce_portable.h"
_TYPE = {
    DType.INT8: constant(_HEADER, "HIL_REDUCE_S8"),
    DType.BOOL: constant(_HEADER, "HIL_REDUCE_BOOL"),
    DType.INT16: constant(_HEADER, "HIL_REDUCE_S16"),
    DType.FLOAT32: constant(_HEADER, "HIL_REDUCE_F32"),
}
_OPERATION = numbered(_HEADER, "HIL_REDUCE_OF_")
_ARG = numbered("arg_portable.h", "HIL_ARG_OF_")


def _types() -> tuple[Types, ...]:
    return tuple(dict.fromkeys(types for op in _OPERATION for types in OPERATORS[op].types))


class ReducePortable(Kernel):
    """Reductions over any axes."""

    ops = frozenset(_OPERATION)
    types = _types()

    def applies(self, context: Context) -> bool:
        return not isinstance(context.node.attrs, MeanAttrs) or context.input().dtype is not DType.INT8

    def lower(self, context: Context) -> Lowered:
        attrs, op = context.node.attrs, context.node.op
        assert isinstance(attrs, ReduceAttrs)
        x, y = context.input(), context.output()
        loops = [NestLoop(n, (step,)) for n, step in zip(x.shape, row_major(x.shape), strict=True)]
        count = prod(x.shape[i] for i in attrs.axes)
        shape = {"type": _TYPE[x.dtype], "operation": _OPERATION[op], "count": count}
        for name, among in (("kept", False), ("reduced", True)):
            chosen = merge([loop for i, loop in enumerate(loops) if (i in attrs.axes) == among], 1)
            nest = padded(chosen, 3, 1, f"{op} of '{x.name}'")
            shape |= {f"{name}{i}": loop.count for i, loop in enumerate(nest)}
            shape |= {f"{name}_step{i}": loop.steps[0] for i, loop in enumerate(nest)}
        numbers = (0, 0, 0, 0)
        if x.quant is not None and y.quant is not None and x.dtype is not DType.FLOAT32:
            factor = mean_params(x, y, count) if isinstance(attrs, MeanAttrs) else requantize_params(x, y)
            numbers = (x.q.zero_point, factor.m, factor.shift, y.q.zero_point)
        shape |= dict(zip(("in_zero", "multiplier", "shift", "out_zero"), numbers, strict=True))
        return Lowered("reduce_portable", (Call("reduce_portable", (In(ctype=_BYTES), Out(ctype=_BYTES)), shape),))

    def work(self, context: Context) -> Work:
        loops = {operation_loop(context): context.output().elements}
        return Work(loops | {operation_loop(context, "tap"): context.input().elements})


class ArgPortable(Kernel):
    """ARG_MAX and ARG_MIN."""

    ops = frozenset(_ARG)
    types = OPERATORS["ARG_MAX"].types

    def lower(self, context: Context) -> Lowered:
        attrs, x = context.node.attrs, context.input()
        assert isinstance(attrs, ArgAttrs)
        axis = attrs.axis
        shape = {"rows": prod(x.shape[:axis]), "size": x.shape[axis], "inner": prod(x.shape[axis + 1 :])}
        shape |= {"is_float": int(x.dtype is DType.FLOAT32), "smallest": _ARG[context.node.op]}
        return Lowered("arg_portable", (Call("arg_portable", (In(ctype=_BYTES), Out(ctype=_BYTES)), shape),))

    def work(self, context: Context) -> Work:
        loops = {operation_loop(context): context.output().elements}
        return Work(loops | {operation_loop(context, "tap"): context.input().elements})


KERNELS: tuple[Kernel, ...] = (ReducePortable(), ArgPortable())
