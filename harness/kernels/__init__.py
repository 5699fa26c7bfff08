"""Kernels: every way to compute an operator.

Adding one is a header in firmware/kernels (and its code, where that is shared), a Kernel in this folder and its line in
KERNELS.
"""

from __future__ import annotations

from harness.kernels import (
    activation_mve,
    add_linear,
    convolution_mve,
    depthwise_3x3_dsp,
    depthwise_mve,
    depthwise_quads_dsp,
    elementwise_mve,
    fully_connected_mve,
    movement_mve,
    mul_rounded,
    pooling_dsp,
    pooling_mve,
)
from harness.kernels.activation import Lut8Portable, SoftmaxS8Portable
from harness.kernels.base import Kernel
from harness.kernels.convolution import (
    ConvS8Pairs,
    ConvS8Portable,
    DepthwiseConvS8Plane,
    DepthwiseConvS8Portable,
    FullyConnectedS8Portable,
)
from harness.kernels.convolution_dsp import CONVOLUTION_DSP
from harness.kernels.elementwise import AddS8Portable, MulS8Portable
from harness.kernels.movement import ConcatPortable, MovePortable, PadPortable, SplitPortable, StridedSlicePortable
from harness.kernels.pooling import AveragePoolS8Portable, MaxPoolS8Portable, MeanS8Portable
from harness.kernels.quantization import DequantizePortable, QuantizeF32Portable, RequantizePortable

KERNELS: tuple[Kernel, ...] = (
    ConvS8Portable(),
    ConvS8Pairs(),
    *CONVOLUTION_DSP,
    *convolution_mve.KERNELS,
    DepthwiseConvS8Portable(),
    DepthwiseConvS8Plane(),
    *depthwise_3x3_dsp.KERNELS,
    *depthwise_quads_dsp.KERNELS,
    *depthwise_mve.KERNELS,
    FullyConnectedS8Portable(),
    *fully_connected_mve.KERNELS,
    AveragePoolS8Portable(),
    MaxPoolS8Portable(),
    MeanS8Portable(),
    *pooling_mve.KERNELS,
    *pooling_dsp.KERNELS,
    AddS8Portable(),
    *add_linear.KERNELS,
    MulS8Portable(),
    *mul_rounded.KERNELS,
    *elementwise_mve.KERNELS,
    Lut8Portable(),
    *activation_mve.KERNELS,
    SoftmaxS8Portable(),
    RequantizePortable(),
    QuantizeF32Portable(),
    DequantizePortable(),
    MovePortable(),
    ConcatPortable(),
    SplitPortable(),
    StridedSlicePortable(),
    PadPortable(),
    *movement_mve.KERNELS,
)
