/* Dot products of one row of int8 with four rows of weights, on cores with the DSP extension.
 *
 * Packed weights, per four taps 0..3: rows 0 and 1 in turn at taps 0 and 2, rows 2 and 3 there, then both at taps 1 and 3, so
 * that SXTB16 gives two taps of one row, as it does of the activations. Taps left over: one byte of each row. */
#ifndef HIL_KERNELS_QUAD_S8_DSP_H
#define HIL_KERNELS_QUAD_S8_DSP_H

#include "kernel.h"

/* sums: what each row starts with, and its products; w lies at a word boundary */
HIL_INLINE void quad_s8_dsp_dot(uint32_t *sums, const int32_t *starts, const int8_t *x, const int8_t *w, int32_t count)
{
    uint32_t a = (uint32_t)starts[0], b = (uint32_t)starts[1], c = (uint32_t)starts[2], d = (uint32_t)starts[3];
    const int8_t *const end = x + (count & ~3);
    while (x != end) {
        uint32_t even, odd, first, second, pair;
        __asm__("ldr %[odd], [%[x]], #4\n\t"
                "ldrd %[first], %[second], [%[w]], #8\n\t"
                "sxtb16 %[even], %[odd]\n\t"
                "sxtb16 %[odd], %[odd], ror #8\n\t"
                "sxtb16 %[pair], %[first]\n\t"
                "sxtb16 %[first], %[first], ror #8\n\t"
                "smlad %[a], %[pair], %[even], %[a]\n\t"
                "smlad %[b], %[first], %[even], %[b]\n\t"
                "sxtb16 %[pair], %[second]\n\t"
                "sxtb16 %[second], %[second], ror #8\n\t"
                "smlad %[c], %[pair], %[even], %[c]\n\t"
                "smlad %[d], %[second], %[even], %[d]\n\t"
                "ldrd %[first], %[second], [%[w]], #8\n\t"
                "sxtb16 %[pair], %[first]\n\t"
                "sxtb16 %[first], %[first], ror #8\n\t"
                "smlad %[a], %[pair], %[odd], %[a]\n\t"
                "smlad %[b], %[first], %[odd], %[b]\n\t"
                "sxtb16 %[pair], %[second]\n\t"
                "sxtb16 %[second], %[second], ror #8\n\t"
                "smlad %[c], %[pair], %[odd], %[c]\n\t"
                "smlad %[d], %[second], %[odd], %[d]"
                : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [x] "+r"(x), [w] "+r"(w), [even] "=&r"(even),
                  [odd] "=&r"(odd), [first] "=&r"(first), [second] "=&r"(second), [pair] "=&r"(pair)
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
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

#endif
