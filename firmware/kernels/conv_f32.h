/* CONV_2D, float32, any shape: two pixels of a row and four output channels at a time, each summed in TFLM's order: by rows,
 * columns and input channels of the kernel, the bias at the end. */
#ifndef HIL_KERNELS_CONV_F32_H
#define HIL_KERNELS_CONV_F32_H

#include "quad_f32.h"
#include "window.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w;
    int32_t dilation_h, dilation_w, pad_top, pad_left;
    int32_t groups, per_group; /* output channels of a group */
} conv_f32_shape;

/* Taps [first, end) of a row of the kernel, and how many values lie behind each other from there on. */
typedef struct {
    int32_t first, end, run;
} conv_f32_taps;

HIL_INLINE conv_f32_taps conv_f32_taps_at(int32_t ix, const conv_f32_shape *s)
{
    conv_f32_taps taps = {hil_first_tap(ix, s->dilation_w), hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w), 0};
    const int32_t depth = s->in_c / s->groups;
    taps.run = s->dilation_w == 1 && s->groups == 1 ? (taps.end - taps.first) * depth : depth;
    return taps;
}

/* The sums of four output channels over the window at (iy, ix), and over the one at ix + s->stride_w where `both`, of which
 * the same taps lie in the image. */
HIL_INLINE void conv_f32_quad(float *sums, const float *input, const float *weights, int32_t iy, int32_t ix,
                              conv_f32_taps taps, int32_t both, int32_t kind, const conv_f32_shape *s)
{
    const int32_t depth = s->in_c / s->groups;
    const int32_t first_y = hil_first_tap(iy, s->dilation_h);
    const int32_t end_y = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h);
    const int32_t step = taps.run == depth ? 1 : taps.end - taps.first;
    for (int32_t ky = first_y; ky < end_y; ++ky) {
        for (int32_t kx = taps.first; kx < taps.end; kx += step) {
            const float *x = input + ((iy + ky * s->dilation_h) * s->in_w + ix + kx * s->dilation_w) * s->in_c;
            const float *w = weights + (ky * s->kernel_w + kx) * depth * 4;
            if (both) {
                quad_f32_dots(sums, x, x + s->stride_w * s->in_c, w, taps.run, kind);
            } else {
                quad_f32_dot(sums, x, w, taps.run, kind);
            }
        }
    }
}

/* weights: [group, output channels of it / 4, row, column, input channel of the group, 4]; bias: [group, the same, 4]; both
 * filled up with zeros */
HIL_INLINE void conv_f32(const float *input, const float *weights, const float *bias, float *output, float low, float high,
                         int32_t kind, const conv_f32_shape *s)
{
    const int32_t depth = s->in_c / s->groups, channels = s->groups * s->per_group;
    const int32_t quad = s->kernel_h * s->kernel_w * depth * 4;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            const int32_t iy = oy * s->stride_h - s->pad_top;
            for (int32_t ox = 0; ox < s->out_w; ox += 2) {
                const int32_t ix = ox * s->stride_w - s->pad_left, two = ox + 1 < s->out_w;
                const conv_f32_taps here = conv_f32_taps_at(ix, s), next = conv_f32_taps_at(ix + s->stride_w, s);
                const int32_t both = two && here.first == next.first && here.end == next.end;
                const float *w = weights, *b = bias;
                for (int32_t g = 0; g < s->groups; ++g) {
                    for (int32_t left = s->per_group; left > 0; left -= 4) {
                        const int32_t count = left < 4 ? left : 4;
                        float sums[8] = {0.0f};
                        conv_f32_quad(sums, input + g * depth, w, iy, ix, here, both, kind, s);
                        if (two && !both) {
                            conv_f32_quad(sums + 4, input + g * depth, w, iy, ix + s->stride_w, next, 0, kind, s);
                        }
                        quad_f32_store(output, sums, b, count, low, high);
                        if (two) {
                            quad_f32_store(output + channels, sums + 4, b, count, low, high);
                        }
                        output += count;
                        w += quad;
                        b += 4;
                    }
                }
                output += two ? channels : 0;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}

#endif
