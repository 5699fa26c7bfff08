#include "conv_s16_long_dsp.h"

#include "gemm_2x4_s16_dsp.h"

/* Sums of two channels over four pixels. */
HIL_INLINE void conv_s16_long_sums(int64_t *totals, const int16_t *columns, const int32_t *weights, int32_t taps)
{
    for (int32_t i = 0; i < 8; ++i) {
        totals[i] = 0;
    }
    for (int32_t tap = 0; tap < taps; tap += HIL_S16_TAPS) {
        const int32_t end = tap + HIL_S16_TAPS < taps ? tap + HIL_S16_TAPS : taps;
        int32_t sums[8];
        sums[0] = 0;
        sums[4] = 0;
        gemm_2x4_s16_dsp(sums, columns + 4 * tap, weights + (tap >> 1), columns + 4 * end);
        for (int32_t i = 0; i < 8; ++i) {
            totals[i] += sums[i];
        }
    }
}

/* All channels of `pixels` of four pixels */
HIL_INLINE void conv_s16_long_four(const int16_t *columns, const int32_t *weights, const int64_t *biases,
                                   const int32_t *factors, int16_t *output, int32_t pixels, const conv_s16_long_dsp_shape *s)
{
    for (int32_t c = 0; c < s->conv.channels; c += 2) {
        int64_t totals[8];
        conv_s16_long_sums(totals, columns, weights, s->conv.taps);
        int16_t *to = output + c;
        for (int32_t p = 0; p < pixels; ++p) {
            to[0] = hil_scale_s16(totals[p], biases[c], factors + 2 * c, &s->scale);
            if (c + 1 < s->conv.channels) {
                to[1] = hil_scale_s16(totals[4 + p], biases[c + 1], factors + 2 * c + 2, &s->scale);
            }
            to += s->conv.channels;
        }
        weights += s->conv.taps >> 1;
    }
}

HIL_SHARED void conv_s16_long_dsp(const int16_t *input, const int32_t *weights, const int64_t *biases,
                                  const int32_t *factors, int16_t *columns, int16_t *output,
                                  const conv_s16_long_dsp_shape *s)
{
    const conv_s16_columns_shape *conv = &s->conv;
    conv_s16_no_pixels(columns, conv);
    for (int32_t n = 0; n < conv->batches; ++n) {
        int32_t waiting = 0;
        for (int32_t oy = 0; oy < conv->out_h; ++oy) {
            for (int32_t ox = 0; ox < conv->out_w; ++ox) {
                const int32_t iy = oy * conv->stride_h - conv->pad_top, ix = ox * conv->stride_w - conv->pad_left;
                conv_s16_column(columns + 2 * waiting, input, iy, ix, conv);
                if (++waiting == 4) {
                    conv_s16_long_four(columns, weights, biases, factors, output, 4, s);
                    output += 4 * conv->channels;
                    waiting = 0;
                }
            }
        }
        if (waiting > 0) {
            conv_s16_long_four(columns, weights, biases, factors, output, waiting, s);
            output += waiting * conv->channels;
        }
        input += conv->in_h * conv->in_w * conv->in_c;
    }
}
