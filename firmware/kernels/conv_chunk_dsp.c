#include "conv_chunk_dsp.h"

#include <stddef.h>

/* the window that starts at input row iy, column ix, copied with its padding and without gaps */
static HIL_NOINLINE void conv_chunk_dsp_window(int8_t *to, const int8_t *image, int32_t iy,
                                                            int32_t ix, const conv_dsp_shape *s)
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

HIL_SHARED void conv_chunk_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int16_t *columns,
                               int8_t *windows, const conv_dsp_shape *s, const gemm_dsp_shape *shape, gemm_4x2 *pair,
                               gemm_4x1 *single, im2col_pair *inner)
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
                    conv_chunk_dsp_window(window, input, iy, ix, s);
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
