/* SOFTMAX over the last dimension, int8 to int8, in place if need be.
 *
 * exp() of the distance to the row's maximum comes from a table of Q0.31 numbers that the compiler computed; what lies
 * beyond the table is 0. The reciprocal of the sum takes three Newton-Raphson steps in fixed point (gemmlowp's method). */
#ifndef HIL_KERNELS_SOFTMAX_S8_PORTABLE_H
#define HIL_KERNELS_SOFTMAX_S8_PORTABLE_H

#include "requantize.h"

typedef struct {
    int32_t rows, depth, table_size;
} softmax_s8_portable_shape;

HIL_INLINE int32_t softmax_s8_portable_leading_zeros(uint32_t x)
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

HIL_INLINE int32_t softmax_s8_portable_saturating_shift(int32_t x, int32_t left)
{
    const int64_t wide = (int64_t)x * (INT64_C(1) << left);
    return wide > INT32_MAX ? INT32_MAX : (wide < INT32_MIN ? INT32_MIN : (int32_t)wide);
}

/* 1 / (1 + x) for x in [0, 1), both Q0.31; 48/17 - 32/17 d is the best linear start for d = (1 + x) / 2 in [1/2, 1] */
HIL_INLINE int32_t softmax_s8_portable_reciprocal(int32_t x)
{
    const int32_t half_denominator = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
    int32_t y = 1515870810 + hil_doubling_high_multiply(half_denominator, -1010580540); /* Q2.29 */
    for (int32_t i = 0; i < 3; ++i) {
        const int32_t rest = (INT32_C(1) << 29) - hil_doubling_high_multiply(half_denominator, y);
        y += softmax_s8_portable_saturating_shift(hil_doubling_high_multiply(y, rest), 2);
    }
    return softmax_s8_portable_saturating_shift(y, 1);
}

HIL_INLINE void softmax_s8_portable(const int8_t *input, const int32_t *exp_table, int8_t *output,
                                    const softmax_s8_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        int32_t max = INT8_MIN;
        for (int32_t i = 0; i < s->depth; ++i) {
            max = input[i] > max ? input[i] : max;
        }
        int32_t sum = 0; /* Q12.19 */
        for (int32_t i = 0; i < s->depth; ++i) {
            const int32_t distance = max - input[i];
            if (distance < s->table_size) {
                sum += hil_rounding_shift(exp_table[distance], 12);
            }
        }
        const int32_t zeros = softmax_s8_portable_leading_zeros((uint32_t)sum);
        const int32_t scale = softmax_s8_portable_reciprocal((int32_t)(((uint32_t)sum << zeros) - UINT32_C(0x80000000)));
        const int32_t right = 12 - zeros + 31 - 8;
        for (int32_t i = 0; i < s->depth; ++i) {
            const int32_t distance = max - input[i];
            int32_t value = 0;
            /* sums of 512 and more shift everything out */
            if (distance < s->table_size && right < 32) {
                value = hil_rounding_shift(hil_doubling_high_multiply(scale, exp_table[distance]), right);
            }
            output[i] = (int8_t)hil_clamp(value + INT8_MIN, INT8_MIN, INT8_MAX);
        }
        input += s->depth;
        output += s->depth;
    }
}

#endif
