#include "fully_connected_s16_long_mve.h"

HIL_SHARED void fully_connected_s16_long_mve(const int16_t *input, const int8_t *weights, const int64_t *biases,
                                             const int32_t *factors, int16_t *output,
                                             const fully_connected_s16_long_mve_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        row_s16_long_mve(input, weights, biases, factors, output, &s->row, &s->scale);
        input += s->row.taps;
        output += s->row.channels;
    }
}
