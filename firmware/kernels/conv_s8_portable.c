#include "conv_s8_portable.h"

#include "quad_s8.h"

HIL_SHARED void conv_s8_portable(const int8_t *input, const int8_t *weights, const int32_t *records, int8_t *output,
                                 int8_t *scratch, const conv_s8_portable_shape *s)
{
    const int32_t taps = s->kernel_h * s->kernel_w * (s->in_c / s->groups);
    const int32_t per_group = s->out_c / s->groups;
    const int32_t words = s->scale.words;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            const int32_t iy = oy * s->stride_h - s->pad_top;
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t ix = ox * s->stride_w - s->pad_left;
                const int8_t *w = weights;
                const int32_t *record = records;
                for (int32_t g = 0; g < s->groups; ++g) {
                    const int8_t *x = scratch;
                    if (s->direct) {
                        x = input + (iy * s->in_w + ix) * s->in_c;
                    } else {
                        conv_window_s8_gather(s, input + g * (s->in_c / s->groups), iy, ix, scratch);
                    }
                    uint32_t sums[4];
                    int32_t left = per_group;
                    for (; left >= 4; left -= 4) {
                        quad_s8_dot(sums, x, w, taps, 4);
                        scale_s8(sums, record, words, output, 1, 4, &s->scale);
                        w += 4 * taps;
                        record += 4 * words;
                        output += 4;
                    }
                    for (; left > 0; --left) {
                        quad_s8_dot(sums, x, w, taps, 1);
                        scale_s8(sums, record, words, output, 1, 1, &s->scale);
                        w += taps;
                        record += words;
                        ++output;
                    }
                }
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
