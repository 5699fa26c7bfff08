/* Dot products of one row of int16 with four rows of int8 weights, on cores with the DSP extension.
 *
 * Packed weights as in quad_s8_dsp.h, but taps in their own order. */
#ifndef HIL_KERNELS_QUAD_S16_DSP_H
#define HIL_KERNELS_QUAD_S16_DSP_H

#include "kernel.h"

/* sums, uint32 [4], start with biases, uint32 [4], if there are some; w lies at a word boundary */
HIL_INLINE void quad_s16_dsp_dot(void *sums, const void *biases, const int16_t *x, const int8_t *w, int32_t count)
{
    const uint32_t *bias = biases;
    uint32_t *to = sums;
    uint32_t a = 0, b = 0, c = 0, d = 0;
    if (bias != 0) {
        a = bias[0];
        b = bias[1];
        c = bias[2];
        d = bias[3];
    }
    const int16_t *const end = x + (count & ~3);
    while (x != end) {
        uint32_t taps, first, second, pair;
        __asm__("ldr %[taps], [%[x]], #4\n\t"
                "ldrd %[first], %[second], [%[w]], #8\n\t"
                "sxtb16 %[pair], %[first]\n\t"
                "sxtb16 %[first], %[first], ror #8\n\t"
                "smlad %[a], %[pair], %[taps], %[a]\n\t"
                "smlad %[b], %[first], %[taps], %[b]\n\t"
                "sxtb16 %[pair], %[second]\n\t"
                "sxtb16 %[second], %[second], ror #8\n\t"
                "smlad %[c], %[pair], %[taps], %[c]\n\t"
                "smlad %[d], %[second], %[taps], %[d]\n\t"
                "ldr %[taps], [%[x]], #4\n\t"
                "ldrd %[first], %[second], [%[w]], #8\n\t"
                "sxtb16 %[pair], %[first]\n\t"
                "sxtb16 %[first], %[first], ror #8\n\t"
                "smlad %[a], %[pair], %[taps], %[a]\n\t"
                "smlad %[b], %[first], %[taps], %[b]\n\t"
                "sxtb16 %[pair], %[second]\n\t"
                "sxtb16 %[second], %[second], ror #8\n\t"
                "smlad %[c], %[pair], %[taps], %[c]\n\t"
                "smlad %[d], %[second], %[taps], %[d]"
                : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [x] "+r"(x), [w] "+r"(w), [taps] "=&r"(taps),
                  [first] "=&r"(first), [second] "=&r"(second), [pair] "=&r"(pair)
                :
                : "memory");
    }
    for (int32_t left = count & 3; left > 0; --left) {
        const int32_t u = *x++;
        a += (uint32_t)(u * w[0]);
        b += (uint32_t)(u * w[1]);
        c += (uint32_t)(u * w[2]);
        d += (uint32_t)(u * w[3]);
        w += 4;
    }
    to[0] = a;
    to[1] = b;
    to[2] = c;
    to[3] = d;
}

#endif
