/* The strip of a row of windows that may be dilated, int8, MVE (conv_strip_s8_mve.h): for the sources of the kernels that have it. */
#ifndef HIL_KERNELS_CONV_WEAVE_S8_MVE_H
#define HIL_KERNELS_CONV_WEAVE_S8_MVE_H

#include "conv_parts_s8_mve.h"
#include "fill_mve.h"

/* how many of `count` columns, `step` apart from `first` on, lie before column `end` */
HIL_INLINE int32_t conv_weave_s8_mve_before(int32_t first, int32_t step, int32_t count, int32_t end)
{
    const int32_t found = first < end ? (end - first + step - 1) / step : 0;
    return found < count ? found : count;
}

/* the strip of `columns` columns of the windows of output row oy, from input column `first` on */
HIL_INLINE void conv_weave_s8_mve(const conv_parts_s8_mve_shape *s, conv_strip_s8_mve_shape *weaving,
                                  const int8_t *image, int8_t *strip, const int8_t *padding, int32_t oy, int32_t first,
                                  int32_t columns)
{
    const int32_t column = weaving->column;
    const int32_t left = conv_weave_s8_mve_before(first, s->dilation_w, columns, 0);
    const int32_t end = conv_weave_s8_mve_before(first, s->dilation_w, columns, s->in_w);
    const int32_t inside = end - left;
    if (left > 0) {
        fill_mve(strip, s->in_zero, left * column);
    }
    if (end < columns) {
        fill_mve(strip + end * column, s->in_zero, (columns - end) * column);
    }
    if (inside == 0) {
        return;
    }
    int8_t *to = strip + left * column;
    int32_t y = oy * s->stride_h - s->pad_top;
    for (int32_t ky = 0; ky < s->kernel_h; ++ky) {
        if (y >= 0 && y < s->in_h) {
            weaving->input_step = s->dilation_w * s->in_c;
            conv_strip_s8_mve(to, image + (y * s->in_w + first + left * s->dilation_w) * s->in_c, inside, weaving);
        } else {
            weaving->input_step = 0;
            conv_strip_s8_mve(to, padding, inside, weaving);
        }
        to += weaving->depth;
        y += s->dilation_h;
    }
}

#endif
