/* CONV_2D 1x1 with stride 1, int8, MVE: the pixels of all batches are one row of activations; see gemm_s8_mve.h and
 * gemm_pairs_s8_mve.h. */
#ifndef HIL_KERNELS_CONV_1X1_S8_MVE_H
#define HIL_KERNELS_CONV_1X1_S8_MVE_H

#include "gemm_pairs_s8_mve.h"

typedef gemm_s8_mve_shape conv_1x1_s8_mve_shape;

HIL_INLINE void conv_1x1_s8_mve(const int8_t *input, const int32_t *packed, int8_t *output,
                                const conv_1x1_s8_mve_shape *s)
{
    const int alone = gemm_mve_is_pairs(s->form) && s->pixels % 2 == 1 &&
                      s->steps + (s->tail != 0) <= HIL_GEMM_PAIRS_MVE_ALONE;
    if (!alone) {
        gemm_mve_choose(s->form, s->steps, s->tail)(input, packed, output, s);
        return;
    }
    const int32_t before = s->pixels - 1;
    if (before > 0) {
        const gemm_s8_mve_shape even = {before,    s->x_step,   s->steps,     s->tail,     s->out_c,
                                        s->out_zero, s->clamp_min, s->clamp_max, s->form, s->out_step};
        gemm_pairs_s8_mve_choose(s->form, s->steps, s->tail)(input, packed, output, &even);
    }
    gemm_alone_s8_mve_choose(s->form, s->steps, s->tail)(input + before * s->x_step, packed, output + before * s->out_step, s);
}

#endif
