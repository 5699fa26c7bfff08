/* CONV_2D, int8: any kernel, stride, dilation, padding and number of groups.
 *
 * Four output channels of one pixel at a time, so that an activation is loaded once for four multiplications. Taps in the
 * padding are left out: they would multiply zero. in_zero is 0 when the compiler has folded the zero point into the bias. */
#ifndef HIL_KERNELS_CONV_S8_PORTABLE_H
#define HIL_KERNELS_CONV_S8_PORTABLE_H

#include "dot_s8.h"
#include "window.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, out_c, groups;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int32_t in_zero, out_zero, clamp_min, clamp_max;
} conv_s8_portable_shape;

/* adds up `count` products for each of `channels` (1 or 4) rows of weights, `row` bytes apart */
HIL_INLINE void conv_s8_portable_dot(dot_s8_sums *sums, const int8_t *x, const int8_t *w, int32_t row, int32_t count,
                                     int32_t in_zero, int32_t channels)
{
    if (channels == 4) {
        dot_s8_quad(sums, x, w, row, count, in_zero);
    } else {
        dot_s8_single(sums, x, w, count, in_zero);
    }
}

/* `channels` output channels from `oc` on, of the pixel whose window starts at input row iy, column ix */
HIL_INLINE void conv_s8_portable_pixel(const conv_s8_portable_shape *s, const int8_t *image, const int8_t *weights,
                                       const int32_t *bias, const int32_t *multiplier, const int8_t *shift,
                                       int8_t *out, int32_t oc, int32_t iy, int32_t ix, int32_t channels)
{
    const int32_t depth = s->in_c / s->groups;
    const int32_t row = s->kernel_h * s->kernel_w * depth;
    const int32_t ky_first = hil_first_tap(iy, s->dilation_h);
    const int32_t ky_end = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h);
    const int32_t kx_first = hil_first_tap(ix, s->dilation_w);
    const int32_t kx_end = hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w);
    const int8_t *group = image + oc / (s->out_c / s->groups) * depth;
    dot_s8_sums sums = dot_s8_start(bias + oc, channels);
    for (int32_t ky = ky_first; ky < ky_end; ++ky) {
        const int8_t *line = group + (iy + ky * s->dilation_h) * s->in_w * s->in_c;
        const int8_t *taps = weights + oc * row + ky * s->kernel_w * depth;
        if (s->dilation_w == 1 && s->groups == 1) {
            /* the taps of one row are neighbours in memory */
            if (kx_first < kx_end) {
                conv_s8_portable_dot(&sums, line + (ix + kx_first) * depth, taps + kx_first * depth, row,
                                     (kx_end - kx_first) * depth, s->in_zero, channels);
            }
        } else {
            for (int32_t kx = kx_first; kx < kx_end; ++kx) {
                conv_s8_portable_dot(&sums, line + (ix + kx * s->dilation_w) * s->in_c, taps + kx * depth, row, depth,
                                     s->in_zero, channels);
            }
        }
    }
    dot_s8_finish(&sums, channels, multiplier + oc, shift + oc, out + oc, s->out_zero, s->clamp_min, s->clamp_max);
}

HIL_INLINE void conv_s8_portable(const int8_t *input, const int8_t *weights, const int32_t *bias,
                                 const int32_t *multiplier, const int8_t *shift, int8_t *output,
                                 const conv_s8_portable_shape *s)
{
    const int32_t per_group = s->out_c / s->groups;
    const int32_t blocked = per_group - per_group % 4;
    for (int32_t n = 0; n < s->batches; ++n) {
        const int8_t *image = input + n * s->in_h * s->in_w * s->in_c;
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            const int32_t iy = oy * s->stride_h - s->pad_top;
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t ix = ox * s->stride_w - s->pad_left;
                for (int32_t first = 0; first < s->out_c; first += per_group) {
                    for (int32_t c = 0; c < blocked; c += 4) {
                        conv_s8_portable_pixel(s, image, weights, bias, multiplier, shift, output, first + c, iy, ix, 4);
                    }
                    for (int32_t c = blocked; c < per_group; ++c) {
                        conv_s8_portable_pixel(s, image, weights, bias, multiplier, shift, output, first + c, iy, ix, 1);
                    }
                }
                output += s->out_c;
            }
        }
    }
}

#endif
