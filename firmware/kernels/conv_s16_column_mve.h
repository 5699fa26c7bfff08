/* The column of a pixel of a CONV_2D of int16 activations, MVE: the taps of its window and of a group's channels side by side. */
#ifndef HIL_KERNELS_CONV_S16_COLUMN_MVE_H
#define HIL_KERNELS_CONV_S16_COLUMN_MVE_H

#include <arm_mve.h>

#include "row_s16_shape.h"
#include "window.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w;
    int32_t dilation_h, dilation_w, pad_top, pad_left, groups;
    row_s16_mve_shape row; /* of a group */
} conv_s16_column_shape;

/* `count` elements; returns the place after them */
HIL_INLINE int16_t *conv_s16_mve_move(int16_t *to, const int16_t *from, int32_t count)
{
    int16_t *end = to + count;
    __asm__ volatile("wlstp.16 lr, %2, 2f\n"
                     "1:\n"
                     "vldrh.u16 q0, [%1], #16\n"
                     "vstrh.16 q0, [%0], #16\n"
                     "letp lr, 1b\n"
                     "2:\n"
                     : "+r"(to), "+r"(from)
                     : "r"(count)
                     : "lr", "q0", "memory");
    return end;
}

/* `count` zeros; returns the place after them */
HIL_INLINE int16_t *conv_s16_mve_zeros(int16_t *to, int32_t count)
{
    int16_t *end = to + count;
    __asm__ volatile("vmov.i32 q0, #0\n"
                     "wlstp.16 lr, %1, 2f\n"
                     "1:\n"
                     "vstrh.16 q0, [%0], #16\n"
                     "letp lr, 1b\n"
                     "2:\n"
                     : "+r"(to)
                     : "r"(count)
                     : "lr", "q0", "memory");
    return end;
}

/* The window at (iy, ix) of the group whose channels begin at `input`: taps side by side in the image are moved together. */
HIL_INLINE void conv_s16_mve_copy(int16_t *to, const int16_t *input, int32_t iy, int32_t ix,
                                  const conv_s16_column_shape *s)
{
    const int32_t first = hil_first_tap(ix, s->dilation_w), all = s->kernel_w, depth = s->in_c / s->groups;
    const int32_t ends = hil_end_tap(ix, s->dilation_w, all, s->in_w);
    const int32_t begin = first < all ? first : all, end = ends > begin ? ends : begin;
    const int32_t together = s->dilation_w == 1 && s->groups == 1 ? end - begin : 1;
    const int32_t before = begin * depth, run = together * depth, after = (all - end) * depth;
    const int32_t step = together * s->dilation_w * s->in_c, line = s->dilation_h * s->in_w * s->in_c;
    const int16_t *from = input + (iy * s->in_w + ix + begin * s->dilation_w) * s->in_c;
    for (int32_t ky = 0; ky < s->kernel_h; ++ky) {
        const int32_t y = iy + ky * s->dilation_h;
        if (y < 0 || y >= s->in_h) {
            to = conv_s16_mve_zeros(to, all * depth);
        } else {
            const int16_t *x = from;
            to = before > 0 ? conv_s16_mve_zeros(to, before) : to;
            for (int32_t kx = begin; kx < end; kx += together) {
                to = conv_s16_mve_move(to, x, run);
                x += step;
            }
            to = after > 0 ? conv_s16_mve_zeros(to, after) : to;
        }
        from += line;
    }
}

/* Whether windows are one tap, which is always in the image. */
HIL_INLINE int32_t conv_s16_mve_alone(const conv_s16_column_shape *s)
{
    return s->kernel_h * s->kernel_w == 1;
}

/* The taps of the output at (oy, ox) of a group: in `column`, or where they lie. */
HIL_INLINE const int16_t *conv_s16_mve_taps(int16_t *column, const int16_t *input, int32_t oy, int32_t ox, int32_t group,
                                            const conv_s16_column_shape *s)
{
    const int32_t iy = oy * s->stride_h - s->pad_top, ix = ox * s->stride_w - s->pad_left, depth = s->in_c / s->groups;
    const int16_t *own = input + group * depth;
    if (conv_s16_mve_alone(s)) {
        return own + (iy * s->in_w + ix) * s->in_c;
    }
    conv_s16_mve_copy(column, own, iy, ix, s);
    return column;
}

/* Fours of a group's channels, and the bytes of their weights. */
HIL_INLINE int32_t conv_s16_mve_fours(const row_s16_mve_shape *row)
{
    return (row->channels + 3) / 4;
}

HIL_INLINE int32_t conv_s16_mve_bytes(const row_s16_mve_shape *row)
{
    return conv_s16_mve_fours(row) * ((row->taps + 7) / 8 * 32);
}

#endif
