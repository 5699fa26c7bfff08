/* FULLY_CONNECTED, float32, weights of up to 256 values: those of some taps and four outputs at a time are looked up into
 * scratch, and summed as in fully_connected_f32.h, in the same order. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_F32_LUT256_H
#define HIL_KERNELS_FULLY_CONNECTED_F32_LUT256_H

#include "quad_f32.h"

/* Taps that are looked up at a time; scratch has room for four weights of each. */
#define HIL_LUT256_TAPS 32

typedef struct {
    int32_t rows, depth, outputs;
} fully_connected_f32_lut256_shape;

/* indices: [outputs / 4, input, 4]; bias: [outputs / 4, 4]; both filled up */
HIL_INLINE void fully_connected_f32_lut256(const float *input, const uint8_t *indices, const float *values,
                                           const float *bias, float *output, float *weights, float low, float high,
                                           int32_t kind, const fully_connected_f32_lut256_shape *s)
{
    for (int32_t row = 0; row < s->rows; row += 2) {
        const uint8_t *index = indices;
        const float *b = bias;
        const int32_t two = row + 1 < s->rows;
        for (int32_t left = s->outputs; left > 0; left -= 4) {
            const int32_t count = left < 4 ? left : 4;
            float sums[8];
            quad_f32_clear(sums, 8);
            for (int32_t tap = 0; tap < s->depth; tap += HIL_LUT256_TAPS) {
                const int32_t taps = s->depth - tap < HIL_LUT256_TAPS ? s->depth - tap : HIL_LUT256_TAPS;
                float *w = weights;
                for (int32_t i = 0; i < taps; ++i) {
                    w[0] = values[index[0]];
                    w[1] = values[index[1]];
                    w[2] = values[index[2]];
                    w[3] = values[index[3]];
                    w += 4;
                    index += 4;
                }
                if (two) {
                    quad_f32_dots(sums, input + tap, input + s->depth + tap, weights, taps, kind);
                } else {
                    quad_f32_dot(sums, input + tap, weights, taps, kind);
                }
            }
            if (two) {
                quad_f32_store(output + s->outputs, sums + 4, b, count, low, high);
            }
            quad_f32_store(output, sums, b, count, low, high);
            output += count;
            b += 4;
        }
        input += two ? 2 * s->depth : s->depth;
        output += two ? s->outputs : 0;
    }
}

#endif
