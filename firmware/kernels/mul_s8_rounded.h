/* MUL, int8, with broadcasting, where harness/kernels/requant.py's form is exact. May overwrite an operand that has the
 * output's shape. */
#ifndef HIL_KERNELS_MUL_S8_ROUNDED_H
#define HIL_KERNELS_MUL_S8_ROUNDED_H

#include "nest.h"
#include "requantize.h"

typedef struct {
    hil_nest nest;
    int32_t a_zero, b_zero, multiplier, addend, shift, clamp_min, clamp_max;
} mul_s8_rounded_shape;

HIL_INLINE void mul_s8_rounded(const int8_t *a, const int8_t *b, int8_t *output, const mul_s8_rounded_shape *s)
{
    HIL_NEST_FOR(s->nest) {
        const int8_t *x = HIL_NEST_A(a, s->nest);
        const int8_t *y = HIL_NEST_B(b, s->nest);
        for (int32_t i = 0; i < s->nest.n4; ++i) {
            const int32_t doubled = 2 * (x[i * s->nest.a4] - s->a_zero) * (y[i * s->nest.b4] - s->b_zero);
            int32_t high = (int32_t)(((int64_t)doubled * s->multiplier + (INT64_C(1) << 31)) >> 32);
            high += high >> 31;
            *output++ = (int8_t)hil_clamp((high + s->addend) >> s->shift, s->clamp_min, s->clamp_max);
        }
    }
}

#endif
