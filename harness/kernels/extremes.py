"""MAXIMUM and MINIMUM of int8 with the DSP extension and on MVE: operands of one shape, or one of them a number."""

from __future__ import annotations

from typing import ClassVar

from harness.ir.operators.operator import same
from harness.kernels.access_order import AccessOrder, elementwise
from harness.kernels.base import Call, In, Kernel, Lowered, Out
from harness.kernels.context import Context
from harness.kernels.loops import broadcast_loops_of
from harness.kernels.mve import LANES
from harness.kernels.mve_kernel import MVE
from harness.kernels.numbers import EXTREMES, is_smallest
from harness.kernels.scaling_dsp import DSP
from harness.kernels.work import Work
from harness.quantization.types import DType


class ExtremeS8Dsp(Kernel):
    """Four elements at a time."""

    ops = EXTREMES
    types = same(DType.INT8)
    features = DSP
    superseded_by = MVE
    function = "extreme_s8_dsp"
    lanes: ClassVar[int] = 4

    def applies(self, context: Context) -> bool:
        return len(broadcast_loops_of(context.input(0), context.input(1), context.output())) == 1

    def lower(self, context: Context) -> Lowered:
        (loop,) = broadcast_loops_of(context.input(0), context.input(1), context.output())
        shape = {"count": loop.count, "smallest": int(is_smallest(context))}
        shape |= {"a_step": loop.steps[0], "b_step": loop.steps[1]}
        return Lowered(self.function, (Call(self.function, (In(0), In(1), Out()), shape),))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context, (0, 1), group=self.lanes)

    def work(self, context: Context) -> Work:
        vectors, rest = divmod(context.output().elements, self.lanes)
        return Work({"four": vectors, "rest": rest})


class ExtremeS8Mve(ExtremeS8Dsp):
    """Sixteen elements at a time."""

    features = MVE
    superseded_by = frozenset()
    function = "extreme_s8_mve"
    lanes = LANES

    def work(self, context: Context) -> Work:
        return Work({"vector": -(-context.output().elements // self.lanes)})


KERNELS: tuple[Kernel, ...] = (ExtremeS8Dsp(), ExtremeS8Mve())
