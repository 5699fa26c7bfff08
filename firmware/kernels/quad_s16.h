/* Four sums of int16 activations times int8 weights: in 32 bits as far as they cannot overflow, then in 64. */
#ifndef HIL_KERNELS_QUAD_S16_H
#define HIL_KERNELS_QUAD_S16_H

#include "requantize_wide.h"

/* products of 2^22 at most: as many add up in 31 bits */
#define HIL_S16_RUN 511
#define HIL_S16_TAPS 508 /* the same, by fours */

/* sums[k] += x[i] * w[4 * i + k] for i < count */
HIL_INLINE void quad_s16_dot(int64_t *sums, const int16_t *x, const int8_t *w, int32_t count)
{
    while (count > 0) {
        const int32_t run = count < HIL_S16_RUN ? count : HIL_S16_RUN;
        int32_t a = 0, b = 0, c = 0, d = 0;
        for (int32_t i = 0; i < run; ++i) {
            const int32_t value = x[i];
            a += value * w[4 * i];
            b += value * w[4 * i + 1];
            c += value * w[4 * i + 2];
            d += value * w[4 * i + 3];
        }
        sums[0] += a;
        sums[1] += b;
        sums[2] += c;
        sums[3] += d;
        x += run;
        w += 4 * run;
        count -= run;
    }
}

/* Adds biases, rescales and stores `count` of four; returns the place after them. */
HIL_INLINE int16_t *quad_s16_store(int16_t *output, const int64_t *sums, const int64_t *biases, const int32_t *factors,
                                   int32_t count, const scale_s16_shape *s)
{
    for (int32_t i = 0; i < count; ++i) {
        *output++ = hil_scale_s16(sums[i], biases[i], factors + 2 * i, s);
    }
    return output;
}

#endif
