#include "conv_s16_mve.h"

#include <arm_mve.h>

/* `count` elements, or zeros where `from` is 0; returns the place after them */
HIL_INLINE int16_t *conv_s16_fill(int16_t *to, const int16_t *from, int32_t count)
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

/* The window at (iy, ix): taps side by side in the image are copied together. */
HIL_INLINE void conv_s16_column(int16_t *to, const int16_t *input, int32_t iy, int32_t ix, const conv_s16_mve_shape *s)
{
    const int32_t first = hil_first_tap(ix, s->dilation_w), all = s->kernel_w;
    const int32_t ends = hil_end_tap(ix, s->dilation_w, all, s->in_w);
    const int32_t begin = first < all ? first : all, end = ends > begin ? ends : begin;
    const int32_t together = s->dilation_w == 1 ? end - begin : 1;
    for (int32_t ky = 0; ky < s->kernel_h; ++ky) {
        const int32_t y = iy + ky * s->dilation_h;
        if (y < 0 || y >= s->in_h) {
            to = conv_s16_fill(to, 0, all * s->in_c);
            continue;
        }
        to = conv_s16_fill(to, 0, begin * s->in_c);
        for (int32_t kx = begin; kx < end; kx += together) {
            to = conv_s16_fill(to, input + (y * s->in_w + ix + kx * s->dilation_w) * s->in_c, together * s->in_c);
        }
        to = conv_s16_fill(to, 0, (all - end) * s->in_c);
    }
}

HIL_SHARED void conv_s16_mve(const int16_t *input, const int8_t *weights, const int32_t *records, int16_t *column,
                             int16_t *output, const conv_s16_mve_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t iy = oy * s->stride_h - s->pad_top, ix = ox * s->stride_w - s->pad_left;
                const int16_t *x = column;
                if (s->row.taps > s->in_c) {
                    conv_s16_column(column, input, iy, ix, s);
                } else {
                    x = input + (iy * s->in_w + ix) * s->in_c;
                }
                row_s16_mve(x, weights, records, output, &s->row);
                output += s->row.channels;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
