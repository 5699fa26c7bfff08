/* L2_POOL_2D, float32: the root of the mean square of the elements inside the image. */
#ifndef HIL_KERNELS_L2_POOL_F32_PORTABLE_H
#define HIL_KERNELS_L2_POOL_F32_PORTABLE_H

#include "unary_f32_portable.h"

typedef struct {
    int32_t batches, in_h, in_w, channels, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
} l2_pool_f32_portable_shape;

HIL_INLINE void l2_pool_f32_portable(const float *input, float *output, float low, float high,
                                     const l2_pool_f32_portable_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t iy = oy * s->stride_h - s->pad_top, ix = ox * s->stride_w - s->pad_left;
                const int32_t first_y = iy > 0 ? iy : 0, first_x = ix > 0 ? ix : 0;
                const int32_t end_y = iy + s->kernel_h < s->in_h ? iy + s->kernel_h : s->in_h;
                const int32_t end_x = ix + s->kernel_w < s->in_w ? ix + s->kernel_w : s->in_w;
                for (int32_t c = 0; c < s->channels; ++c) {
                    float sum = 0.0f;
                    for (int32_t y = first_y; y < end_y; ++y) {
                        for (int32_t x = first_x; x < end_x; ++x) {
                            const float value = input[(y * s->in_w + x) * s->channels + c];
                            sum += hil_rounded(value * value);
                        }
                    }
                    const float mean = sum / (float)((end_y - first_y) * (end_x - first_x));
                    *output++ = hil_float_clamp(hil_sqrt(mean), low, high);
                }
            }
        }
        input += s->in_h * s->in_w * s->channels;
    }
}

#endif
