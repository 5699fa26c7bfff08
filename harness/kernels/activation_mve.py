"""Functions of one byte by table, and SOFTMAX, on Armv8.1-M MVE."""

from __future__ import annotations

from harness.kernels.activation import Lut8Portable, SoftmaxS8Portable
from harness.kernels.base import Kernel
from harness.kernels.context import Context
from harness.kernels.mve_kernel import Loops, MveKernel


class Lut8Mve(MveKernel, Lut8Portable):
    """Functions of one byte between 8-bit types, 16 elements at a time."""

    function = "lut_8_mve"

    def loops(self, context: Context) -> Loops:
        return {"vector": -(-context.output().elements // 16)}

    def flash(self, context: Context) -> int:
        return 256


class SoftmaxS8Mve(MveKernel, SoftmaxS8Portable):
    """int8 SOFTMAX, four elements at a time."""

    function = "softmax_s8_mve"

    def loops(self, context: Context) -> Loops:
        elements, depth = context.output().elements, context.output().shape[-1]
        rows = elements // depth
        return {"row": rows, "sixteen": rows * -(-depth // 16), "four": rows * -(-depth // 4)}


KERNELS: tuple[Kernel, ...] = (Lut8Mve(), SoftmaxS8Mve())
