"""BATCH_MATMUL, CUMSUM and ADD_N."""

from __future__ import annotations

from math import prod

from harness.ir.operators import OPERATORS
from harness.ir.operators.batch_matmul import MatmulAttrs, sizes
from harness.ir.operators.operator import same
from harness.ir.operators.running import CumsumAttrs
from harness.kernels.base import Call, In, Kernel, Lowered, Out, Scratch
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.loops import DEPTH, NestLoop, broadcast_steps, merge, nest_fields, operation_loop, padded
from harness.kernels.work import Work
from harness.quantization.params import mul_params, sum_params
from harness.quantization.types import DType

_BYTES = "uint8_t"
_TOGETHER = constant("batch_matmul_portable.h", "HIL_MATMUL_COLUMNS")


class BatchMatmulPortable(Kernel):
    """BATCH_MATMUL."""

    ops = frozenset({"BATCH_MATMUL"})
    types = OPERATORS["BATCH_MATMUL"].types

    def lower(self, context: Context) -> Lowered:
        attrs, a, b, y = context.node.attrs, context.input(0), context.input(1), context.output()
        assert isinstance(attrs, MatmulAttrs)
        rows, depth, _, columns = sizes(a, b, attrs)
        batches = y.shape[:-2]
        steps = [
            [step * size for step in broadcast_steps(t.shape[:-2], batches)]
            for t, size in ((a, rows * depth), (b, depth * columns))
        ]
        loops = [NestLoop(n, (i, j)) for n, i, j in zip(batches, *steps, strict=True)]
        shape = nest_fields(padded(merge(loops, 2), DEPTH, 2, "BATCH_MATMUL"))
        shape |= {"rows": rows, "depth": depth, "columns": columns}
        shape["a_row"], shape["a_step"] = (1, rows) if attrs.a_transposed else (depth, 1)
        shape["b_column"], shape["b_step"] = (depth, 1) if attrs.b_transposed else (1, columns)
        names = ("is_float", "is_wide", "a_zero", "b_zero", "multiplier", "shift", "out_zero")
        numbers = (1, 0, 0, 0, 0, 0, 0)
        if y.dtype is not DType.FLOAT32:
            factor = mul_params(a, b, y)
            is_wide = int(y.dtype is DType.INT16)
            numbers = (0, is_wide, a.q.zero_point, b.q.zero_point, factor.m, factor.shift, y.q.zero_point)
        shape |= dict(zip(names, numbers, strict=True))
        call = Call("batch_matmul_portable", (In(0, _BYTES), In(1, _BYTES), Out(ctype=_BYTES)), shape)
        return Lowered("batch_matmul_portable", (call,))

    def work(self, context: Context) -> Work:
        attrs = context.node.attrs
        assert isinstance(attrs, MatmulAttrs)
        _, depth, _, columns = sizes(context.input(0), context.input(1), attrs)
        rows = context.output().elements // columns
        quads, rest = divmod(columns, _TOGETHER)
        loops = {operation_loop(context): rows * columns, operation_loop(context, "quad_tap"): rows * quads * depth}
        return Work(loops | {operation_loop(context, "tap"): rows * rest * depth})


class CumsumF32Portable(Kernel):
    """float32 CUMSUM."""

    ops = frozenset({"CUMSUM"})
    types = same(DType.FLOAT32)
    function = "cumsum_f32_portable"
    element = "float"

    def shape(self, context: Context) -> dict[str, int]:
        """Sizes, and which sum an element gets."""
        attrs, x = context.node.attrs, context.input()
        assert isinstance(attrs, CumsumAttrs)
        axis = attrs.axis
        shape = {"rows": prod(x.shape[:axis]), "size": x.shape[axis], "inner": prod(x.shape[axis + 1 :])}
        return shape | {"exclusive": int(attrs.exclusive), "reverse": int(attrs.reverse)}

    def lower(self, context: Context) -> Lowered:
        call = Call(self.function, (In(ctype=self.element), Out(ctype=self.element)), self.shape(context))
        return Lowered(self.function, (call,))

    def work(self, context: Context) -> Work:
        return Work({"element": context.output().elements})


class CumsumS8Portable(CumsumF32Portable):
    """int8 CUMSUM."""

    types = same(DType.INT8)
    function = "cumsum_s8_portable"
    element = "int8_t"

    def shape(self, context: Context) -> dict[str, int]:
        x, y = context.input(), context.output()
        factor = sum_params(x, y).y
        more = {"in_zero": x.q.zero_point, "multiplier": factor.m, "shift": factor.shift, "out_zero": y.q.zero_point}
        return super().shape(context) | more


class AddNF32Portable(Kernel):
    """float32 ADD_N: a call a term."""

    ops = frozenset({"ADD_N"})
    types = same(DType.FLOAT32)

    def lower(self, context: Context) -> Lowered:
        count, out = context.output().elements, Out(ctype="float")
        calls = tuple(
            Call("add_n_f32_portable", (In(i, "float"), out), {"count": count, "first": int(i == 0)})
            for i in range(len(context.node.inputs))
        )
        return Lowered("add_n_f32_portable", calls)

    def work(self, context: Context) -> Work:
        return Work({"element": context.output().elements * len(context.node.inputs)})


class AddNS8Portable(Kernel):
    """int8 ADD_N: a call a term, sums in scratch."""

    ops = frozenset({"ADD_N"})
    types = same(DType.INT8)

    def lower(self, context: Context) -> Lowered:
        x, y, terms = context.input(), context.output(), len(context.node.inputs)
        factor = sum_params(x, y).y
        shape = {"in_zero": x.q.zero_point, "multiplier": factor.m, "shift": factor.shift, "out_zero": y.q.zero_point}
        calls = tuple(
            Call(
                "add_n_s8_portable",
                (In(i), Scratch("int32_t"), Out()),
                {"count": y.elements, "first": int(i == 0), "last": int(i == terms - 1)} | shape,
            )
            for i in range(terms)
        )
        return Lowered("add_n_s8_portable", calls, 4 * y.elements)

    def work(self, context: Context) -> Work:
        elements = context.output().elements
        return Work({"element": elements * len(context.node.inputs)}, scratch=4 * elements)


KERNELS: tuple[Kernel, ...] = (
    BatchMatmulPortable(),
    CumsumF32Portable(),
    CumsumS8Portable(),
    AddNF32Portable(),
    AddNS8Portable(),
)
