/* FULLY_CONNECTED, float32: two rows and four outputs at a time, each summed in TFLM's order, the bias at the end. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_F32_H
#define HIL_KERNELS_FULLY_CONNECTED_F32_H

#include "quad_f32.h"

typedef struct {
    int32_t rows, depth, outputs;
} fully_connected_f32_shape;

/* weights: [outputs / 4, input, 4]; bias: [outputs / 4, 4]; both filled up with zeros */
HIL_INLINE void fully_connected_f32(const float *input, const float *weights, const float *bias, float *output, float low,
                                    float high, int32_t kind, const fully_connected_f32_shape *s)
{
    for (int32_t row = 0; row < s->rows; row += 2) {
        const float *w = weights, *b = bias;
        const int32_t two = row + 1 < s->rows;
        for (int32_t left = s->outputs; left > 0; left -= 4) {
            const int32_t count = left < 4 ? left : 4;
            float sums[8];
            quad_f32_clear(sums, 8);
            if (two) {
                quad_f32_dots(sums, input, input + s->depth, w, s->depth, kind);
                quad_f32_store(output + s->outputs, sums + 4, b, count, low, high);
            } else {
                quad_f32_dot(sums, input, w, s->depth, kind);
            }
            quad_f32_store(output, sums, b, count, low, high);
            output += count;
            w += 4 * s->depth;
            b += 4;
        }
        input += two ? 2 * s->depth : s->depth;
        output += two ? s->outputs : 0;
    }
}

#endif
