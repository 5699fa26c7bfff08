#include "conv_s16_long_mve.h"

#include "row_s16_long_mve.h"

HIL_SHARED void conv_s16_long_mve(const int16_t *input, const int8_t *weights, const int64_t *biases,
                                  const int32_t *factors, int16_t *column, int16_t *output,
                                  const conv_s16_long_mve_shape *s)
{
    const conv_s16_column_shape *conv = &s->conv;
    const int32_t fours = conv_s16_mve_fours(&conv->row), bytes = conv_s16_mve_bytes(&conv->row);
    for (int32_t n = 0; n < conv->batches; ++n) {
        for (int32_t oy = 0; oy < conv->out_h; ++oy) {
            for (int32_t ox = 0; ox < conv->out_w; ++ox) {
                for (int32_t g = 0; g < conv->groups; ++g) {
                    const int16_t *x = conv_s16_mve_taps(column, input, oy, ox, g, conv);
                    row_s16_long_mve(x, weights + g * bytes, biases + 4 * g * fours, factors + 8 * g * fours, output,
                                     &conv->row, &s->scale);
                    output += conv->row.channels;
                }
            }
        }
        input += conv->in_h * conv->in_w * conv->in_c;
    }
}
