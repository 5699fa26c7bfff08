/* As gemm_4x2_general_dsp.h, for one pixel. */
#ifndef HIL_KERNELS_GEMM_4X1_GENERAL_DSP_H
#define HIL_KERNELS_GEMM_4X1_GENERAL_DSP_H

#include "gemm_dsp.h"

gemm_4x1 gemm_4x1_general_dsp;

#endif
