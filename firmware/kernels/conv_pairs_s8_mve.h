/* CONV_2D, int8, MVE: as conv_parts_s8_mve.h, of two or six output channels a group, two at a time (gemm_2x4_s8_mve.h). */
#ifndef HIL_KERNELS_CONV_PAIRS_S8_MVE_H
#define HIL_KERNELS_CONV_PAIRS_S8_MVE_H

#include "conv_parts_s8_mve.h"
#include "gemm_2x4_s8_mve.h"

typedef conv_parts_s8_mve_shape conv_pairs_s8_mve_shape;

HIL_INLINE void conv_pairs_s8_mve(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *strip,
                                  const conv_pairs_s8_mve_shape *s)
{
    conv_parts_s8_mve_rows(input, packed, output, strip, s, gemm_2x4_s8_mve_choose(s->form));
}

#endif
