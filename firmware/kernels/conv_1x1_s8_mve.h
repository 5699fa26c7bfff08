/* CONV_2D 1x1 with stride 1, int8, MVE: the pixels of all batches are one row of activations; see gemm_s8_mve.h. */
#ifndef HIL_KERNELS_CONV_1X1_S8_MVE_H
#define HIL_KERNELS_CONV_1X1_S8_MVE_H

#include "gemm_s8_mve.h"

typedef gemm_s8_mve_shape conv_1x1_s8_mve_shape;

HIL_INLINE void conv_1x1_s8_mve(const int8_t *input, const int32_t *packed, int8_t *output,
                                const conv_1x1_s8_mve_shape *s)
{
    gemm_s8_mve_choose(s->form, s->steps, s->tail)(input, packed, output, s);
}

#endif
