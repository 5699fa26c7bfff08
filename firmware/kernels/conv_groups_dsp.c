/* See conv_groups_dsp.h. */
#include "conv_groups_dsp.h"

#include <string.h>

#include "columns_end.h"

/* a tap of all groups */
HIL_INLINE void conv_groups_dsp_tap(int8_t *to, const int8_t *from, int32_t padding, const conv_groups_dsp_shape *s)
{
    const int32_t step = s->window_bytes;
    if (from == 0) {
        for (int32_t g = 0; g < s->count; ++g, to += step) {
            for (int32_t i = 0; i < s->depth; ++i) {
                to[i] = (int8_t)padding;
            }
        }
    } else if (s->depth == 1) {
        const int8_t *const end = from + s->count;
        for (; end - from >= 4; from += 4, to += 4 * step) {
            to[0] = from[0];
            to[step] = from[1];
            to[2 * step] = from[2];
            to[3 * step] = from[3];
        }
        for (; from != end; to += step) {
            *to = *from++;
        }
    } else {
        for (int32_t g = 0; g < s->count; ++g, to += step) {
            int32_t i = 0;
            for (; i + 4 <= s->depth; i += 4) {
                memcpy(to + i, from + i, 4);
            }
            for (; i < s->depth; ++i) {
                to[i] = from[i];
            }
            from += s->depth;
        }
    }
}

/* all groups' windows of an output pixel, whose first tap lies at row iy, column ix */
static HIL_NOINLINE void conv_groups_dsp_gather(int8_t *to, const int8_t *image, int32_t iy, int32_t ix,
                                                             const conv_groups_dsp_shape *s)
{
    for (int32_t ky = 0; ky < s->kernel_h; ++ky, iy += s->dilation_h) {
        const int in_rows = iy >= 0 && iy < s->in_h;
        int32_t x = ix;
        for (int32_t kx = 0; kx < s->kernel_w; ++kx, x += s->dilation_w) {
            const int inside = in_rows && x >= 0 && x < s->in_w;
            conv_groups_dsp_tap(to, inside ? image + (iy * s->in_w + x) * s->in_c : 0, s->in_zero, s);
            to += s->depth;
        }
    }
}

HIL_SHARED void conv_groups_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch,
                                const conv_groups_dsp_shape *s, gemm_4x2 *pair, gemm_4x1 *single)
{
    const int32_t taps = s->kernel_h * s->kernel_w * s->depth, each = s->gemm.channels, pixel = s->count * each;
    const im2col_dsp_runs runs = {1, taps / 4, taps % 4, 0, 0, 0};
    int16_t *const columns = (int16_t *)scratch;
    int32_t *const end = scratch + s->column_bytes / 4;
    int8_t *const first = (int8_t *)end, *const second = first + s->count * s->window_bytes;
    for (int32_t i = -HIL_COLUMNS_END_WORDS; i < 0; ++i) {
        end[i] = HIL_COLUMNS_END;
    }
    /* loads that run ahead touch these: nothing is read that was never written */
    end[-2] = 0;
    end[-1] = 0;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            const int32_t iy = oy * s->stride_h - s->pad_top;
            int32_t ix = -s->pad_left;
            for (int32_t left = s->out_w; left > 0; left -= 2) {
                conv_groups_dsp_gather(first, input, iy, ix, s);
                if (left > 1) {
                    conv_groups_dsp_gather(second, input, iy, ix + s->stride_w, s);
                }
                const int8_t *window0 = first, *window1 = second;
                const int32_t *w = weights;
                for (int32_t g = 0; g < s->count; ++g) {
                    if (left > 1) {
                        im2col_pair_dsp(columns, window0, window1, &runs);
                        pair(w, columns, output + g * each, output + pixel + g * each, &s->gemm);
                    } else {
                        im2col_single_dsp(columns, window0, &runs);
                        single(w, columns, output + g * each, &s->gemm);
                    }
                    window0 += s->window_bytes;
                    window1 += s->window_bytes;
                    w += s->group_words;
                }
                output += left > 1 ? 2 * pixel : pixel;
                ix += 2 * s->stride_w;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
