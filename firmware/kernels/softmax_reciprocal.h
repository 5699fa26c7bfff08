/* The reciprocal of a SOFTMAX's sum, in fixed point, as TFLM computes it. */
#ifndef HIL_KERNELS_SOFTMAX_RECIPROCAL_H
#define HIL_KERNELS_SOFTMAX_RECIPROCAL_H

#include "requantize.h"

HIL_INLINE int32_t softmax_leading_zeros(uint32_t x)
{
#if defined(__GNUC__)
    return __builtin_clz(x);
#else
    int32_t zeros = 0;
    for (; (x & UINT32_C(0x80000000)) == 0; x <<= 1) {
        ++zeros;
    }
    return zeros;
#endif
}

HIL_INLINE int32_t softmax_saturating_shift(int32_t x, int32_t left)
{
    if (x > INT32_MAX >> left) {
        return INT32_MAX;
    }
    return x < INT32_MIN >> left ? INT32_MIN : (int32_t)((uint32_t)x << left);
}

/* 1 / (1 + x) for x in [0, 1), both Q0.31; 48/17 - 32/17 d is the best linear start for d = (1 + x) / 2 in [1/2, 1] */
HIL_INLINE int32_t softmax_reciprocal(int32_t x)
{
    const int32_t half_denominator = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
    int32_t y = 1515870810 + hil_doubling_high_multiply(half_denominator, -1010580540); /* Q2.29 */
    for (int32_t i = 0; i < 3; ++i) {
        const int32_t rest = (INT32_C(1) << 29) - hil_doubling_high_multiply(half_denominator, y);
        y += softmax_saturating_shift(hil_doubling_high_multiply(y, rest), 2);
    }
    return softmax_saturating_shift(y, 1);
}

#endif
