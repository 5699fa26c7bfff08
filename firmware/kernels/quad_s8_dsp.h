/* Dot products of one row of int8 with four rows of weights, on cores with the DSP extension.
 *
 * Packed weights, per four taps 0..3: rows 0 and 1 in turn at taps 0 and 2, rows 2 and 3 there, then both at taps 1 and 3, so
 * that SXTB16 gives two taps of one row, as it does of the activations. Taps left over: one byte of each row. */
#ifndef HIL_KERNELS_QUAD_S8_DSP_H
#define HIL_KERNELS_QUAD_S8_DSP_H

#include <string.h>

#include "kernel.h"

HIL_INLINE uint32_t quad_s8_dsp_load(const int8_t *p)
{
    uint32_t word;
    memcpy(&word, p, 4);
    return word;
}

/* bytes 0 and 2, or 1 and 3, as two int16 */
HIL_INLINE uint32_t quad_s8_dsp_even(uint32_t word)
{
    uint32_t pair;
    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(word));
    return pair;
}

HIL_INLINE uint32_t quad_s8_dsp_odd(uint32_t word)
{
    uint32_t pair;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
    return pair;
}

HIL_INLINE void quad_s8_dsp_add(uint32_t *sum, uint32_t a, uint32_t b)
{
    __asm__("smlad %0, %1, %2, %0" : "+r"(*sum) : "r"(a), "r"(b));
}

HIL_INLINE void quad_s8_dsp_dot(uint32_t *sums, const int8_t *x, const int8_t *w, int32_t count)
{
    uint32_t a = 0, b = 0, c = 0, d = 0;
    const int8_t *const end = x + (count & ~3);
    while (x < end) {
        const uint32_t word = quad_s8_dsp_load(x);
        x += 4;
        const uint32_t even = quad_s8_dsp_even(word), odd = quad_s8_dsp_odd(word);
        uint32_t taps = quad_s8_dsp_load(w);
        quad_s8_dsp_add(&a, quad_s8_dsp_even(taps), even);
        quad_s8_dsp_add(&b, quad_s8_dsp_odd(taps), even);
        taps = quad_s8_dsp_load(w + 4);
        quad_s8_dsp_add(&c, quad_s8_dsp_even(taps), even);
        quad_s8_dsp_add(&d, quad_s8_dsp_odd(taps), even);
        taps = quad_s8_dsp_load(w + 8);
        quad_s8_dsp_add(&a, quad_s8_dsp_even(taps), odd);
        quad_s8_dsp_add(&b, quad_s8_dsp_odd(taps), odd);
        taps = quad_s8_dsp_load(w + 12);
        quad_s8_dsp_add(&c, quad_s8_dsp_even(taps), odd);
        quad_s8_dsp_add(&d, quad_s8_dsp_odd(taps), odd);
        w += 16;
    }
    for (int32_t left = count & 3; left > 0; --left) {
        const int32_t u = *x++;
        a += (uint32_t)(u * w[0]);
        b += (uint32_t)(u * w[1]);
        c += (uint32_t)(u * w[2]);
        d += (uint32_t)(u * w[3]);
        w += 4;
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

#endif
