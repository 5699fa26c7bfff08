/* CONV_2D and FULLY_CONNECTED of several rows, int8: any multipliers and sums (gemm_4x2_general_dsp.h), for
 * cores with the DSP extension. */
#ifndef HIL_KERNELS_CONV_S8_GENERAL_DSP_H
#define HIL_KERNELS_CONV_S8_GENERAL_DSP_H

#include "conv_dsp.h"
#include "gemm_4x1_general_dsp.h"
#include "gemm_4x2_general_dsp.h"

typedef conv_dsp_shape conv_s8_general_dsp_shape;

HIL_INLINE void conv_s8_general_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch, const conv_s8_general_dsp_shape *s)
{
    conv_dsp(input, weights, output, scratch, s, gemm_4x2_general_dsp, gemm_4x1_general_dsp, conv_dsp_inner(s));
}

#endif
