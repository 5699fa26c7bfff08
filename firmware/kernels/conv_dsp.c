#include "conv_dsp.h"

#include <stddef.h>

#include "columns_end.h"

/* the window that starts at input row iy, column ix, copied with its padding and without gaps */
static TINYHIL_CODE HIL_NOINLINE void conv_dsp_window(int8_t *to, const int8_t *image, int32_t iy, int32_t ix,
                                                      const conv_dsp_shape *s)
{
    /* taps that are neighbours in memory at once, or one by one */
    const int32_t taps = s->dilation_w == 1 ? s->kernel_w : 1;
    const uint32_t zeros = 0x01010101u * (uint8_t)s->in_zero;
    for (int32_t ky = 0; ky < s->kernel_h; ++ky, iy += s->dilation_h) {
        const int32_t width = iy >= 0 && iy < s->in_h ? s->in_w : 0;
        for (int32_t kx = 0, x = ix; kx < s->kernel_w; kx += taps, x += s->dilation_w) {
            const int32_t left = x >= 0 ? 0 : (x + taps > 0 ? -x : taps);
            const int32_t room = width - x - left;
            const int32_t inside = room <= 0 ? 0 : (room < taps - left ? room : taps - left);
            const int8_t *from = inside == 0 ? image : image + (iy * s->in_w + x + left) * s->in_c;
            to = conv_run_dsp(to, from, left * s->in_c, inside * s->in_c, (taps - left - inside) * s->in_c, zeros);
        }
    }
}

/* all pixels, of as many channels as the shape of the inner kernel says */
static TINYHIL_CODE HIL_NOINLINE void conv_dsp_chunk(const int8_t *input, const int32_t *weights, int8_t *output,
                                                     int16_t *columns, int8_t *windows, const conv_dsp_shape *s,
                                                     const gemm_dsp_shape *shape, gemm_4x2 *pair, gemm_4x1 *single,
                                                     im2col_pair *inner)
{
    const int32_t run = s->kernel_w * s->in_c;
    const int32_t gap = s->dilation_h * s->in_w * s->in_c - run;
    const int32_t step = s->stride_w * s->in_c;
    const int8_t *held = NULL;
    im2col_dsp_runs runs = {s->kernel_h, run / 4, run % 4, gap, gap, step};
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            const int32_t iy = oy * s->stride_h - s->pad_top;
            const int32_t inside = iy >= 0 && iy + (s->kernel_h - 1) * s->dilation_h < s->in_h;
            const int32_t first = inside ? s->inner_first : 0;
            const int32_t end = inside ? s->inner_end : 0;
            const int32_t last = s->out_w;
            for (int32_t ox = 0; ox < last;) {
                const int32_t ix = ox * s->stride_w - s->pad_left;
                const int8_t *pixel;
                int32_t gap_here = gap;
                if (ox >= first && ox < end) {
                    pixel = input + (iy * s->in_w + ix) * s->in_c;
                    if (held == NULL && ox + 2 <= end) {
                        runs.gap0 = gap;
                        runs.gap1 = gap;
                        do {
                            inner(columns, pixel, pixel + step, &runs);
                            pair(weights, columns, output, output + s->out_c, shape);
                            pixel += 2 * step;
                            output += 2 * s->out_c;
                            ox += 2;
                        } while (ox + 2 <= end);
                        continue;
                    }
                } else {
                    int8_t *window = held == NULL ? windows : windows + run * s->kernel_h;
                    conv_dsp_window(window, input, iy, ix, s);
                    pixel = window;
                    gap_here = 0;
                }
                if (held == NULL) {
                    held = pixel;
                    runs.gap0 = gap_here;
                } else {
                    runs.gap1 = gap_here;
                    im2col_pair_dsp(columns, held, pixel, &runs);
                    pair(weights, columns, output, output + s->out_c, shape);
                    output += 2 * s->out_c;
                    held = NULL;
                }
                ++ox;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
    if (held != NULL) {
        im2col_single_dsp(columns, held, &runs);
        single(weights, columns, output, shape);
    }
}

HIL_SHARED void conv_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch,
                         const conv_dsp_shape *s, gemm_4x2 *pair, gemm_4x1 *single, im2col_pair *inner)
{
    int32_t *stage = scratch + s->column_bytes / 4;
    for (int32_t i = -HIL_COLUMNS_END_WORDS; i < 0; ++i) {
        stage[i] = HIL_COLUMNS_END;
    }
    /* loads that run ahead touch these: nothing is read that was never written */
    stage[-2] = 0;
    stage[-1] = 0;
    gemm_dsp_shape shape = s->gemm;
    shape.channels = s->chunk;
    for (int32_t channel = 0; channel < s->out_c; channel += s->chunk) {
        const int32_t left = s->out_c - channel;
        if (left < shape.channels) {
            shape.channels = left;
        }
        const int32_t *here = weights;
        if (s->stage_words != 0) {
            copy_words_dsp(stage, weights, (shape.channels + 3) / 4 * s->block_words);
            here = stage;
        }
        conv_dsp_chunk(input, here, output + channel, (int16_t *)scratch, (int8_t *)(stage + s->stage_words), s, &shape,
                       pair, single, inner);
        weights += s->chunk / 4 * s->block_words;
    }
}
