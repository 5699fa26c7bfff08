/* CONV_2D and FULLY_CONNECTED of several rows, int8: rounded as ONNX
 * Runtime does (gemm_4x2_float_dsp.h), for cores with the DSP extension and a floating-point unit. */
#ifndef HIL_KERNELS_CONV_S8_FLOAT_DSP_H
#define HIL_KERNELS_CONV_S8_FLOAT_DSP_H

#include "conv_dsp.h"
#include "gemm_4x1_float_dsp.h"
#include "gemm_4x2_float_dsp.h"

typedef conv_dsp_shape conv_s8_float_dsp_shape;

HIL_INLINE void conv_s8_float_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch, const conv_s8_float_dsp_shape *s)
{
    conv_dsp(input, weights, output, scratch, s, gemm_4x2_float_dsp, gemm_4x1_float_dsp, conv_dsp_inner(s));
}

#endif
