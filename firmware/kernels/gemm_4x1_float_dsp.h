/* As gemm_4x2_float_dsp.h, for one pixel. */
#ifndef HIL_KERNELS_GEMM_4X1_FLOAT_DSP_H
#define HIL_KERNELS_GEMM_4X1_FLOAT_DSP_H

#include "gemm_dsp.h"

gemm_4x1 gemm_4x1_float_dsp;

#endif
