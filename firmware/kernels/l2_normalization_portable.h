/* L2_NORMALIZATION over the last dimension, int8 and float32. */
#ifndef HIL_KERNELS_L2_NORMALIZATION_PORTABLE_H
#define HIL_KERNELS_L2_NORMALIZATION_PORTABLE_H

#include "inverse_root.h"
#include "unary_f32_portable.h"

typedef struct {
    int32_t rows, depth, in_zero, is_float;
} l2_normalization_portable_shape;

HIL_INLINE void hil_l2_floats(const float *input, float *output, int32_t depth)
{
    float squares = 0.0f;
    for (int32_t i = 0; i < depth; ++i) {
        squares += hil_rounded(input[i] * input[i]);
    }
    const float root = hil_sqrt(squares);
    const float length = root < 1e-6f ? 1e-6f : root; /* what is no number stays so */
    for (int32_t i = 0; i < depth; ++i) {
        output[i] = input[i] / length;
    }
}

HIL_INLINE void hil_l2_bytes(const int8_t *input, int8_t *output, int32_t depth, int32_t zero)
{
    int32_t squares = 0, shift;
    for (int32_t i = 0; i < depth; ++i) {
        squares += (input[i] - zero) * (input[i] - zero);
    }
    const int32_t multiplier = hil_inverse_root(squares, &shift);
    for (int32_t i = 0; i < depth; ++i) {
        const int64_t product = (int64_t)(128 * (input[i] - zero)) * multiplier;
        const int32_t scaled = (int32_t)((product + (INT64_C(1) << (30 - shift))) >> (31 - shift));
        output[i] = (int8_t)hil_clamp(scaled, INT8_MIN, INT8_MAX);
    }
}

HIL_INLINE void l2_normalization_portable(const uint8_t *input, uint8_t *output, const l2_normalization_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        const int32_t at = row * s->depth;
        if (s->is_float) {
            hil_l2_floats((const float *)(const void *)input + at, (float *)(void *)output + at, s->depth);
        } else {
            hil_l2_bytes((const int8_t *)input + at, (int8_t *)output + at, s->depth, s->in_zero);
        }
    }
}

#endif
