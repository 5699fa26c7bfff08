#include "conv_s16_dsp.h"

#include <string.h>

#include "gemm_2x4_s16_dsp.h"
#include "scale_s16.h"

/* Copies `words` pairs of taps, of which those of four pixels lie in turn. */
HIL_INLINE void conv_s16_words(int16_t *to, const int16_t *from, int32_t words)
{
    uint32_t first, second;
    for (; words >= 4; words -= 4) {
        __asm__("ldr %[first], [%[from]], #4\n\t"
                "ldr %[second], [%[from]], #4\n\t"
                "str %[first], [%[to]]\n\t"
                "str %[second], [%[to], #16]\n\t"
                "ldr %[first], [%[from]], #4\n\t"
                "ldr %[second], [%[from]], #4\n\t"
                "str %[first], [%[to], #32]\n\t"
                "str %[second], [%[to], #48]\n\t"
                "adds %[to], #64"
                : [from] "+r"(from), [to] "+l"(to), [first] "=&r"(first), [second] "=&r"(second)
                :
                : "memory", "cc");
    }
    for (; words > 0; --words) {
        memcpy(to, from, 4);
        from += 2;
        to += 8;
    }
}

/* `count` elements, or zeros where `from` is 0, from tap `tap` of a column on; returns the tap after them */
HIL_INLINE int32_t conv_s16_fill(int16_t *column, int32_t tap, const int16_t *from, int32_t count)
{
    const int32_t end = tap + count;
    if (from != 0 && ((tap | count) & 1) == 0) {
        conv_s16_words(column + 4 * tap, from, count >> 1);
        return end;
    }
    for (int32_t i = tap; i < end; ++i) {
        column[8 * (i >> 1) + (i & 1)] = from != 0 ? *from++ : 0;
    }
    return end;
}

/* The window at (iy, ix): taps side by side in the image are copied together. */
HIL_INLINE void conv_s16_column(int16_t *column, const int16_t *input, int32_t iy, int32_t ix, const conv_s16_dsp_shape *s)
{
    const int32_t first = hil_first_tap(ix, s->dilation_w), all = s->kernel_w;
    const int32_t ends = hil_end_tap(ix, s->dilation_w, all, s->in_w);
    const int32_t begin = first < all ? first : all, end = ends > begin ? ends : begin;
    const int32_t together = s->dilation_w == 1 ? end - begin : 1;
    int32_t tap = 0;
    for (int32_t ky = 0; ky < s->kernel_h; ++ky) {
        const int32_t y = iy + ky * s->dilation_h;
        if (y < 0 || y >= s->in_h) {
            tap = conv_s16_fill(column, tap, 0, all * s->in_c);
            continue;
        }
        tap = conv_s16_fill(column, tap, 0, begin * s->in_c);
        for (int32_t kx = begin; kx < end; kx += together) {
            const int32_t pixel = y * s->in_w + ix + kx * s->dilation_w;
            tap = conv_s16_fill(column, tap, input + pixel * s->in_c, together * s->in_c);
        }
        tap = conv_s16_fill(column, tap, 0, (all - end) * s->in_c);
    }
    conv_s16_fill(column, tap, 0, s->taps - tap);
}

/* All channels of `pixels` of four pixels */
HIL_INLINE void conv_s16_four(const int16_t *columns, const int32_t *weights, const int32_t *records, int16_t *output,
                              int32_t pixels, const conv_s16_dsp_shape *s)
{
    for (int32_t c = 0; c < s->channels; c += 2) {
        int32_t sums[8];
        sums[0] = records[0];
        sums[4] = records[1];
        gemm_2x4_s16_dsp(sums, columns, weights, columns + 4 * s->taps);
        int16_t *to = output + c;
        for (int32_t p = 0; p < pixels; ++p) {
            to[0] = scale_s16(sums[p], records[2], s->clamp_min, s->clamp_max);
            if (c + 1 < s->channels) {
                to[1] = scale_s16(sums[4 + p], records[3], s->clamp_min, s->clamp_max);
            }
            to += s->channels;
        }
        weights += s->taps >> 1;
        records += 4;
    }
}

HIL_SHARED void conv_s16_dsp(const int16_t *input, const int32_t *weights, const int32_t *records, int16_t *columns,
                             int16_t *output, const conv_s16_dsp_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        int32_t waiting = 0;
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t iy = oy * s->stride_h - s->pad_top, ix = ox * s->stride_w - s->pad_left;
                conv_s16_column(columns + 2 * waiting, input, iy, ix, s);
                if (++waiting == 4) {
                    conv_s16_four(columns, weights, records, output, 4, s);
                    output += 4 * s->channels;
                    waiting = 0;
                }
            }
        }
        if (waiting > 0) {
            conv_s16_four(columns, weights, records, output, waiting, s);
            output += waiting * s->channels;
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
