#include "lstm_s8_portable.h"

#include "quad_s8.h"

HIL_INLINE void lstm_s8_portable_dot(uint32_t *sums, const int32_t *starts, const int8_t *x, const int8_t *weights,
                                     int32_t count)
{
    quad_s8_dot(sums, x, weights, count, 4);
    sums[0] += (uint32_t)starts[0];
    sums[1] += (uint32_t)starts[1];
    sums[2] += (uint32_t)starts[2];
    sums[3] += (uint32_t)starts[3];
}

HIL_INLINE int32_t lstm_s8_portable_scale(int32_t x, const lstm_s8_factor *factor)
{
    return hil_requantize(x, factor->multiplier, factor->shift);
}

HIL_INLINE int32_t lstm_s8_portable_gate(const lstm_s8_shape *s, int32_t which, const void *fed, const void *back)
{
    return lstm_s8_gate(s, which, fed, back, lstm_s8_portable_scale);
}

HIL_SHARED void lstm_s8_portable(const int8_t *input, const int8_t *weights, const int8_t *recurrent,
                                 const int32_t *starts, const uint16_t *table, int8_t *hidden, int16_t *cell,
                                 int8_t *output, const lstm_s8_portable_shape *s)
{
    lstm_s8(input, weights, recurrent, starts, table, hidden, cell, output, s,
            lstm_s8_portable_dot, lstm_s8_portable_gate, lstm_s8_portable_scale);
}
