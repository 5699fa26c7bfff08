/* TRANSPOSE_CONV, int8 and float32: every output element is summed from the input pixels whose kernels reach it, by rows, columns
 * and channels of the input. */
#ifndef HIL_KERNELS_TRANSPOSE_CONV_PORTABLE_H
#define HIL_KERNELS_TRANSPOSE_CONV_PORTABLE_H

#include "floats.h"
#include "requantize.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w, stride_h, stride_w, top, left;
    int32_t in_zero, out_zero, clamp_min, clamp_max; /* of int8 */
} transpose_conv_portable_shape;

/* first input row or column whose kernel reaches the output's at `place`, and one past the last one */
HIL_INLINE int32_t hil_first_source(int32_t place, int32_t kernel, int32_t stride)
{
    const int32_t least = place - kernel + 1;
    return least <= 0 ? 0 : (least + stride - 1) / stride;
}

HIL_INLINE int32_t hil_end_source(int32_t place, int32_t stride, int32_t size)
{
    const int32_t end = place / stride + 1;
    return end < size ? end : size;
}

HIL_INLINE int32_t transpose_conv_s8_sum(const int8_t *input, const int8_t *weights, int32_t y, int32_t x,
                                         const transpose_conv_portable_shape *s)
{
    int32_t sum = 0;
    const int32_t end_y = hil_end_source(y, s->stride_h, s->in_h), end_x = hil_end_source(x, s->stride_w, s->in_w);
    for (int32_t iy = hil_first_source(y, s->kernel_h, s->stride_h); iy < end_y; ++iy) {
        for (int32_t ix = hil_first_source(x, s->kernel_w, s->stride_w); ix < end_x; ++ix) {
            const int8_t *a = input + (iy * s->in_w + ix) * s->in_c;
            const int8_t *w = weights + ((y - iy * s->stride_h) * s->kernel_w + x - ix * s->stride_w) * s->in_c;
            for (int32_t i = 0; i < s->in_c; ++i) {
                sum += (a[i] - s->in_zero) * w[i];
            }
        }
    }
    return sum;
}

HIL_INLINE float transpose_conv_f32_sum(const float *input, const float *weights, int32_t y, int32_t x,
                                        const transpose_conv_portable_shape *s)
{
    float sum = 0.0f;
    const int32_t end_y = hil_end_source(y, s->stride_h, s->in_h), end_x = hil_end_source(x, s->stride_w, s->in_w);
    for (int32_t iy = hil_first_source(y, s->kernel_h, s->stride_h); iy < end_y; ++iy) {
        for (int32_t ix = hil_first_source(x, s->kernel_w, s->stride_w); ix < end_x; ++ix) {
            const float *a = input + (iy * s->in_w + ix) * s->in_c;
            const float *w = weights + ((y - iy * s->stride_h) * s->kernel_w + x - ix * s->stride_w) * s->in_c;
            for (int32_t i = 0; i < s->in_c; ++i) {
                sum += hil_rounded(a[i] * w[i]);
            }
        }
    }
    return sum;
}

#endif
