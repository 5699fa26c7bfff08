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

/* `count` elements, or zeros where `from` is 0; returns the place after them */
HIL_INLINE int16_t *conv_s16_mve_fill(int16_t *to, const int16_t *from, int32_t count)
{
    int16x8_t values = vdupq_n_s16(0);
    for (int32_t i = 0; i < count; i += 8) {
        const mve_pred16_t lanes = vctp16q((uint32_t)(count - i));
        if (from != 0) {
            values = vldrhq_z_s16(from + i, lanes);
        }
        vstrhq_p_s16(to + i, values, lanes);
    }
    return to + count;
}

/* The window at (iy, ix) of the group whose channels begin at `input`: taps side by side in the image are copied together. */
HIL_INLINE void conv_s16_mve_copy(int16_t *to, const int16_t *input, int32_t iy, int32_t ix,
                                    const conv_s16_column_shape *s)
{
    const int32_t first = hil_first_tap(ix, s->dilation_w), all = s->kernel_w;
    const int32_t ends = hil_end_tap(ix, s->dilation_w, all, s->in_w);
    const int32_t begin = first < all ? first : all, end = ends > begin ? ends : begin;
    const int32_t depth = s->in_c / s->groups;
    const int32_t together = s->dilation_w == 1 && s->groups == 1 ? end - begin : 1;
    for (int32_t ky = 0; ky < s->kernel_h; ++ky) {
        const int32_t y = iy + ky * s->dilation_h;
        if (y < 0 || y >= s->in_h) {
            to = conv_s16_mve_fill(to, 0, all * depth);
            continue;
        }
        to = conv_s16_mve_fill(to, 0, begin * depth);
        for (int32_t kx = begin; kx < end; kx += together) {
            to = conv_s16_mve_fill(to, input + (y * s->in_w + ix + kx * s->dilation_w) * s->in_c, together * depth);
        }
        to = conv_s16_mve_fill(to, 0, (all - end) * depth);
    }
}

/* The taps of the output at (oy, ox) of a group: in `column`, or where they lie if there is one, which is always in the image. */
HIL_INLINE const int16_t *conv_s16_mve_taps(int16_t *column, const int16_t *input, int32_t oy, int32_t ox, int32_t group,
                                            const conv_s16_column_shape *s)
{
    const int32_t iy = oy * s->stride_h - s->pad_top, ix = ox * s->stride_w - s->pad_left, depth = s->in_c / s->groups;
    const int16_t *own = input + group * depth;
    if (s->row.taps == depth) {
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
