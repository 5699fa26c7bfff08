#include "conv_dsp.h"

#include <string.h>

/* What the loops below move: a word where the channels allow it. The asm statements keep compilers from calling memcpy and
 * memset, which are slow in small libraries. */
HIL_INLINE int8_t *conv_dsp_copy(int8_t *to, const int8_t *from, int32_t count, int words)
{
    if (words) {
        for (const int8_t *const end = from + count; from < end; from += 4, to += 4) {
            uint32_t word;
            memcpy(&word, from, 4);
            __asm__("" : "+r"(word));
            memcpy(to, &word, 4);
        }
    } else {
        for (const int8_t *const end = from + count; from < end;) {
            int32_t byte = *from++;
            __asm__("" : "+r"(byte));
            *to++ = (int8_t)byte;
        }
    }
    return to;
}

HIL_INLINE int8_t *conv_dsp_fill(int8_t *to, uint32_t zeros, int32_t count, int words)
{
    if (words) {
        for (int8_t *const end = to + count; to < end; to += 4) {
            __asm__("" : "+r"(zeros));
            memcpy(to, &zeros, 4);
        }
    } else {
        for (int8_t *const end = to + count; to < end;) {
            __asm__("" : "+r"(zeros));
            *to++ = (int8_t)zeros;
        }
    }
    return to;
}

/* the window that starts at input row iy, column ix, copied with its padding and without gaps */
HIL_INLINE void conv_dsp_gather(int8_t *to, const int8_t *image, int32_t iy, int32_t ix, const conv_dsp_shape *s,
                                int words)
{
    const int32_t depth = s->in_c;
    const int32_t step = s->dilation_w * depth;
    const int32_t near = s->dilation_w == 1 ? s->kernel_w : 1;
    const uint32_t zeros = 0x01010101u * (uint8_t)s->in_zero;
    for (int32_t ky = 0; ky < s->kernel_h; ++ky, iy += s->dilation_h) {
        if (iy < 0 || iy >= s->in_h) {
            to = conv_dsp_fill(to, zeros, s->kernel_w * depth, words);
            continue;
        }
        /* taps that are neighbours in memory at once, or one by one */
        const int8_t *from = image + (iy * s->in_w + ix) * depth;
        for (int32_t kx = 0, x = ix; kx < s->kernel_w; kx += near, x += s->dilation_w, from += step) {
            const int32_t end = x + near;
            const int32_t first = x > 0 ? x : 0;
            const int32_t last = end < s->in_w ? end : s->in_w;
            if (first < last) {
                to = conv_dsp_fill(to, zeros, (first - x) * depth, words);
                to = conv_dsp_copy(to, from + (first - x) * depth, (last - first) * depth, words);
                to = conv_dsp_fill(to, zeros, (end - last) * depth, words);
            } else {
                to = conv_dsp_fill(to, zeros, near * depth, words);
            }
        }
    }
}

static TINYHIL_CODE HIL_NOINLINE void conv_dsp_window(int8_t *to, const int8_t *image, int32_t iy, int32_t ix,
                                                      const conv_dsp_shape *s)
{
    if (s->in_c % 4 == 0) {
        conv_dsp_gather(to, image, iy, ix, s, 1);
    } else {
        conv_dsp_gather(to, image, iy, ix, s, 0);
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

/* gemm_dsp_asm.h: no activations can look like this */
#define CONV_DSP_COLUMNS_END 0x7f007f00

HIL_SHARED void conv_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch,
                         const conv_dsp_shape *s, gemm_4x2 *pair, gemm_4x1 *single, im2col_pair *inner)
{
    int32_t *stage = scratch + s->column_bytes / 4;
    stage[-3] = CONV_DSP_COLUMNS_END;
    /* loads that run ahead touch these: nothing is read that was never written */
    stage[-2] = 0;
    stage[-1] = 0;
    gemm_dsp_shape shape = {s->groups, s->chunk, s->offset, s->clamped, s->low, s->high};
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
