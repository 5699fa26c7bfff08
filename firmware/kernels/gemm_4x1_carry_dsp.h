/* Four channels of one pixel at a time, weights as in gemm_4x2_carry_dsp.h. */
#ifndef HIL_KERNELS_GEMM_4X1_CARRY_DSP_H
#define HIL_KERNELS_GEMM_4X1_CARRY_DSP_H

#include "gemm_dsp.h"

gemm_4x1 gemm_4x1_carry_dsp;

#endif
