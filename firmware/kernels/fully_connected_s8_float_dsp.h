/* FULLY_CONNECTED, int8: rounded as ONNX Runtime does (gemm_4x1_float_dsp.h), for cores with the DSP extension and a
 * floating-point unit. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S8_FLOAT_DSP_H
#define HIL_KERNELS_FULLY_CONNECTED_S8_FLOAT_DSP_H

#include "fully_connected_dsp.h"
#include "gemm_4x1_float_dsp.h"

typedef fully_connected_dsp_shape fully_connected_s8_float_dsp_shape;

HIL_INLINE void fully_connected_s8_float_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch,
                    const fully_connected_s8_float_dsp_shape *s)
{
    fully_connected_dsp(input, weights, output, scratch, s, gemm_4x1_float_dsp);
}

#endif
