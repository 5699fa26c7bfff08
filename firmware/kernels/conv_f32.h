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

/* Taps [first, end) of a row of the kernel, of which `step` lie behind each other. */
typedef struct {
    int32_t first, end, step;
} conv_f32_taps;

HIL_INLINE conv_f32_taps conv_f32_taps_at(int32_t ix, const conv_f32_shape *s)
{
    conv_f32_taps taps = {hil_first_tap(ix, s->dilation_w), hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w), 1};
    if (s->dilation_w == 1 && s->groups == 1) {
        taps.step = taps.end - taps.first;
    }
    return taps;
}

/* The sums of four output channels over a window whose first row in the image begins at `input`, and over the next one where
 * `both`, of which the same taps lie in the image. */
HIL_INLINE void conv_f32_quad(float *sums, const float *input, const float *weights, int32_t rows, conv_f32_taps taps,
                              int32_t both, int32_t kind, const conv_f32_shape *s)
{
    const int32_t depth = s->in_c / s->groups, tap = s->dilation_w * s->in_c;
    for (; rows > 0; --rows) {
        for (int32_t kx = taps.first; kx < taps.end; kx += taps.step) {
            const float *x = input + kx * tap, *w = weights + kx * depth * 4;
            if (both) {
                quad_f32_dots(sums, x, x + s->stride_w * s->in_c, w, taps.step * depth, kind);
            } else {
                quad_f32_dot(sums, x, w, taps.step * depth, kind);
            }
        }
        input += s->dilation_h * s->in_w * s->in_c;
        weights += s->kernel_w * depth * 4;
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
            const int32_t first = hil_first_tap(iy, s->dilation_h);
            const int32_t rows = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h) - first;
            const float *row = input + (iy + first * s->dilation_h) * s->in_w * s->in_c;
            for (int32_t ox = 0; ox < s->out_w; ox += 2) {
                const int32_t ix = ox * s->stride_w - s->pad_left, two = ox + 1 < s->out_w;
                const conv_f32_taps here = conv_f32_taps_at(ix, s), next = conv_f32_taps_at(ix + s->stride_w, s);
                const int32_t both = two && here.first == next.first && here.end == next.end;
                const float *x = row + ix * s->in_c, *w = weights + first * s->kernel_w * depth * 4, *b = bias;
                for (int32_t g = 0; g < s->groups; ++g) {
                    for (int32_t left = s->per_group; left > 0; left -= 4) {
                        const int32_t count = left < 4 ? left : 4;
                        float sums[8];
                        quad_f32_clear(sums, 8);
                        conv_f32_quad(sums, x, w, rows, here, both, kind, s);
                        if (two && !both) {
                            conv_f32_quad(sums + 4, x + s->stride_w * s->in_c, w, rows, next, 0, kind, s);
                        }
                        quad_f32_store(output, sums, b, count, low, high);
                        if (two) {
                            quad_f32_store(output + channels, sums + 4, b, count, low, high);
                        }
                        output += count;
                        w += quad;
                        b += 4;
                    }
                    x += depth;
                }
                output += two ? channels : 0;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}

#endif
