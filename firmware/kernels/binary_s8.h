/* Shape of the element-wise kernels of two operands: up to five loops, each operand with its own steps (0 = broadcast). */
#ifndef HIL_KERNELS_BINARY_S8_H
#define HIL_KERNELS_BINARY_S8_H

#include "requantize.h"

typedef struct {
    int32_t n0, n1, n2, n3, n4;
    int32_t a0, a1, a2, a3, a4;
    int32_t b0, b1, b2, b3, b4;
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
    for (int32_t i0 = 0; i0 < s->n0; ++i0) {
        for (int32_t i1 = 0; i1 < s->n1; ++i1) {
            for (int32_t i2 = 0; i2 < s->n2; ++i2) {
                for (int32_t i3 = 0; i3 < s->n3; ++i3) {
                    const int8_t *x = a + i0 * s->a0 + i1 * s->a1 + i2 * s->a2 + i3 * s->a3;
                    const int8_t *y = b + i0 * s->b0 + i1 * s->b1 + i2 * s->b2 + i3 * s->b3;
                    for (int32_t i4 = 0; i4 < s->n4; ++i4) {
                        const int32_t scaled = function(s, x[i4 * s->a4] - s->a_zero, y[i4 * s->b4] - s->b_zero);
                        *output++ = (int8_t)hil_clamp(hil_wrap_add(scaled, s->out_zero), s->clamp_min, s->clamp_max);
                    }
                }
            }
        }
    }
}

#endif
