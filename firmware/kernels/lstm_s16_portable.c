#include "lstm_s16_portable.h"

#include "requantize_wide.h"

HIL_INLINE void lstm_s16_portable_dot(void *sums, const void *biases, const int16_t *x, const int8_t *weights,
                                      int32_t count)
{
    const int64_t *bias = biases;
    int64_t *to = sums;
    int64_t a = 0, b = 0, c = 0, d = 0;
    if (bias != 0) {
        a = bias[0];
        b = bias[1];
        c = bias[2];
        d = bias[3];
    }
    for (const int16_t *const end = x + count; x < end; weights += 4) {
        const int32_t u = *x++;
        a += u * weights[0];
        b += u * weights[1];
        c += u * weights[2];
        d += u * weights[3];
    }
    to[0] = a;
    to[1] = b;
    to[2] = c;
    to[3] = d;
}

HIL_INLINE int32_t lstm_s16_portable_part(int64_t sum, const lstm_s8_factor *factor)
{
    return lstm_s8_half(hil_requantize_wide(sum, factor->multiplier, factor->shift));
}

HIL_INLINE int32_t lstm_s16_portable_gate(const lstm_s8_shape *s, int32_t which, const void *fed, const void *back)
{
    const int32_t first = lstm_s16_portable_part(((const int64_t *)fed)[which], &s->fed[which]);
    return lstm_s8_half(first + lstm_s16_portable_part(((const int64_t *)back)[which], &s->back[which]));
}

HIL_INLINE int32_t lstm_s16_portable_scale(int32_t x, const lstm_s8_factor *factor)
{
    return hil_requantize(x, factor->multiplier, factor->shift);
}

HIL_SHARED void lstm_s16_portable(const int16_t *input, const int8_t *weights, const int8_t *recurrent,
                                  const int64_t *biases, const uint16_t *table, int16_t *hidden, int16_t *cell,
                                  int16_t *output, const lstm_s16_portable_shape *s)
{
    lstm_s16(input, weights, recurrent, biases, sizeof(int64_t), table, hidden, cell, output, s, lstm_s16_portable_dot,
             lstm_s16_portable_gate, lstm_s16_portable_scale);
}
