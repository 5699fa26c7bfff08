/* One term of ADD_N, int8: sums with 19 more bits in scratch, which begin with the zero point and wrap around; the last call
 * rescales them. */
#ifndef HIL_KERNELS_ADD_N_S8_PORTABLE_H
#define HIL_KERNELS_ADD_N_S8_PORTABLE_H

#include "requantize.h"

#define HIL_ADD_N_BITS 19

typedef struct {
    int32_t count, first, last;
    int32_t in_zero, multiplier, shift, out_zero;
} add_n_s8_portable_shape;

HIL_INLINE void add_n_s8_portable(const int8_t *input, int32_t *sums, int8_t *output, const add_n_s8_portable_shape *s)
{
    for (int32_t i = 0; i < s->count; ++i) {
        const int32_t before = s->first ? -s->in_zero * (1 << HIL_ADD_N_BITS) : sums[i];
        const int32_t sum = hil_wrap_add(before, (input[i] - s->in_zero) * (1 << HIL_ADD_N_BITS));
        if (s->last) {
            const int32_t made = hil_wrap_add(hil_requantize(sum, s->multiplier, s->shift), s->out_zero);
            output[i] = (int8_t)hil_clamp(made, INT8_MIN, INT8_MAX);
        } else {
            sums[i] = sum;
        }
    }
}

#endif
