#include "conv_s16_long_mve.h"

#include "row_s16_long_mve.h"

HIL_SHARED void conv_s16_long_mve(const int16_t *input, const int8_t *weights, const int64_t *biases,
                                  const int32_t *factors, int16_t *column, int16_t *output,
                                  const conv_s16_long_mve_shape *s)
{
    const conv_s16_column_shape *conv = &s->conv;
    for (int32_t n = 0; n < conv->batches; ++n) {
        for (int32_t oy = 0; oy < conv->out_h; ++oy) {
            for (int32_t ox = 0; ox < conv->out_w; ++ox) {
                const int32_t iy = oy * conv->stride_h - conv->pad_top, ix = ox * conv->stride_w - conv->pad_left;
                const int16_t *x = column;
                if (conv->row.taps > conv->in_c) {
                    conv_s16_mve_column(column, input, iy, ix, conv);
                } else {
                    x = input + (iy * conv->in_w + ix) * conv->in_c;
                }
                row_s16_long_mve(x, weights, biases, factors, output, &conv->row, &s->scale);
                output += conv->row.channels;
            }
        }
        input += conv->in_h * conv->in_w * conv->in_c;
    }
}
