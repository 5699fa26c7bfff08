/* FULLY_CONNECTED of weights that are computed at run time, int8 and float32: sums along the depth, in its order. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_DYNAMIC_PORTABLE_H
#define HIL_KERNELS_FULLY_CONNECTED_DYNAMIC_PORTABLE_H

#include "floats.h"
#include "requantize.h"

typedef struct {
    int32_t rows, depth, channels;
    int32_t is_float, has_bias;
    int32_t x_zero, w_zero, multiplier, shift, out_zero, clamp_min, clamp_max; /* of int8 */
} fully_connected_dynamic_portable_shape;

HIL_INLINE float hil_dynamic_float(const uint8_t *x, const uint8_t *w, int32_t depth)
{
    float sum = 0.0f;
    for (int32_t i = 0; i < depth; ++i) {
        sum += hil_rounded(hil_float_load(x + 4 * i) * hil_float_load(w + 4 * i));
    }
    return sum;
}

HIL_INLINE int32_t hil_dynamic_byte(const int8_t *x, const int8_t *w, const fully_connected_dynamic_portable_shape *s)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < s->depth; ++i) {
        sum += (x[i] - s->x_zero) * (w[i] - s->w_zero);
    }
    return sum;
}

HIL_INLINE void fully_connected_dynamic_portable(const uint8_t *input, const uint8_t *weights, const uint8_t *bias,
                                                 uint8_t *output, float low, float high,
                                                 const fully_connected_dynamic_portable_shape *s)
{
    for (int32_t r = 0; r < s->rows; ++r) {
        for (int32_t c = 0; c < s->channels; ++c) {
            if (s->is_float) {
                const float sum =
                    hil_dynamic_float(input + 4 * r * s->depth, weights + 4 * c * s->depth, s->depth);
                const float biased = sum + (s->has_bias ? hil_float_load(bias + 4 * c) : 0.0f);
                hil_float_store(output, hil_float_clamp(biased, low, high));
                output += 4;
            } else {
                const int8_t *x = (const int8_t *)input + r * s->depth, *w = (const int8_t *)weights + c * s->depth;
                int32_t start = 0;
                if (s->has_bias) {
                    memcpy(&start, bias + 4 * c, 4);
                }
                const int32_t sum = hil_wrap_add(hil_dynamic_byte(x, w, s), start);
                const int32_t made = hil_wrap_add(hil_requantize(sum, s->multiplier, s->shift), s->out_zero);
                *output++ = (uint8_t)(hil_clamp(made, s->clamp_min, s->clamp_max) & 0xff);
            }
        }
    }
}

#endif
