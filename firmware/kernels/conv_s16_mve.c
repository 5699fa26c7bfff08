#include "conv_s16_mve.h"

#include "pair_s16_mve.h"

/* All outputs of a group in output row oy, two pixels at a time. */
HIL_LOCAL void conv_s16_mve_row(const int16_t *input, const int8_t *weights, const int32_t *records, int16_t *column,
                                int16_t *output, int32_t oy, int32_t group, const conv_s16_mve_shape *s)
{
    const int32_t pixel = s->groups * s->row.channels, alone = conv_s16_mve_alone(s);
    const pair_s16_mve_shape pair = {s->row, alone ? s->stride_w * s->in_c : s->row.taps, pixel};
    const int16_t *x = conv_s16_mve_taps(column, input, oy, 0, group, s);
    for (int32_t ox = 0; ox < s->out_w; ox += 2) {
        if (!alone && ox > 0) {
            conv_s16_mve_taps(column, input, oy, ox, group, s);
        }
        if (ox + 1 < s->out_w) {
            if (!alone) {
                conv_s16_mve_taps(column + s->row.taps, input, oy, ox + 1, group, s);
            }
            pair_s16_mve(x, weights, records, output, &pair);
        } else {
            row_s16_mve(x, weights, records, output, &s->row);
        }
        x += alone ? 2 * pair.x_step : 0;
        output += 2 * pixel;
    }
}

HIL_SHARED void conv_s16_mve(const int16_t *input, const int8_t *weights, const int32_t *records, int16_t *column,
                             int16_t *output, const conv_s16_mve_shape *s)
{
    const int32_t fours = conv_s16_mve_fours(&s->row), bytes = conv_s16_mve_bytes(&s->row);
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t g = 0; g < s->groups; ++g) {
                conv_s16_mve_row(input, weights + g * bytes, records + 8 * g * fours, column,
                                 output + g * s->row.channels, oy, g, s);
            }
            output += s->out_w * s->groups * s->row.channels;
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
