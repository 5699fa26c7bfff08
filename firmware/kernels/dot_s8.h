/* Dot products of one row of activations with one or four rows of weights: shared by convolutions and fully connected.
 *
 * The four sums have names, not indices, so that every C compiler keeps them in registers. */
#ifndef HIL_KERNELS_DOT_S8_H
#define HIL_KERNELS_DOT_S8_H

#include "requantize.h"

typedef struct {
    uint32_t a, b, c, d;
} dot_s8_sums;

HIL_INLINE dot_s8_sums dot_s8_start(const int32_t *bias, int32_t channels)
{
    dot_s8_sums sums = {(uint32_t)bias[0], 0, 0, 0};
    if (channels == 4) {
        sums.b = (uint32_t)bias[1];
        sums.c = (uint32_t)bias[2];
        sums.d = (uint32_t)bias[3];
    }
    return sums;
}

/* four rows of weights, `row` bytes apart */
HIL_INLINE void dot_s8_quad(dot_s8_sums *sums, const int8_t *x, const int8_t *w, int32_t row, int32_t count,
                            int32_t in_zero)
{
    dot_s8_sums t = *sums;
    const int8_t *const end = x + count;
    while (x < end) {
        const int32_t value = *x++ - in_zero;
        t.a += (uint32_t)(value * w[0]);
        t.b += (uint32_t)(value * w[row]);
        t.c += (uint32_t)(value * w[2 * row]);
        t.d += (uint32_t)(value * w[3 * row]);
        ++w;
    }
    *sums = t;
}

HIL_INLINE void dot_s8_single(dot_s8_sums *sums, const int8_t *x, const int8_t *w, int32_t count, int32_t in_zero)
{
    uint32_t sum = sums->a;
    const int8_t *const end = x + count;
    while (x < end) {
        sum += (uint32_t)((*x++ - in_zero) * *w++);
    }
    sums->a = sum;
}

/* rescales, moves to the output's zero point and clamps */
HIL_INLINE void dot_s8_finish(const dot_s8_sums *sums, int32_t channels, const int32_t *multiplier, const int8_t *shift,
                              int8_t *output, int32_t out_zero, int32_t clamp_min, int32_t clamp_max)
{
    const uint32_t all[4] = {sums->a, sums->b, sums->c, sums->d};
    for (int32_t i = 0; i < channels; ++i) {
        const int32_t scaled = hil_requantize((int32_t)all[i], multiplier[i], shift[i]);
        output[i] = (int8_t)hil_clamp(hil_wrap_add(scaled, out_zero), clamp_min, clamp_max);
    }
}

#endif
