"""Functions of one byte by table, on Armv8.1-M MVE."""

from __future__ import annotations

from typing import ClassVar

from harness.kernels.activation import Lut8Portable
from harness.kernels.base import Context, Kernel
from harness.kernels.effort_mve import Loops, MveKernel, Rate, Rates


class Lut8Mve(MveKernel, Lut8Portable):
    """LOGISTIC, RELU, RELU6 and QUANTIZE between 8-bit types, 16 elements at a time."""

    function = "lut_8_mve"
    rates: ClassVar[Rates] = {"layer": Rate(9, 13.6), "vector": Rate(4, 6)}

    def loops(self, context: Context) -> Loops:
        return {"layer": 1, "vector": -(-context.output().elements // 16)}

    def flash(self, context: Context) -> int:
        return 256


KERNELS: tuple[Kernel, ...] = (Lut8Mve(),)
