#include "softmax_s8_portable.h"

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

HIL_INLINE uint32_t softmax_exp(const int32_t *exp_table, int32_t table_size, int32_t distance)
{
    return (uint32_t)exp_table[distance < table_size ? distance : table_size];
}

HIL_SHARED void softmax_s8_portable(const int8_t *input, const int32_t *exp_table, int8_t *output,
                                    const softmax_s8_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        int32_t max = INT8_MIN;
        for (int32_t i = 0; i < s->depth; ++i) {
            max = input[i] > max ? input[i] : max;
        }
        uint32_t sum = 0; /* Q12.19 */
        for (int32_t i = 0; i < s->depth; ++i) {
            sum += (softmax_exp(exp_table, s->table_size, max - input[i]) + (1u << 11)) >> 12;
        }
        const int32_t zeros = softmax_leading_zeros(sum);
        int32_t scale = softmax_reciprocal((int32_t)((sum << zeros) - UINT32_C(0x80000000)));
        /* at least 23, as the maximum adds one to the sum; sums of 512 and more shift everything out */
        int32_t right = 12 - zeros + 31 - 8;
        if (right > 31) {
            scale = 0;
            right = 31;
        }
        const uint32_t half = UINT32_C(1) << (right - 1);
        for (int32_t i = 0; i < s->depth; ++i) {
            const uint32_t e = softmax_exp(exp_table, s->table_size, max - input[i]);
            const uint32_t product = (uint32_t)hil_doubling_high_multiply(scale, (int32_t)e);
            const int32_t value = (int32_t)((product + half) >> right);
            output[i] = (int8_t)((value > 255 ? 255 : value) + INT8_MIN);
        }
        input += s->depth;
        output += s->depth;
    }
}
