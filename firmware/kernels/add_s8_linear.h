/* ADD, int8, with broadcasting, where one line is exact for every pair of operands (harness/kernels/add_line.py).
 *
 * May overwrite an operand that has the output's shape. */
#ifndef HIL_KERNELS_ADD_S8_LINEAR_H
#define HIL_KERNELS_ADD_S8_LINEAR_H

#include "add_line.h"
#include "nest.h"
#include "requantize.h"

typedef struct {
    hil_nest nest;
    int32_t away, a_multiplier, b_multiplier, offset, rounding, clamp_min, clamp_max;
} add_s8_linear_shape;

HIL_INLINE void add_s8_linear(const int8_t *a, const int8_t *b, int8_t *output, const add_s8_linear_shape *s)
{
    HIL_NEST_FOR(s->nest) {
        const int8_t *x = HIL_NEST_A(a, s->nest);
        const int8_t *y = HIL_NEST_B(b, s->nest);
        for (int32_t i = 0; i < s->nest.n4; ++i) {
            int32_t sum = x[i * s->nest.a4] * s->a_multiplier + (y[i * s->nest.b4] * s->b_multiplier + s->offset);
            if (s->away) {
                sum += (sum >> 31) + s->rounding;
            }
            *output++ = (int8_t)hil_clamp(sum >> HIL_ADD_FRACTION_BITS, s->clamp_min, s->clamp_max);
        }
    }
}

#endif
