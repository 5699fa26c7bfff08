"""Functions of one byte by table, on Armv8.1-M MVE."""

from __future__ import annotations

from harness.kernels.activation import Lut8Portable
from harness.kernels.base import Context, Cost, Kernel
from harness.kernels.mve import MVE


class Lut8Mve(Lut8Portable):
    """LOGISTIC, RELU, RELU6 and QUANTIZE between 8-bit types, 16 elements at a time."""

    features = MVE
    function = "lut_8_mve"

    def cost(self, context: Context) -> Cost:
        return Cost(12 + 4 * -(-context.output().elements // 16), flash=256)


KERNELS: tuple[Kernel, ...] = (Lut8Mve(),)
