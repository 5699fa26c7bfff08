/* Pools of float32 and int16. Type and operation are literals. */
#ifndef HIL_KERNELS_POOL_WIDE_PORTABLE_H
#define HIL_KERNELS_POOL_WIDE_PORTABLE_H

#include "unary_f32_portable.h"
#include "window.h"

#define HIL_POOL_MAX_POOL_2D 0
#define HIL_POOL_AVERAGE_POOL_2D 1
#define HIL_POOL_L2_POOL_2D 2 /* the root of the mean square, of float32 alone */

typedef struct {
    int32_t batches, in_h, in_w, channels, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
    int32_t is_float, operation;
    int32_t clamp_min, clamp_max; /* of int16 */
} pool_wide_portable_shape;

HIL_INLINE void hil_pool_floats(const float *input, float *output, float low, float high, const int32_t *taps,
                                const pool_wide_portable_shape *s)
{
    for (int32_t c = 0; c < s->channels; ++c) {
        float sofar = s->operation == HIL_POOL_MAX_POOL_2D ? -3.40282347e+38f : 0.0f;
        for (int32_t y = taps[0]; y < taps[1]; ++y) {
            for (int32_t x = taps[2]; x < taps[3]; ++x) {
                const float value = input[(y * s->in_w + x) * s->channels + c];
                if (s->operation == HIL_POOL_MAX_POOL_2D) {
                    sofar = sofar < value ? value : sofar;
                } else {
                    sofar += s->operation == HIL_POOL_L2_POOL_2D ? hil_rounded(value * value) : value;
                }
            }
        }
        if (s->operation != HIL_POOL_MAX_POOL_2D) {
            sofar = sofar / hil_float_of((taps[1] - taps[0]) * (taps[3] - taps[2]));
            sofar = s->operation == HIL_POOL_L2_POOL_2D ? hil_sqrt(sofar) : sofar;
        }
        output[c] = hil_float_clamp(sofar, low, high);
    }
}

HIL_INLINE void hil_pool_halves(const int16_t *input, int16_t *output, const int32_t *taps,
                                const pool_wide_portable_shape *s)
{
    const int32_t count = (taps[1] - taps[0]) * (taps[3] - taps[2]);
    for (int32_t c = 0; c < s->channels; ++c) {
        int32_t sofar = s->operation == HIL_POOL_AVERAGE_POOL_2D ? 0 : INT16_MIN;
        for (int32_t y = taps[0]; y < taps[1]; ++y) {
            for (int32_t x = taps[2]; x < taps[3]; ++x) {
                const int32_t value = input[(y * s->in_w + x) * s->channels + c];
                sofar = s->operation == HIL_POOL_AVERAGE_POOL_2D ? sofar + value : sofar < value ? value : sofar;
            }
        }
        if (s->operation == HIL_POOL_AVERAGE_POOL_2D) {
            sofar = sofar > 0 ? (sofar + count / 2) / count : (sofar - count / 2) / count;
        }
        output[c] = (int16_t)hil_clamp(sofar, s->clamp_min, s->clamp_max);
    }
}

HIL_INLINE void pool_wide_portable(const uint8_t *input, uint8_t *output, float low, float high,
                                   const pool_wide_portable_shape *s)
{
    const int32_t size = s->is_float ? 4 : 2;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t iy = oy * s->stride_h - s->pad_top, ix = ox * s->stride_w - s->pad_left;
                const int32_t taps[4] = {
                    iy > 0 ? iy : 0,
                    iy + s->kernel_h < s->in_h ? iy + s->kernel_h : s->in_h,
                    ix > 0 ? ix : 0,
                    ix + s->kernel_w < s->in_w ? ix + s->kernel_w : s->in_w,
                };
                if (s->is_float) {
                    hil_pool_floats((const float *)(const void *)input, (float *)(void *)output, low, high, taps, s);
                } else {
                    hil_pool_halves((const int16_t *)(const void *)input, (int16_t *)(void *)output, taps, s);
                }
                output += s->channels * size;
            }
        }
        input += s->in_h * s->in_w * s->channels * size;
    }
}

#endif
