/* Sums of a window, four channels of int8 at a time, for cores with the DSP extension. */
#ifndef HIL_KERNELS_POOL_S8_DSP_H
#define HIL_KERNELS_POOL_S8_DSP_H

#include <string.h>

#include "kernel.h"

/* So many int8 add up in an int16. */
#define HIL_POOL_DSP_COLUMNS 255

typedef struct {
    int32_t a, b, c, d;
} pool_s8_dsp_sums;

HIL_INLINE uint32_t pool_s8_dsp_load(const int8_t *x)
{
    uint32_t four;
    memcpy(&four, x, 4);
    return four;
}

/* both int16 of even, odd raised by the bytes 0 and 2, 1 and 3 of four */
HIL_INLINE void pool_s8_dsp_add(uint32_t *even, uint32_t *odd, uint32_t four)
{
    __asm__("sxtab16 %0, %0, %1" : "+r"(*even) : "r"(four));
    __asm__("sxtab16 %0, %0, %1, ror #8" : "+r"(*odd) : "r"(four));
}

/* `rows` rows, row_step bytes apart, of `columns` elements, step bytes apart; at most HIL_POOL_DSP_COLUMNS columns */
HIL_INLINE pool_s8_dsp_sums pool_s8_dsp_sum(const int8_t *line, int32_t rows, int32_t row_step, int32_t columns,
                                            int32_t step)
{
    pool_s8_dsp_sums sums = {0, 0, 0, 0};
    uint32_t even = 0, odd = 0;
    int32_t held = 0;
    for (; rows > 0; --rows) {
        const int8_t *x = line;
        int32_t left = columns;
        held += columns;
        if (held > HIL_POOL_DSP_COLUMNS) {
            sums.a += (int16_t)even;
            sums.c += (int32_t)even >> 16;
            sums.b += (int16_t)odd;
            sums.d += (int32_t)odd >> 16;
            even = odd = 0;
            held = columns;
        }
        for (; left >= 4; left -= 4) {
            pool_s8_dsp_add(&even, &odd, pool_s8_dsp_load(x));
            pool_s8_dsp_add(&even, &odd, pool_s8_dsp_load(x + step));
            x += 2 * step;
            pool_s8_dsp_add(&even, &odd, pool_s8_dsp_load(x));
            pool_s8_dsp_add(&even, &odd, pool_s8_dsp_load(x + step));
            x += 2 * step;
        }
        for (; left > 0; --left) {
            pool_s8_dsp_add(&even, &odd, pool_s8_dsp_load(x));
            x += step;
        }
        line += row_step;
    }
    sums.a += (int16_t)even;
    sums.c += (int32_t)even >> 16;
    sums.b += (int16_t)odd;
    sums.d += (int32_t)odd >> 16;
    return sums;
}

#endif
