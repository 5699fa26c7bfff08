/* Four channels of one pixel at a time, weights as in gemm_4x2_int4_dsp.h: 15 instructions for 16 products. */
#ifndef HIL_KERNELS_GEMM_4X1_INT4_DSP_H
#define HIL_KERNELS_GEMM_4X1_INT4_DSP_H

#include "gemm_dsp.h"

gemm_4x1 gemm_4x1_int4_dsp;

#endif
