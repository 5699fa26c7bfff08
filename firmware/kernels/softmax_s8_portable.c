#include "softmax_s8_portable.h"

#include "softmax_reciprocal.h"

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
