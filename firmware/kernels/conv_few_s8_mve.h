/* CONV_2D, int8, MVE: as conv_parts_s8_mve.h, of few output channels a group, one at a time (gemm_1x8_s8_mve.h). */
#ifndef HIL_KERNELS_CONV_FEW_S8_MVE_H
#define HIL_KERNELS_CONV_FEW_S8_MVE_H

#include "conv_parts_s8_mve.h"

HIL_INLINE void conv_few_s8_mve(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *strip,
                                const conv_few_s8_mve_shape *s)
{
    conv_parts_s8_mve_rows(input, packed, output, strip, s, gemm_1x8_s8_mve_choose(s->form));
}

#endif
