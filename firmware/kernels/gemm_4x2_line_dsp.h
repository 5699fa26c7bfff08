/* As gemm_4x2_carry_dsp.h, for layers with a fused RELU whose requantization is one multiplication and one saturation: P
 * starts so that P - Q = 256 * S_odd + offset, and 256 * Q + offset is the even channel's (requant_linear.py). */
#ifndef HIL_KERNELS_GEMM_4X2_LINE_DSP_H
#define HIL_KERNELS_GEMM_4X2_LINE_DSP_H

#include "gemm_dsp.h"

gemm_4x2 gemm_4x2_line_dsp;

#endif
