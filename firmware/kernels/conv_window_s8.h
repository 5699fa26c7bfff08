/* The windows of the portable convolutions: shape, and gathering one into a row. */
#ifndef HIL_KERNELS_CONV_WINDOW_S8_H
#define HIL_KERNELS_CONV_WINDOW_S8_H

#include <string.h>

#include "scale_s8.h"

typedef struct {
    scale_s8_shape scale;
    int32_t batches, in_h, in_w, in_c, out_h, out_w, out_c, groups;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int32_t in_zero;
    int32_t direct; /* windows are one pixel each, inside the image, and one group: read where they are */
} conv_window_s8_shape;

/* the taps of a window's row y one by one: from the image where they lie inside, else the zero point */
HIL_INLINE int8_t *conv_window_s8_taps(const conv_window_s8_shape *s, const int8_t *group, int32_t y, int32_t ix,
                                       int8_t *row)
{
    const int32_t depth = s->in_c / s->groups;
    for (int32_t kx = 0; kx < s->kernel_w; ++kx) {
        const int32_t x = ix + kx * s->dilation_w;
        if (x >= 0 && x < s->in_w) {
            const int8_t *from = group + (y * s->in_w + x) * s->in_c;
            for (int32_t i = 0; i < depth; ++i) {
                *row++ = from[i];
            }
        } else {
            for (int32_t i = 0; i < depth; ++i) {
                *row++ = (int8_t)s->in_zero;
            }
        }
    }
    return row;
}

/* the taps of one group of a window that starts at a row and column of the image, or in its padding, to `row` */
HIL_INLINE void conv_window_s8_gather(const conv_window_s8_shape *s, const int8_t *group, int32_t iy, int32_t ix,
                                      int8_t *row)
{
    const int32_t depth = s->in_c / s->groups;
    const int32_t dense = s->dilation_w == 1 && s->groups == 1 && ix >= 0 && ix + s->kernel_w <= s->in_w;
    for (int32_t ky = 0; ky < s->kernel_h; ++ky) {
        const int32_t y = iy + ky * s->dilation_h;
        if (y < 0 || y >= s->in_h) {
            memset(row, s->in_zero, (size_t)(s->kernel_w * depth));
            row += s->kernel_w * depth;
        } else if (dense) {
            memcpy(row, group + (y * s->in_w + ix) * s->in_c, (size_t)(s->kernel_w * depth));
            row += s->kernel_w * depth;
        } else {
            row = conv_window_s8_taps(s, group, y, ix, row);
        }
    }
}

#endif
