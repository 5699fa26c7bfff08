/* ADD, int8, MVE, with broadcasting. May overwrite an operand that has the output's shape. */
#ifndef HIL_KERNELS_ADD_S8_MVE_H
#define HIL_KERNELS_ADD_S8_MVE_H

#include "binary_s8_mve.h"

typedef binary_s8_mve_shape add_s8_mve_shape;

/* both operands are brought to a common scale with left_shift bits of head room, and their sum to the output's */
HIL_INLINE int32x4_t add_s8_mve_lanes(const binary_s8_mve_shape *s, int32x4_t a, int32x4_t b)
{
    const int32x4_t x = hil_mve_requantize(vshlq_r_s32(a, s->left_shift), s->a_multiplier, s->a_shift);
    const int32x4_t y = hil_mve_requantize(vshlq_r_s32(b, s->left_shift), s->b_multiplier, s->b_shift);
    return hil_mve_requantize(vaddq_s32(x, y), s->out_multiplier, s->out_shift);
}

HIL_INLINE void add_s8_mve(const int8_t *a, const int8_t *b, int8_t *output, const add_s8_mve_shape *s)
{
    binary_s8_mve_loops(a, b, output, s, add_s8_mve_lanes);
}

#endif
