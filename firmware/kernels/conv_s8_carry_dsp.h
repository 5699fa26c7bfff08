/* CONV_2D and FULLY_CONNECTED of several rows, int8: carry-packed weights (gemm_4x2_carry_dsp.h), for the Cortex-M4 and M33. */
#ifndef HIL_KERNELS_CONV_S8_CARRY_DSP_H
#define HIL_KERNELS_CONV_S8_CARRY_DSP_H

#include "conv_dsp.h"
#include "gemm_4x1_carry_dsp.h"
#include "gemm_4x2_carry_dsp.h"

typedef conv_dsp_shape conv_s8_carry_dsp_shape;

HIL_INLINE void conv_s8_carry_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch, const conv_s8_carry_dsp_shape *s)
{
    conv_dsp(input, weights, output, scratch, s, gemm_4x2_carry_dsp, gemm_4x1_carry_dsp, conv_dsp_inner(s));
}

#endif
