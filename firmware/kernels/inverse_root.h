/* 1 / sqrt(x) of an integer as a multiplier and a shift, by Newton-Raphson steps in Q3.28.
 *
 * harness/quantization/inverse_root.py has the same, and the source. */
#ifndef HIL_KERNELS_INVERSE_ROOT_H
#define HIL_KERNELS_INVERSE_ROOT_H

#include "requantize.h"

HIL_INLINE int32_t hil_shifted_up(int32_t x, int32_t left)
{
    const int64_t wide = (int64_t)x * ((int64_t)1 << left);
    return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

/* x >= 0 */
HIL_INLINE int32_t hil_inverse_root(int32_t x, int32_t *shift)
{
    if (x <= 1) {
        *shift = 0;
        return INT32_MAX;
    }
    int32_t right = 11, pairs = -1;
    while (x >= 1 << 29) {
        x /= 4;
        ++right;
    }
    /* as many pairs of bits as are free below the sign, but one */
    for (uint32_t rest = (uint32_t)x; rest < UINT32_C(1) << 29; rest <<= 2) {
        ++pairs;
    }
    right -= pairs;
    x = (int32_t)((uint32_t)x << (2 * pairs));
    const int32_t half = hil_rounding_shift(x >> 1, 1);
    int32_t root = 1 << 28;
    for (int32_t i = 0; i < 5; ++i) {
        const int32_t squared = hil_doubling_high_multiply(root, root);
        const int32_t cubed = hil_shifted_up(hil_doubling_high_multiply(squared, root), 6);
        const int32_t more = hil_doubling_high_multiply((1 << 28) + (1 << 27), root);
        root = hil_shifted_up(hil_wrap_add(more, -hil_doubling_high_multiply(half, cubed)), 3);
    }
    root = hil_doubling_high_multiply(root, 1518500250);
    if (right < 0) {
        root = (int32_t)((uint32_t)root << -right);
        right = 0;
    }
    *shift = -right;
    return root;
}

#endif
