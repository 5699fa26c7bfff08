#include "conv_s16_mve.h"

HIL_SHARED void conv_s16_mve(const int16_t *input, const int8_t *weights, const int32_t *records, int16_t *column,
                             int16_t *output, const conv_s16_mve_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t iy = oy * s->stride_h - s->pad_top, ix = ox * s->stride_w - s->pad_left;
                const int16_t *x = column;
                if (s->row.taps > s->in_c) {
                    conv_s16_mve_column(column, input, iy, ix, s);
                } else {
                    x = input + (iy * s->in_w + ix) * s->in_c;
                }
                row_s16_mve(x, weights, records, output, &s->row);
                output += s->row.channels;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
