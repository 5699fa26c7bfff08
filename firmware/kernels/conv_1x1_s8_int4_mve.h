/* CONV_2D 1x1 with stride 1, int8, MVE, weights of four bits: as conv_1x1_s8_mve.h, see gemm_int4_mve.h. */
#ifndef HIL_KERNELS_CONV_1X1_S8_INT4_MVE_H
#define HIL_KERNELS_CONV_1X1_S8_INT4_MVE_H

#include "gemm_int4_mve.h"

typedef gemm_s8_mve_shape conv_1x1_s8_int4_mve_shape;

HIL_INLINE void conv_1x1_s8_int4_mve(const int8_t *input, const int32_t *packed, int8_t *output,
                                     const conv_1x1_s8_int4_mve_shape *s)
{
    gemm_int4_mve_choose(s->form, s->steps, s->tail)(input, packed, output, s);
}

#endif
