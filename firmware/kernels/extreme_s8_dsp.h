/* MAXIMUM and MINIMUM, int8, with the DSP extension: four elements at a time. Works in place. */
#ifndef HIL_KERNELS_EXTREME_S8_DSP_H
#define HIL_KERNELS_EXTREME_S8_DSP_H

#include <string.h>

#include "minmax_s8_dsp.h"

typedef struct {
    int32_t count, smallest;
    int32_t a_step, b_step; /* 0: one element for all of the other's */
} extreme_s8_dsp_shape;

HIL_INLINE uint32_t extreme_s8_dsp_load(const int8_t *p, int32_t step)
{
    uint32_t word;
    if (step == 0) {
        return (uint8_t)p[0] * UINT32_C(0x01010101);
    }
    memcpy(&word, p, 4);
    return word;
}

HIL_INLINE void extreme_s8_dsp(const int8_t *a, const int8_t *b, int8_t *output, const extreme_s8_dsp_shape *s)
{
    int32_t i = 0;
    for (; i + 4 <= s->count; i += 4) {
        const uint32_t x = extreme_s8_dsp_load(a + i * s->a_step, s->a_step);
        const uint32_t y = extreme_s8_dsp_load(b + i * s->b_step, s->b_step);
        const uint32_t made = s->smallest ? hil_min_s8x4(x, y) : hil_max_s8x4(x, y);
        memcpy(output + i, &made, 4);
    }
    for (; i < s->count; ++i) {
        const int8_t x = a[i * s->a_step], y = b[i * s->b_step];
        output[i] = (x < y) == (s->smallest != 0) ? x : y;
    }
}

#endif
