/* ADD, int8, with broadcasting. May overwrite an operand that has the output's shape. */
#ifndef HIL_KERNELS_ADD_S8_PORTABLE_H
#define HIL_KERNELS_ADD_S8_PORTABLE_H

#include "binary_s8.h"

typedef binary_s8_shape add_s8_portable_shape;

/* both operands are brought to a common scale with left_shift bits of head room, and their sum to the output's */
HIL_INLINE int32_t add_s8_portable_one(const binary_s8_shape *s, int32_t a, int32_t b)
{
    const int32_t one = INT32_C(1) << s->left_shift;
    const int32_t scaled_a = hil_requantize(a * one, s->a_multiplier, s->a_shift);
    const int32_t scaled_b = hil_requantize(b * one, s->b_multiplier, s->b_shift);
    return hil_requantize(hil_wrap_add(scaled_a, scaled_b), s->out_multiplier, s->out_shift);
}

HIL_INLINE void add_s8_portable(const int8_t *a, const int8_t *b, int8_t *output, const add_s8_portable_shape *s)
{
    binary_s8_loop(a, b, output, s, add_s8_portable_one);
}

#endif
