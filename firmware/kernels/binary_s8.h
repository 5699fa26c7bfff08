/* Shape of the element-wise kernels of two operands: up to five loops, each operand with its own steps (0 = broadcast). */
#ifndef HIL_KERNELS_BINARY_S8_H
#define HIL_KERNELS_BINARY_S8_H

#include "nest.h"
#include "requantize.h"

typedef struct {
    hil_nest nest;
    int32_t a_zero, a_multiplier, a_shift;
    int32_t b_zero, b_multiplier, b_shift;
    int32_t left_shift;
    int32_t out_zero, out_multiplier, out_shift, clamp_min, clamp_max;
} binary_s8_shape;

typedef int32_t (*binary_s8_function)(const binary_s8_shape *s, int32_t a, int32_t b);

/* `function` gets both operands without their zero points and returns the scaled result without the output's */
HIL_INLINE void binary_s8_loop(const int8_t *a, const int8_t *b, int8_t *output, const binary_s8_shape *s,
                               binary_s8_function function)
{
    HIL_NEST_FOR(s->nest) {
        const int8_t *x = HIL_NEST_A(a, s->nest);
        const int8_t *y = HIL_NEST_B(b, s->nest);
        for (int32_t i = 0; i < s->nest.n4; ++i) {
            const int32_t scaled = function(s, x[i * s->nest.a4] - s->a_zero, y[i * s->nest.b4] - s->b_zero);
            *output++ = (int8_t)hil_clamp(hil_wrap_add(scaled, s->out_zero), s->clamp_min, s->clamp_max);
        }
    }
}

#endif
