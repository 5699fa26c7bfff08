#include "conv_s16_portable.h"

#include "quad_s16.h"

/* The sums of four output channels over the window at (iy, ix). */
HIL_INLINE void conv_s16_quad(int64_t *sums, const int16_t *input, const int8_t *weights, int32_t iy, int32_t ix,
                              int32_t depth, const conv_s16_portable_shape *s)
{
    const int32_t first_y = hil_first_tap(iy, s->dilation_h);
    const int32_t end_y = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h);
    const int32_t first_x = hil_first_tap(ix, s->dilation_w);
    const int32_t end_x = hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w);
    /* taps side by side in the image are summed together */
    const int32_t together = s->dilation_w == 1 && s->groups == 1 && end_x > first_x ? end_x - first_x : 1;
    for (int32_t ky = first_y; ky < end_y; ++ky) {
        for (int32_t kx = first_x; kx < end_x; kx += together) {
            const int32_t pixel = (iy + ky * s->dilation_h) * s->in_w + ix + kx * s->dilation_w;
            const int8_t *w = weights + (ky * s->kernel_w + kx) * depth * 4;
            quad_s16_dot(sums, input + pixel * s->in_c, w, depth * together);
        }
    }
}

HIL_SHARED void conv_s16_portable(const int16_t *input, const int8_t *weights, const int64_t *biases,
                                  const int32_t *factors, int16_t *output, const conv_s16_portable_shape *s)
{
    const int32_t depth = s->in_c / s->groups;
    const int32_t quad = s->kernel_h * s->kernel_w * depth * 4;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t iy = oy * s->stride_h - s->pad_top, ix = ox * s->stride_w - s->pad_left;
                const int8_t *w = weights;
                const int64_t *b = biases;
                const int32_t *f = factors;
                for (int32_t g = 0; g < s->groups; ++g) {
                    for (int32_t left = s->per_group; left > 0; left -= 4) {
                        int64_t sums[4] = {0, 0, 0, 0};
                        conv_s16_quad(sums, input + g * depth, w, iy, ix, depth, s);
                        output = quad_s16_store(output, sums, b, f, left < 4 ? left : 4, &s->scale);
                        w += quad;
                        b += 4;
                        f += 8;
                    }
                }
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
