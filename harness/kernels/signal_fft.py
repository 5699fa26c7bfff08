"""SignalRfft and SignalIrfft, with tables of the roots of unity and of the order in which steps take numbers."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from harness.ir.operators import names_of
from harness.ir.operators.operator import same
from harness.ir.operators.signal_fft import FftAttrs
from harness.kernels.base import Argument, Call, ConstantTable, In, Kernel, Lowered, Out, packed
from harness.kernels.context import Context
from harness.kernels.work import Work
from harness.quantization.fft import Numbers, places, steps, super_twiddles, twiddles
from harness.quantization.types import DType

_SUFFIX = {DType.INT16: "s16", DType.INT32: "s32", DType.FLOAT32: "f32"}
_CTYPE = {DType.INT16: "int16_t", DType.INT32: "int32_t", DType.FLOAT32: "float"}


class _Transform(Kernel):
    """What both ways share."""

    ops = frozenset[str]()
    types = same(*_SUFFIX)
    inverse: ClassVar[bool]

    def tables(self, context: Context) -> tuple[Argument, ...]:
        """The roots of the complex transform, those that untangle the real one, and the places of numbers."""
        dtype, n = context.input().dtype, _numbers(context)
        roots, turns = (make(n, Numbers(dtype), self.inverse) for make in (twiddles, super_twiddles))
        order = np.argsort(places(n)) if self.inverse else np.array(places(n))
        return (
            ConstantTable("roots", _CTYPE[dtype], packed(roots, dtype.value)),
            ConstantTable("turns", _CTYPE[dtype], packed(turns, dtype.value)),
            ConstantTable("places", "uint16_t", packed(order, "uint16")),
        )

    def called(self, context: Context, function: str, shape: dict[str, int]) -> Lowered:
        """One call of a function by type."""
        ctype = _CTYPE[context.input().dtype]
        function = f"{function}_{_SUFFIX[context.input().dtype]}_portable"
        arguments = (In(ctype=ctype), *self.tables(context), Out(ctype=ctype))
        return Lowered(function, (Call(function, arguments, shape | {"n": _numbers(context)}),))

    def work(self, context: Context) -> Work:
        n, rows = _numbers(context), _rows(context)
        return Work({"row": rows, "number": rows * n, "four": rows * n // 4 * len(steps(n))})


class RfftPortable(_Transform):
    """SignalRfft."""

    ops = frozenset({"SignalRfft"})
    inverse = False

    def lower(self, context: Context) -> Lowered:
        return self.called(context, "rfft", {"rows": _rows(context), "in_n": context.input().shape[-1]})


class IrfftPortable(_Transform):
    """SignalIrfft."""

    ops = names_of(FftAttrs) - RfftPortable.ops
    inverse = True

    def lower(self, context: Context) -> Lowered:
        return self.called(context, "irfft", {"rows": _rows(context)})


def _numbers(context: Context) -> int:
    """Complex numbers of the transform."""
    attrs = context.node.attrs
    assert isinstance(attrs, FftAttrs)
    return attrs.length // 2


def _rows(context: Context) -> int:
    return context.input().elements // context.input().shape[-1]


KERNELS: tuple[Kernel, ...] = (RfftPortable(), IrfftPortable())
