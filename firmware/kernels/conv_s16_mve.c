#include "conv_s16_mve.h"

#include "quad_s16_mve.h"

/* The sums of four output channels over the window at (iy, ix): taps side by side in the image are one row. */
HIL_INLINE void conv_s16_mve_quad(int32_t *sums, const int16_t *input, const int8_t *weights, int32_t iy, int32_t ix,
                                  const conv_s16_mve_shape *s)
{
    const int32_t first_y = hil_first_tap(iy, s->dilation_h);
    const int32_t end_y = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h);
    const int32_t first_x = hil_first_tap(ix, s->dilation_w);
    const int32_t end_x = hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w);
    const int32_t together = s->dilation_w == 1 && end_x > first_x ? end_x - first_x : 1;
    const int32_t filter = s->kernel_h * s->kernel_w * s->in_c;
    for (int32_t ky = first_y; ky < end_y; ++ky) {
        for (int32_t kx = first_x; kx < end_x; kx += together) {
            const int32_t pixel = (iy + ky * s->dilation_h) * s->in_w + ix + kx * s->dilation_w;
            quad_s16_mve_dot(sums, input + pixel * s->in_c, weights + (ky * s->kernel_w + kx) * s->in_c, filter,
                             together * s->in_c);
        }
    }
}

HIL_SHARED void conv_s16_mve(const int16_t *input, const int8_t *weights, const int32_t *records, int16_t *output,
                             const conv_s16_mve_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t iy = oy * s->stride_h - s->pad_top, ix = ox * s->stride_w - s->pad_left;
                const int8_t *w = weights;
                const int32_t *record = records;
                for (int32_t left = s->channels; left > 0; left -= 4) {
                    int32_t sums[4] = {record[0], record[1], record[2], record[3]};
                    const int32_t count = left < 4 ? left : 4;
                    conv_s16_mve_quad(sums, input, w, iy, ix, s);
                    quad_s16_mve_store(output, sums, record + 4, count, s->clamp_min, s->clamp_max);
                    output += count;
                    w += 4 * s->kernel_h * s->kernel_w * s->in_c;
                    record += 8;
                }
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
