#include "conv_s16_mve.h"

HIL_SHARED void conv_s16_mve(const int16_t *input, const int8_t *weights, const int32_t *records, int16_t *column,
                             int16_t *output, const conv_s16_mve_shape *s)
{
    const int32_t fours = conv_s16_mve_fours(&s->row), bytes = conv_s16_mve_bytes(&s->row);
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                for (int32_t g = 0; g < s->groups; ++g) {
                    const int16_t *x = conv_s16_mve_taps(column, input, oy, ox, g, s);
                    row_s16_mve(x, weights + g * bytes, records + 8 * g * fours, output, &s->row);
                    output += s->row.channels;
                }
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
