#include "conv_f32_portable.h"

#include "quad_f32.h"

/* The sums of four output channels over the window at (iy, ix). */
HIL_INLINE void conv_f32_quad(float *sums, const float *input, const float *weights, int32_t iy, int32_t ix,
                              int32_t depth, const conv_f32_portable_shape *s)
{
    const int32_t first_y = hil_first_tap(iy, s->dilation_h);
    const int32_t end_y = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h);
    const int32_t first_x = hil_first_tap(ix, s->dilation_w);
    const int32_t end_x = hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w);
    float a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;
    for (int32_t ky = first_y; ky < end_y; ++ky) {
        for (int32_t kx = first_x; kx < end_x; ++kx) {
            const float *x = input + ((iy + ky * s->dilation_h) * s->in_w + ix + kx * s->dilation_w) * s->in_c;
            const float *w = weights + (ky * s->kernel_w + kx) * depth * 4;
            QUAD_F32_DOT(a, b, c, d, x, w, depth);
        }
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

HIL_SHARED void conv_f32_portable(const float *input, const float *weights, const float *bias, float *output, float low,
                                  float high, const conv_f32_portable_shape *s)
{
    const int32_t depth = s->in_c / s->groups;
    const int32_t quad = s->kernel_h * s->kernel_w * depth * 4;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t iy = oy * s->stride_h - s->pad_top, ix = ox * s->stride_w - s->pad_left;
                const float *w = weights, *b = bias;
                for (int32_t g = 0; g < s->groups; ++g) {
                    for (int32_t left = s->per_group; left > 0; left -= 4) {
                        float sums[4];
                        conv_f32_quad(sums, input + g * depth, w, iy, ix, depth, s);
                        output = quad_f32_store(output, sums, b, left < 4 ? left : 4, low, high);
                        w += quad;
                        b += 4;
                    }
                }
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
