/* MAXIMUM and MINIMUM, int8, MVE: sixteen elements at a time. Works in place. */
#ifndef HIL_KERNELS_EXTREME_S8_MVE_H
#define HIL_KERNELS_EXTREME_S8_MVE_H

#include <arm_mve.h>

#include "kernel.h"

typedef struct {
    int32_t count, smallest;
    int32_t a_step, b_step; /* 0: one element for all of the other's */
} extreme_s8_mve_shape;

HIL_INLINE int8x16_t extreme_s8_mve_load(const int8_t *p, int32_t step, mve_pred16_t lanes)
{
    return step == 0 ? vdupq_n_s8(p[0]) : vldrbq_z_s8(p, lanes);
}

HIL_INLINE void extreme_s8_mve(const int8_t *a, const int8_t *b, int8_t *output, const extreme_s8_mve_shape *s)
{
    for (int32_t i = 0; i < s->count; i += 16) {
        const mve_pred16_t lanes = vctp8q((uint32_t)(s->count - i));
        const int8x16_t x = extreme_s8_mve_load(a + i * s->a_step, s->a_step, lanes);
        const int8x16_t y = extreme_s8_mve_load(b + i * s->b_step, s->b_step, lanes);
        vstrbq_p_s8(output + i, s->smallest ? vminq_s8(x, y) : vmaxq_s8(x, y), lanes);
    }
}

#endif
