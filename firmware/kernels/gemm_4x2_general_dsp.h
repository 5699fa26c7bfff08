/* As gemm_4x2_plain_dsp.h, for any multipliers and sums; offset is the zero point. */
#ifndef HIL_KERNELS_GEMM_4X2_GENERAL_DSP_H
#define HIL_KERNELS_GEMM_4X2_GENERAL_DSP_H

#include "gemm_dsp.h"

gemm_4x2 gemm_4x2_general_dsp;

#endif
