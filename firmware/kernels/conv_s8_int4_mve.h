/* CONV_2D, int8, MVE, weights of four bits: as conv_s8_mve.h, see gemm_int4_mve.h. */
#ifndef HIL_KERNELS_CONV_S8_INT4_MVE_H
#define HIL_KERNELS_CONV_S8_INT4_MVE_H

#include "conv_s8_mve.h"
#include "gemm_int4_mve.h"

typedef conv_s8_mve_shape conv_s8_int4_mve_shape;

HIL_INLINE void conv_s8_int4_mve(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *strip,
                                 const conv_s8_int4_mve_shape *s)
{
    conv_s8_mve_rows(input, packed, output, strip, s, gemm_int4_mve_choose(s->form, s->steps, s->tail));
}

#endif
