/* SOFTMAX and LOG_SOFTMAX over the last dimension, float32. Works in place. */
#ifndef HIL_KERNELS_SOFTMAX_F32_PORTABLE_H
#define HIL_KERNELS_SOFTMAX_F32_PORTABLE_H

#include "elementary.h"

#define HIL_ROWS_SOFTMAX 0
#define HIL_ROWS_LOG_SOFTMAX 1

typedef struct {
    int32_t rows, depth, logarithm;
} softmax_f32_portable_shape;

HIL_INLINE void softmax_f32_portable(const float *input, float *output, float beta, const softmax_f32_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        float most = input[0], sum = 0.0f;
        for (int32_t i = 1; i < s->depth; ++i) {
            most = most < input[i] ? input[i] : most;
        }
        for (int32_t i = 0; i < s->depth; ++i) {
            const float power = hil_exp(hil_rounded((input[i] - most) * beta));
            sum += power;
            output[i] = s->logarithm ? input[i] : power;
        }
        const float scale = s->logarithm ? hil_log(sum) : sum;
        for (int32_t i = 0; i < s->depth; ++i) {
            output[i] = s->logarithm ? output[i] - most - scale : output[i] / scale;
        }
        input += s->depth;
        output += s->depth;
    }
}

#endif
