/* SVDF, float32: every sum in TensorFlow Lite Micro's order, every operation rounded by itself. */
#ifndef HIL_KERNELS_SVDF_F32_PORTABLE_H
#define HIL_KERNELS_SVDF_F32_PORTABLE_H

#include "floats.h"

typedef struct {
    int32_t batches, in_n, filters, rank, memory;
    int32_t has_low, low, has_high, high; /* the clamp */
} svdf_f32_portable_shape;

HIL_INLINE float svdf_f32_dot(const float *a, const float *b, int32_t count)
{
    float sum = 0.0f;
    for (int32_t i = 0; i < count; ++i) {
        sum = hil_rounded(sum + hil_rounded(a[i] * b[i]));
    }
    return sum;
}

HIL_INLINE void svdf_f32_portable(const float *input, const float *weights, const float *time, const float *biases,
                                  float *state, float *output, const svdf_f32_portable_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        const float *w = weights;
        const float *t = time;
        for (int32_t unit = 0; unit < s->filters / s->rank; ++unit) {
            float sum = biases[unit];
            for (int32_t r = 0; r < s->rank; ++r) {
                for (int32_t i = 0; i < s->memory - 1; ++i) {
                    state[i] = state[i + 1];
                }
                state[s->memory - 1] = svdf_f32_dot(input, w, s->in_n);
                sum = hil_rounded(sum + svdf_f32_dot(t, state, s->memory));
                w += s->in_n;
                t += s->memory;
                state += s->memory;
            }
            /* the upper end first: what is no number becomes an end, as in TFLM */
            const float lowered = !s->has_high || sum < (float)s->high ? sum : (float)s->high;
            *output++ = !s->has_low || lowered > (float)s->low ? lowered : (float)s->low;
        }
        input += s->in_n;
    }
}

#endif
