/* Columns of four pixels of a CONV_2D of int16 activations, as gemm_2x4_s16_dsp.h wants them. */
#ifndef HIL_KERNELS_CONV_S16_COLUMNS_H
#define HIL_KERNELS_CONV_S16_COLUMNS_H

#include <string.h>

#include "window.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w;
    int32_t dilation_h, dilation_w, pad_top, pad_left;
    int32_t channels, taps; /* of the output; of a column, filled up with zeros to a multiple of four */
    int32_t clamp_min, clamp_max;
} conv_s16_columns_shape;

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
HIL_INLINE void conv_s16_column(int16_t *column, const int16_t *input, int32_t iy, int32_t ix, const conv_s16_columns_shape *s)
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

/* Zeros where images have fewer than four pixels, which are read all the same. */
HIL_INLINE void conv_s16_no_pixels(int16_t *columns, const conv_s16_columns_shape *s)
{
    for (int32_t p = s->out_h * s->out_w; p < 4; ++p) {
        conv_s16_fill(columns + 2 * p, 0, 0, s->taps);
    }
}

#endif
