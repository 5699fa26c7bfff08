/* MUL, int8, with broadcasting. May overwrite an operand that has the output's shape. */
#ifndef HIL_KERNELS_MUL_S8_PORTABLE_H
#define HIL_KERNELS_MUL_S8_PORTABLE_H

#include "binary_s8.h"

typedef binary_s8_shape mul_s8_portable_shape;

HIL_INLINE int32_t mul_s8_portable_one(const binary_s8_shape *s, int32_t a, int32_t b)
{
    return hil_requantize(a * b, s->out_multiplier, s->out_shift);
}

HIL_INLINE void mul_s8_portable(const int8_t *a, const int8_t *b, int8_t *output, const mul_s8_portable_shape *s)
{
    binary_s8_loop(a, b, output, s, mul_s8_portable_one);
}

#endif
