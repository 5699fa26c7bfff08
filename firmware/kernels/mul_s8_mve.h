/* MUL, int8, MVE, with broadcasting. May overwrite an operand that has the output's shape. */
#ifndef HIL_KERNELS_MUL_S8_MVE_H
#define HIL_KERNELS_MUL_S8_MVE_H

#include "binary_s8_mve.h"

typedef binary_s8_mve_shape mul_s8_mve_shape;

HIL_INLINE int32x4_t mul_s8_mve_lanes(const binary_s8_mve_shape *s, int32x4_t a, int32x4_t b)
{
    return hil_mve_requantize(vmulq_s32(a, b), s->out_multiplier, s->out_shift);
}

HIL_INLINE void mul_s8_mve(const int8_t *a, const int8_t *b, int8_t *output, const mul_s8_mve_shape *s)
{
    binary_s8_mve_loops(a, b, output, s, mul_s8_mve_lanes);
}

#endif
