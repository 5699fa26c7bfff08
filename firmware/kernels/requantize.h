/* Fixed-point rescaling of accumulators, shared by the kernels.
 *
 * real multiplier = multiplier * 2^(shift - 31). Rounds twice, like TensorFlow Lite Micro: a rounding doubling high
 * multiply, then a rounding right shift with ties away from zero. Overflow on the left shift wraps. */
#ifndef HIL_KERNELS_REQUANTIZE_H
#define HIL_KERNELS_REQUANTIZE_H

#include "kernel.h"

HIL_INLINE int32_t hil_rounding_shift(int32_t x, int32_t right)
{
    const uint32_t mask = (UINT32_C(1) << right) - 1;
    const uint32_t threshold = (mask >> 1) + (x < 0 ? 1u : 0u);
    return (x >> right) + ((((uint32_t)x & mask) > threshold) ? 1 : 0);
}

/* high word of 2 * x * multiplier, rounded; multiplier is not negative */
HIL_INLINE int32_t hil_doubling_high_multiply(int32_t x, int32_t multiplier)
{
    return (int32_t)(((int64_t)x * multiplier + (INT64_C(1) << 30)) >> 31);
}

HIL_INLINE int32_t hil_requantize(int32_t x, int32_t multiplier, int32_t shift)
{
    if (shift > 0) {
        return hil_doubling_high_multiply((int32_t)((uint32_t)x << shift), multiplier);
    }
    return hil_rounding_shift(hil_doubling_high_multiply(x, multiplier), -shift);
}

HIL_INLINE int32_t hil_clamp(int32_t x, int32_t low, int32_t high)
{
    return x < low ? low : (x > high ? high : x);
}

/* a + b with wrap-around, for sums that may pass int32 on the way to a result that does not */
HIL_INLINE int32_t hil_wrap_add(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

#endif
