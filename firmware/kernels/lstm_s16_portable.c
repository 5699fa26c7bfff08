#include "lstm_s16_portable.h"

HIL_INLINE void lstm_s16_portable_dot(int64_t *sums, const int64_t *biases, const int16_t *x, const int8_t *weights,
                                      int32_t count)
{
    int64_t a = 0, b = 0, c = 0, d = 0;
    if (biases != 0) {
        a = biases[0];
        b = biases[1];
        c = biases[2];
        d = biases[3];
    }
    for (const int16_t *const end = x + count; x < end; weights += 4) {
        const int32_t u = *x++;
        a += u * weights[0];
        b += u * weights[1];
        c += u * weights[2];
        d += u * weights[3];
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

HIL_SHARED void lstm_s16_portable(const int16_t *input, const int8_t *weights, const int8_t *recurrent,
                                  const int64_t *biases, const uint16_t *table, int16_t *hidden, int16_t *cell,
                                  int16_t *output, const lstm_s16_portable_shape *s)
{
    lstm_s16(input, weights, recurrent, biases, table, hidden, cell, output, s, lstm_s16_portable_dot);
}
