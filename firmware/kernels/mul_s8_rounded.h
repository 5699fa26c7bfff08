/* MUL, int8, with broadcasting, where harness/kernels/requant.py's form is exact. May overwrite an operand that has the
 * output's shape. */
#ifndef HIL_KERNELS_MUL_S8_ROUNDED_H
#define HIL_KERNELS_MUL_S8_ROUNDED_H

#include "requantize.h"

typedef struct {
    int32_t n0, n1, n2, n3, n4;
    int32_t a0, a1, a2, a3, a4;
    int32_t b0, b1, b2, b3, b4;
    int32_t a_zero, b_zero, multiplier, addend, shift, clamp_min, clamp_max;
} mul_s8_rounded_shape;

HIL_INLINE void mul_s8_rounded(const int8_t *a, const int8_t *b, int8_t *output, const mul_s8_rounded_shape *s)
{
    for (int32_t i0 = 0; i0 < s->n0; ++i0) {
        for (int32_t i1 = 0; i1 < s->n1; ++i1) {
            for (int32_t i2 = 0; i2 < s->n2; ++i2) {
                for (int32_t i3 = 0; i3 < s->n3; ++i3) {
                    const int8_t *x = a + i0 * s->a0 + i1 * s->a1 + i2 * s->a2 + i3 * s->a3;
                    const int8_t *y = b + i0 * s->b0 + i1 * s->b1 + i2 * s->b2 + i3 * s->b3;
                    for (int32_t i4 = 0; i4 < s->n4; ++i4) {
                        const int32_t doubled = 2 * (x[i4 * s->a4] - s->a_zero) * (y[i4 * s->b4] - s->b_zero);
                        int32_t high = (int32_t)(((int64_t)doubled * s->multiplier + (INT64_C(1) << 31)) >> 32);
                        high += high >> 31;
                        *output++ = (int8_t)hil_clamp((high + s->addend) >> s->shift, s->clamp_min, s->clamp_max);
                    }
                }
            }
        }
    }
}

#endif
