#include "softmax_s16_portable.h"

#include "softmax_reciprocal.h"

HIL_INLINE int32_t softmax_s16_look_up(const int16_t *table, int32_t x)
{
    const int16_t *place = table + 256 + (x >> 7);
    return place[0] + (((place[1] - place[0]) * (x & 0x7f) + 64) >> 7);
}

HIL_INLINE void softmax_s16_row(const int16_t *input, const int16_t *exp_table, const int16_t *reciprocal_table,
                                int16_t *output, const softmax_s16_portable_shape *s)
{
    int32_t max = INT16_MIN;
    for (int32_t i = 0; i < s->depth; ++i) {
        max = input[i] > max ? input[i] : max;
    }
    uint32_t sum = 0; /* Q16.15 */
    for (int32_t i = 0; i < s->depth; ++i) {
        const int32_t scaled = hil_requantize(input[i] - max, s->multiplier, s->shift);
        const int32_t e = softmax_s16_look_up(exp_table, scaled > -UINT16_MAX ? scaled + INT16_MAX : INT16_MIN);
        output[i] = (int16_t)e;
        sum += (uint32_t)e;
    }
    const int32_t zeros = softmax_leading_zeros(sum);
    const int32_t fraction = (int32_t)(((sum << (zeros - 1)) + (1u << 13)) >> 14) - (1 << 15) - (1 << 16);
    const int32_t scale = softmax_s16_look_up(reciprocal_table, hil_clamp(fraction, INT16_MIN, INT16_MAX));
    const int32_t right = 31 - zeros;
    for (int32_t i = 0; i < s->depth; ++i) {
        output[i] = (int16_t)hil_clamp((output[i] * scale + (1 << (right - 1))) >> right, 0, INT16_MAX);
    }
}

HIL_SHARED void softmax_s16_portable(const int16_t *input, const int16_t *exp_table, const int16_t *reciprocal_table,
                                     int16_t *output, const softmax_s16_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        softmax_s16_row(input, exp_table, reciprocal_table, output, s);
        input += s->depth;
        output += s->depth;
    }
}
