/* FULLY_CONNECTED, int8: any multipliers and sums (gemm_4x1_general_dsp.h), for
 * cores with the DSP extension. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S8_GENERAL_DSP_H
#define HIL_KERNELS_FULLY_CONNECTED_S8_GENERAL_DSP_H

#include "fully_connected_dsp.h"
#include "gemm_4x1_general_dsp.h"

typedef fully_connected_dsp_shape fully_connected_s8_general_dsp_shape;

HIL_INLINE void fully_connected_s8_general_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch,
                    const fully_connected_s8_general_dsp_shape *s)
{
    fully_connected_dsp(input, weights, output, scratch, s, gemm_4x1_general_dsp);
}

#endif
