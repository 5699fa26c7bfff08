#include "lstm_s8_portable.h"

#include "quad_s8.h"

HIL_INLINE void lstm_s8_portable_dot(uint32_t *sums, const int8_t *x, const int8_t *weights, int32_t count)
{
    quad_s8_dot(sums, x, weights, count, 4);
}

HIL_SHARED void lstm_s8_portable(const int8_t *input, const int8_t *weights, const int8_t *recurrent,
                                 const int32_t *starts, const uint16_t *table, int8_t *hidden, int16_t *cell,
                                 int8_t *output, const lstm_s8_portable_shape *s)
{
    lstm_s8(input, weights, recurrent, starts, table, hidden, cell, output, s, lstm_s8_portable_dot);
}
