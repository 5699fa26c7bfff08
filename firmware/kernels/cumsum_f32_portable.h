/* CUMSUM along a dimension, float32. */
#ifndef HIL_KERNELS_CUMSUM_F32_PORTABLE_H
#define HIL_KERNELS_CUMSUM_F32_PORTABLE_H

#include "floats.h"

typedef struct {
    int32_t rows, size, inner; /* elements before, along and behind the axis */
    int32_t exclusive, reverse;
} cumsum_f32_portable_shape;

HIL_INLINE void cumsum_f32_portable(const float *input, float *output, const cumsum_f32_portable_shape *s)
{
    for (int32_t r = 0; r < s->rows; ++r) {
        for (int32_t i = 0; i < s->inner; ++i) {
            float sum = 0.0f;
            for (int32_t k = 0; k < s->size; ++k) {
                const int32_t at = (r * s->size + (s->reverse ? s->size - 1 - k : k)) * s->inner + i;
                const float before = sum;
                sum += input[at];
                output[at] = s->exclusive ? before : sum;
            }
        }
    }
}

#endif
