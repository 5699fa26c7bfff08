/* Four channels of two pixels at a time, a byte a weight: for layers whose weights or sums are too large for
 * gemm_4x2_carry_dsp.h. */
#ifndef HIL_KERNELS_GEMM_4X2_PLAIN_DSP_H
#define HIL_KERNELS_GEMM_4X2_PLAIN_DSP_H

#include "gemm_dsp.h"

gemm_4x2 gemm_4x2_plain_dsp;

#endif
