#include "conv_s8_pairs.h"

#include "quad_s8.h"

/* group g of the window of output pixel (oy, ox): where it is, or gathered into `row` */
static HIL_NOINLINE const int8_t *conv_s8_pairs_window(const conv_window_s8_shape *s, const int8_t *image, int32_t oy,
                                                       int32_t ox, int32_t g, int8_t *row)
{
    const int32_t iy = oy * s->stride_h - s->pad_top;
    const int32_t ix = ox * s->stride_w - s->pad_left;
    if (s->direct) {
        return image + (iy * s->in_w + ix) * s->in_c;
    }
    conv_window_s8_gather(s, image + g * (s->in_c / s->groups), iy, ix, row);
    return row;
}

/* four channels, or one, of two pixels that are out_c bytes apart */
HIL_INLINE void conv_s8_pairs_channels(const conv_window_s8_shape *s, const int8_t *x, const int8_t *y, const int8_t *w,
                                       const int32_t *record, int8_t *output, int32_t taps, int32_t channels)
{
    uint32_t first[4];
    uint32_t second[4];
    quad_s8_dot_pair(first, second, x, y, w, taps, channels);
    scale_s8(first, record, s->scale.words, output, 1, channels, &s->scale);
    scale_s8(second, record, s->scale.words, output + s->out_c, 1, channels, &s->scale);
}

HIL_INLINE void conv_s8_pairs_single(const conv_window_s8_shape *s, const int8_t *x, const int8_t *w,
                                     const int32_t *record, int8_t *output, int32_t taps, int32_t channels)
{
    uint32_t sums[4];
    quad_s8_dot(sums, x, w, taps, channels);
    scale_s8(sums, record, s->scale.words, output, 1, channels, &s->scale);
}

HIL_SHARED void conv_s8_pairs(const int8_t *input, const int8_t *weights, const int32_t *records, int8_t *output,
                              int8_t *scratch, const conv_s8_pairs_shape *s)
{
    const int32_t taps = s->kernel_h * s->kernel_w * (s->in_c / s->groups);
    const int32_t per_group = s->out_c / s->groups;
    const int32_t words = s->scale.words;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ox += 2) {
                const int32_t two = ox + 1 < s->out_w;
                const int8_t *w = weights;
                const int32_t *record = records;
                for (int32_t g = 0; g < s->groups; ++g) {
                    const int8_t *x = conv_s8_pairs_window(s, input, oy, ox, g, scratch);
                    const int8_t *y = two ? conv_s8_pairs_window(s, input, oy, ox + 1, g, scratch + taps) : x;
                    int32_t left = per_group;
                    for (; left >= 4; left -= 4) {
                        if (two) {
                            conv_s8_pairs_channels(s, x, y, w, record, output, taps, 4);
                        } else {
                            conv_s8_pairs_single(s, x, w, record, output, taps, 4);
                        }
                        w += 4 * taps;
                        record += 4 * words;
                        output += 4;
                    }
                    for (; left > 0; --left) {
                        if (two) {
                            conv_s8_pairs_channels(s, x, y, w, record, output, taps, 1);
                        } else {
                            conv_s8_pairs_single(s, x, w, record, output, taps, 1);
                        }
                        w += taps;
                        record += words;
                        ++output;
                    }
                }
                output += two ? s->out_c : 0;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
