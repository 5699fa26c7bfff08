/* As gemm_4x2_plain_dsp.h, rounded as ONNX Runtime does, for cores with a floating-point unit; offset is the zero point. */
#ifndef HIL_KERNELS_GEMM_4X2_FLOAT_DSP_H
#define HIL_KERNELS_GEMM_4X2_FLOAT_DSP_H

#include "gemm_dsp.h"

gemm_4x2 gemm_4x2_float_dsp;

#endif
