/* Fast requantization on cores with the DSP extension: exact where harness/kernels/requant.py says so, and why.
 *
 * y = ((2 * acc * multiplier + 2^31) >> 32) + addend, less one below zero, >> shift; to be saturated by the caller. */
#ifndef HIL_KERNELS_REQUANT_DSP_H
#define HIL_KERNELS_REQUANT_DSP_H

#include "kernel.h"

/* high word of a * b, rounded to nearest, plus c */
HIL_INLINE int32_t hil_smmlar(int32_t a, int32_t b, int32_t c)
{
    int32_t r;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(c));
    return r;
}

/* saturated to int8 */
HIL_INLINE int32_t hil_saturate_s8(int32_t x)
{
    int32_t r;
    __asm__("ssat %0, #8, %1" : "=r"(r) : "r"(x));
    return r;
}

/* |acc| < 2^30. ties = 0 leaves out the correction that outputs below the zero point need: a literal, to cost nothing. */
HIL_INLINE int32_t hil_requant_dsp(int32_t acc, int32_t multiplier, int32_t addend, int32_t shift, int ties)
{
    int32_t high = hil_smmlar((int32_t)((uint32_t)acc << 1), multiplier, addend);
    if (ties) {
        high += acc >> 31;
    }
    return high >> shift;
}

#endif
