/* SOFTMAX of int8 rows by a table of exp(), for the portable kernels (softmax_s8_portable.h). */
#ifndef HIL_KERNELS_SOFTMAX_ROWS_H
#define HIL_KERNELS_SOFTMAX_ROWS_H

#include "softmax_reciprocal.h"

HIL_INLINE uint32_t softmax_exp(const int32_t *exp_table, int32_t table_size, int32_t distance)
{
    return (uint32_t)exp_table[distance < table_size ? distance : table_size];
}

/* Outputs are int8, or int16 where `wide`. */
HIL_INLINE void softmax_rows(const int8_t *input, const int32_t *exp_table, void *output, int32_t rows, int32_t depth,
                             int32_t table_size, int32_t wide)
{
    const int32_t bits = wide ? 16 : 8;
    const int32_t most = wide ? UINT16_MAX : UINT8_MAX;
    int8_t *bytes = output;
    int16_t *halves = output;
    for (int32_t row = 0; row < rows; ++row) {
        int32_t max = INT8_MIN;
        for (int32_t i = 0; i < depth; ++i) {
            max = input[i] > max ? input[i] : max;
        }
        uint32_t sum = 0; /* Q12.19 */
        for (int32_t i = 0; i < depth; ++i) {
            sum += (softmax_exp(exp_table, table_size, max - input[i]) + (1u << 11)) >> 12;
        }
        const int32_t zeros = softmax_leading_zeros(sum);
        int32_t scale = softmax_reciprocal((int32_t)((sum << zeros) - UINT32_C(0x80000000)));
        /* at least 31 - bits, as the maximum adds one to the sum; sums of 512 and more shift everything out */
        int32_t right = 12 - zeros + 31 - bits;
        if (right > 31) {
            scale = 0;
            right = 31;
        }
        const uint32_t half = UINT32_C(1) << (right - 1);
        for (int32_t i = 0; i < depth; ++i) {
            const uint32_t e = softmax_exp(exp_table, table_size, max - input[i]);
            const uint32_t product = (uint32_t)hil_doubling_high_multiply(scale, (int32_t)e);
            const int32_t value = (int32_t)((product + half) >> right);
            if (wide) {
                halves[i] = (int16_t)((value > most ? most : value) + INT16_MIN);
            } else {
                bytes[i] = (int8_t)((value > most ? most : value) + INT8_MIN);
            }
        }
        input += depth;
        bytes += depth;
        halves += depth;
    }
}

#endif
