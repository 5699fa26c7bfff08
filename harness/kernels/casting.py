"""CAST beyond 8-bit tables."""

from __future__ import annotations

from harness.ir.operators import OPERATORS
from harness.kernels.base import Call, In, Kernel, Lowered, Out
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.work import Work
from harness.quantization.types import DType

_TYPE = {
    DType.INT8: constant("cast_portable.h", "HIL_CAST_S8"),
    DType.UINT8: constant("cast_portable.h", "HIL_CAST_U8"),
    DType.INT16: constant("cast_portable.h", "HIL_CAST_S16"),
    DType.INT32: constant("cast_portable.h", "HIL_CAST_S32"),
    DType.UINT32: constant("cast_portable.h", "HIL_CAST_U32"),
    DType.INT64: constant("cast_portable.h", "HIL_CAST_S64"),
    DType.BOOL: constant("cast_portable.h", "HIL_CAST_BOOL"),
    DType.FLOAT32: constant("cast_portable.h", "HIL_CAST_F32"),
}


class CastPortable(Kernel):
    """CAST between any two element types."""

    ops = frozenset({"CAST"})
    types = OPERATORS["CAST"].types

    def lower(self, context: Context) -> Lowered:
        x, y = context.input(), context.output()
        shape = {"count": y.elements, "in_type": _TYPE[x.dtype], "out_type": _TYPE[y.dtype]}
        arguments = (In(ctype="uint8_t"), Out(ctype="uint8_t"))
        return Lowered("cast_portable", (Call("cast_portable", arguments, shape),))

    def work(self, context: Context) -> Work:
        x, y = context.input(), context.output()
        return Work({f"{x.dtype.value}_to_{y.dtype.value}": y.elements})


KERNELS: tuple[Kernel, ...] = (CastPortable(),)
