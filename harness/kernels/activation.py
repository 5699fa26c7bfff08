"""Functions of one byte by table, and SOFTMAX."""

from __future__ import annotations

import numpy as np

from harness.ir.operators import names_with, operator_of
from harness.ir.operators.operator import BYTES, Types, same
from harness.ir.operators.softmax import SoftmaxAttrs
from harness.ir.operators.traits import Trait
from harness.kernels.access_order import AccessOrder, elementwise
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, packed
from harness.kernels.context import Context
from harness.kernels.work import Reuse, Work
from harness.quantization.params import log_softmax_params, softmax_exp_table
from harness.quantization.softmax16 import exp_table, reciprocal_table, softmax16_params
from harness.quantization.types import DType


class Lut8Portable(Kernel):
    """Functions of one byte between 8-bit types: 256 bytes of flash, two loads an element."""

    ops = names_with(Trait.BYTE_FUNCTION)
    types = BYTES
    function = "lut_8_portable"

    def lower(self, context: Context) -> Lowered:
        x, y = context.input(), context.output()
        by_value = operator_of(context.node).byte_table(x, y, context.node.attrs)
        # The kernel indexes by the byte, the specification by the value.
        table = np.roll(by_value, 128) if x.dtype is DType.INT8 else by_value
        arguments = (In(ctype="uint8_t"), ConstantTable("table", "uint8_t", table.view(np.uint8)), Out(ctype="uint8_t"))
        return Lowered(self.function, (Call(self.function, arguments, {"count": y.elements}),))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context)

    def work(self, context: Context) -> Work:
        return Work({"element": context.output().elements}, (Reuse("weights", 256, 1),))


class SoftmaxS8Portable(Kernel):
    """int8 SOFTMAX: a table of exp() as long as it is not zero."""

    ops = frozenset({"SOFTMAX"})
    function = "softmax_s8_portable"
    output = "int8_t"

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, SoftmaxAttrs)
        x = context.input()
        table = softmax_exp_table(x, attrs.beta)
        used = int(np.flatnonzero(table)[-1]) + 1
        depth = x.shape[-1]
        shape = {"rows": x.elements // depth, "depth": depth, "table_size": used}
        exps = ConstantTable("exp", "int32_t", np.append(table[:used], 0).astype(np.int32))
        arguments = (In(), exps, Out(ctype=self.output))
        return Lowered(self.function, (Call(self.function, arguments, shape),))

    def access_order(self, context: Context) -> AccessOrder | None:
        return elementwise(context)

    def work(self, context: Context) -> Work:
        elements, depth = context.output().elements, context.output().shape[-1]
        return Work({"row": elements // depth, "element": elements})


class LogSoftmaxS8Portable(Kernel):
    """int8 LOG_SOFTMAX: SOFTMAX's table of exp(), the logarithm of their sum in fixed point."""

    ops = frozenset({"LOG_SOFTMAX"})

    def lower(self, context: Context) -> Lowered:
        x, depth = context.input(), context.input().shape[-1]
        p = log_softmax_params(x)
        shape = {"rows": x.elements // depth, "depth": depth, "diff_min": p.diff_min}
        shape |= {"multiplier": p.input.m, "shift": p.input.shift}
        shape |= {"reverse_multiplier": p.reverse.m, "reverse_shift": p.reverse.shift}
        table = ConstantTable("exp", "int32_t", softmax_exp_table(x, 1.0).astype(np.int32))
        return Lowered("log_softmax_s8_portable", (Call("log_softmax_s8_portable", (In(), table, Out()), shape),))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context)

    def work(self, context: Context) -> Work:
        elements, depth = context.output().elements, context.output().shape[-1]
        return Work({"row": elements // depth, "element": elements})


class SoftmaxS8S16Portable(SoftmaxS8Portable):
    """int8 SOFTMAX to int16."""

    types = (Types(DType.INT8, DType.INT16),)
    function = "softmax_s8_s16_portable"
    output = "int16_t"

    def access_order(self, context: Context) -> AccessOrder | None:
        return None  # the output is larger than the input


class SoftmaxS16Portable(Kernel):
    """int16 SOFTMAX: tables of exp(-x) and 1 / (1 + x), interpolated."""

    ops = frozenset({"SOFTMAX"})
    types = same(DType.INT16)

    def lower(self, context: Context) -> Lowered:
        attrs, x = context.node.attrs, context.input()
        assert isinstance(attrs, SoftmaxAttrs)
        factor, depth = softmax16_params(x, attrs.beta), x.shape[-1]
        tables = (
            ConstantTable("exp", "int16_t", packed(exp_table(), "int16")),
            ConstantTable("reciprocal", "int16_t", packed(reciprocal_table(), "int16")),
        )
        shape = {"rows": x.elements // depth, "depth": depth, "multiplier": factor.m, "shift": factor.shift}
        call = Call("softmax_s16_portable", (In(ctype="int16_t"), *tables, Out(ctype="int16_t")), shape)
        return Lowered("softmax_s16_portable", (call,))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context)

    def work(self, context: Context) -> Work:
        elements, depth = context.output().elements, context.output().shape[-1]
        return Work({"row": elements // depth, "element": elements})


KERNELS: tuple[Kernel, ...] = (
    Lut8Portable(),
    SoftmaxS8Portable(),
    SoftmaxS8S16Portable(),
    SoftmaxS16Portable(),
    LogSoftmaxS8Portable(),
)
