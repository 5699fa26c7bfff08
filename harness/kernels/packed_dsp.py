"""CONV_2D and FULLY_CONNECTED of weights that take four bits, on cores with the DSP extension.

Weights stay packed in flash. Those in -8..7 are multiplied as they are, four channels a lane (gemm.py, `int4`). Those of
16 values are looked up: in fully connected layers inside the inner kernel, in convolutions once per layer, some channels
at a time, into the words that the inner kernels of unpacked weights read.
"""

from __future__ import annotations

from harness.kernels.base import Kernel
from harness.kernels.convolution_dsp import ConvDsp, FullyConnectedDsp


class ConvS8Int4Dsp(ConvDsp):
    """Weights of four bits."""

    function = "conv_s8_int4_dsp"
    form = "int4"


class FullyConnectedS8Int4Dsp(FullyConnectedDsp):
    """Weights of four bits."""

    function = "fully_connected_s8_int4_dsp"
    form = "int4"


KERNELS: tuple[Kernel, ...] = (ConvS8Int4Dsp(), FullyConnectedS8Int4Dsp())
