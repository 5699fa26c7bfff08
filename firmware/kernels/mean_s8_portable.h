/* MEAN, int8, over any dimensions: up to three kept and three reduced runs of dimensions, with their steps. */
#ifndef HIL_KERNELS_MEAN_S8_PORTABLE_H
#define HIL_KERNELS_MEAN_S8_PORTABLE_H

#include "requantize.h"

typedef struct {
    int32_t kept0, kept1, kept2, kept_step0, kept_step1, kept_step2;
    int32_t reduced0, reduced1, reduced2, reduced_step0, reduced_step1, reduced_step2;
    int32_t zero_sum; /* input zero point times the number of elements summed */
    int32_t multiplier, shift, out_zero;
} mean_s8_portable_shape;

HIL_INLINE void mean_s8_portable(const int8_t *input, int8_t *output, const mean_s8_portable_shape *s)
{
    for (int32_t k0 = 0; k0 < s->kept0; ++k0) {
        for (int32_t k1 = 0; k1 < s->kept1; ++k1) {
            for (int32_t k2 = 0; k2 < s->kept2; ++k2) {
                const int8_t *x = input + k0 * s->kept_step0 + k1 * s->kept_step1 + k2 * s->kept_step2;
                int32_t sum = -s->zero_sum;
                for (int32_t r0 = 0; r0 < s->reduced0; ++r0) {
                    for (int32_t r1 = 0; r1 < s->reduced1; ++r1) {
                        const int8_t *line = x + r0 * s->reduced_step0 + r1 * s->reduced_step1;
                        for (int32_t r2 = 0; r2 < s->reduced2; ++r2) {
                            sum += line[r2 * s->reduced_step2];
                        }
                    }
                }
                const int32_t scaled = hil_requantize(sum, s->multiplier, s->shift);
                *output++ = (int8_t)hil_clamp(hil_wrap_add(scaled, s->out_zero), INT8_MIN, INT8_MAX);
            }
        }
    }
}

#endif
