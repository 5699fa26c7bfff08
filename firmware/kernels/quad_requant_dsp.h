/* Requantization of four channels of a pixel to the bytes of one word, saturated to int8.
 *
 * Constants are four starts and four multipliers. If the first multiplier is not negative all are requant_linear.py's,
 * and a start is added to 256 times its sum. Else they are the complements of requant.py's, starts are added to sums, and
 * four int16 follow: the shift less one in the low byte, and above it the output at the middle, v, of requant.py's
 * addend, (2 * v + 1) << (shift - 1). */
#ifndef HIL_KERNELS_QUAD_REQUANT_DSP_H
#define HIL_KERNELS_QUAD_REQUANT_DSP_H

#include <string.h>

#include "kernel.h"
#include "requant_linear.h"

HIL_INLINE uint32_t quad_requant_dsp_linear(int32_t sum, int32_t start, int32_t multiplier)
{
    int32_t r;
    const int32_t scaled = (int32_t)((uint32_t)start + ((uint32_t)sum << HIL_LINEAR_SCALE_BITS));
    __asm__("smmul %0, %1, %2\n\tssat %0, #8, %0, asr %3"
            : "=r"(r)
            : "r"(scaled), "r"(multiplier), "i"(HIL_LINEAR_FRACTION_BITS));
    return (uint32_t)r;
}

/* ((high >> (shift - 1)) + 1 >> 1) + v is (high + addend) >> shift */
HIL_INLINE uint32_t quad_requant_dsp_rounded(int32_t sum, int32_t start, int32_t multiplier, int32_t rest)
{
    int32_t r;
    const int32_t doubled = (int32_t)(((uint32_t)start + (uint32_t)sum) << 1);
    __asm__("smmulr %0, %1, %2\n\t"
            "add %0, %0, %0, asr #31\n\t"
            "asr %0, %0, %3\n\t"
            "add %0, %0, #1\n\t"
            "asr %0, %0, #1\n\t"
            "sxtab %0, %0, %3, ror #8\n\t"
            "ssat %0, #8, %0"
            : "=&r"(r)
            : "r"(doubled), "r"(multiplier), "r"(rest));
    return (uint32_t)r;
}

/* the low bytes of a, b, c, d */
HIL_INLINE uint32_t quad_requant_dsp_join(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    uint32_t even, odd;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(even) : "r"(a), "r"(c));
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(odd) : "r"(b), "r"(d));
    __asm__("uxtb16 %0, %0" : "+r"(even));
    __asm__("uxtb16 %0, %0" : "+r"(odd));
    return even | odd << 8;
}

/* words of constants that were used */
HIL_INLINE int32_t quad_requant_dsp(int8_t *output, const int32_t *k, int32_t a, int32_t b, int32_t c, int32_t d)
{
    uint32_t four;
    int32_t used = 8;
    if (k[4] >= 0) {
        four = quad_requant_dsp_join(quad_requant_dsp_linear(a, k[0], k[4]), quad_requant_dsp_linear(b, k[1], k[5]),
                                     quad_requant_dsp_linear(c, k[2], k[6]), quad_requant_dsp_linear(d, k[3], k[7]));
    } else {
        used = 10;
        four = quad_requant_dsp_join(quad_requant_dsp_rounded(a, k[0], ~k[4], k[8]),
                                     quad_requant_dsp_rounded(b, k[1], ~k[5], k[8] >> 16),
                                     quad_requant_dsp_rounded(c, k[2], ~k[6], k[9]),
                                     quad_requant_dsp_rounded(d, k[3], ~k[7], k[9] >> 16));
    }
    memcpy(output, &four, 4);
    return used;
}

#endif
