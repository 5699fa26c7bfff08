/* FULLY_CONNECTED, int8: weights of four bits (gemm_4x1_int4_dsp.h), for all DSP cores. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S8_INT4_DSP_H
#define HIL_KERNELS_FULLY_CONNECTED_S8_INT4_DSP_H

#include "fully_connected_dsp.h"
#include "gemm_4x1_int4_dsp.h"

typedef fully_connected_dsp_shape fully_connected_s8_int4_dsp_shape;

HIL_INLINE void fully_connected_s8_int4_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch,
                                            const fully_connected_s8_int4_dsp_shape *s)
{
    fully_connected_dsp(input, weights, output, scratch, s, gemm_4x1_int4_dsp);
}

#endif
