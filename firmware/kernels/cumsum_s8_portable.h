/* CUMSUM along a dimension, int8: sums with 19 more bits, which begin with the zero point, wrap around, and are rescaled. */
#ifndef HIL_KERNELS_CUMSUM_S8_PORTABLE_H
#define HIL_KERNELS_CUMSUM_S8_PORTABLE_H

#include "requantize.h"

#define HIL_CUMSUM_BITS 19

typedef struct {
    int32_t rows, size, inner; /* elements before, along and behind the axis */
    int32_t exclusive, reverse;
    int32_t in_zero, multiplier, shift, out_zero;
} cumsum_s8_portable_shape;

HIL_INLINE void cumsum_s8_portable(const int8_t *input, int8_t *output, const cumsum_s8_portable_shape *s)
{
    for (int32_t r = 0; r < s->rows; ++r) {
        for (int32_t i = 0; i < s->inner; ++i) {
            int32_t sum = -s->in_zero * (1 << HIL_CUMSUM_BITS);
            for (int32_t k = 0; k < s->size; ++k) {
                const int32_t at = (r * s->size + (s->reverse ? s->size - 1 - k : k)) * s->inner + i;
                const int32_t before = sum;
                sum = hil_wrap_add(sum, (input[at] - s->in_zero) * (1 << HIL_CUMSUM_BITS));
                const int32_t made = hil_requantize(s->exclusive ? before : sum, s->multiplier, s->shift);
                output[at] = (int8_t)hil_clamp(hil_wrap_add(made, s->out_zero), INT8_MIN, INT8_MAX);
            }
        }
    }
}

#endif
