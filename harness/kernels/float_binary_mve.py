"""ADD, SUB and MUL of float32 in vectors of MVE, as far as those are exact."""

from __future__ import annotations

from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.operator import same
from harness.kernels.base import Float, Kernel, Lowered
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.loops import broadcast_loops_of
from harness.kernels.mve_kernel import MVE
from harness.kernels.numbers import OPERATION, PlainBinaryPortable, nest_calls
from harness.kernels.work import Work
from harness.quantization.types import DType

_BLOCK = constant("row_f32_mve.h", "HIL_ROW_F32_BLOCK")
_VECTOR = 4
_ADD = constant("plain_binary_portable.h", "HIL_PLAIN_ADD")
_SUB = constant("plain_binary_portable.h", "HIL_PLAIN_SUB")
_MUL = constant("plain_binary_portable.h", "HIL_PLAIN_MUL")


class BinaryF32Mve(PlainBinaryPortable):
    """ADD, SUB and MUL of float32: sixteen elements of a row at a time.

    The cost model expects that no element is subnormal (firmware/kernels/quad_f32_mve.h).
    """

    ops = frozenset(name for name, number in OPERATION.items() if number in (_ADD, _SUB, _MUL))
    types = same(DType.FLOAT32)
    features = MVE

    def applies(self, context: Context) -> bool:
        row = broadcast_loops_of(context.input(0), context.input(1), context.output())[-1]
        return set(row.steps) <= {0, 1} and row.count >= _VECTOR

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, BinaryAttrs)
        ends = tuple(Float(float(end)) for end in attrs.clamp)
        shape = {"operation": OPERATION[context.node.op]}
        return Lowered("binary_f32_mve", nest_calls(context, "binary_f32_mve", ends, shape))

    def work(self, context: Context) -> Work:
        row = broadcast_loops_of(context.input(0), context.input(1), context.output())[-1]
        runs = context.output().elements // row.count
        loops = {"run": runs, "filled": runs * (0 in row.steps), "block": runs * (row.count // _BLOCK)}
        return Work(loops | {"vector": runs * -(-(row.count % _BLOCK) // _VECTOR)})


KERNELS: tuple[Kernel, ...] = (BinaryF32Mve(),)
