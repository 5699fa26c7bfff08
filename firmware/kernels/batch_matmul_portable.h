/* BATCH_MATMUL, int8, int16 and float32: sums along the depth, in its order; batches are broadcast. */
#ifndef HIL_KERNELS_BATCH_MATMUL_PORTABLE_H
#define HIL_KERNELS_BATCH_MATMUL_PORTABLE_H

#include "floats.h"
#include "nest.h"
#include "requantize_wide.h"

typedef struct {
    hil_nest nest; /* over batches, in elements of a and b */
    int32_t rows, depth, columns;
    int32_t a_row, a_step, b_column, b_step; /* elements between rows, columns, and along the depth */
    int32_t is_float, is_wide, a_zero, b_zero, multiplier, shift, out_zero;
} batch_matmul_portable_shape;

HIL_INLINE float hil_matmul_float(const float *a, const float *b, const batch_matmul_portable_shape *s)
{
    float sum = 0.0f;
    for (int32_t k = 0; k < s->depth; ++k) {
        sum += hil_rounded(a[k * s->a_step] * b[k * s->b_step]);
    }
    return sum;
}

HIL_INLINE int32_t hil_matmul_byte(const int8_t *a, const int8_t *b, const batch_matmul_portable_shape *s)
{
    int32_t sum = 0;
    for (int32_t k = 0; k < s->depth; ++k) {
        sum += (a[k * s->a_step] - s->a_zero) * (b[k * s->b_step] - s->b_zero);
    }
    return hil_clamp(hil_wrap_add(hil_requantize(sum, s->multiplier, s->shift), s->out_zero), INT8_MIN, INT8_MAX);
}

HIL_INLINE int16_t hil_matmul_half(const int16_t *a, const int16_t *b, const batch_matmul_portable_shape *s)
{
    int64_t sum = 0;
    for (int32_t k = 0; k < s->depth; ++k) {
        sum += a[k * s->a_step] * b[k * s->b_step];
    }
    return (int16_t)hil_clamp(hil_requantize_wide(sum, s->multiplier, s->shift), INT16_MIN, INT16_MAX);
}

HIL_INLINE void batch_matmul_portable(const uint8_t *a, const uint8_t *b, uint8_t *output,
                                      const batch_matmul_portable_shape *s)
{
    HIL_NEST_FOR(s->nest) {
        const int32_t first = hil_i0 * s->nest.a0 + hil_i1 * s->nest.a1 + hil_i2 * s->nest.a2 + hil_i3 * s->nest.a3;
        const int32_t other = hil_i0 * s->nest.b0 + hil_i1 * s->nest.b1 + hil_i2 * s->nest.b2 + hil_i3 * s->nest.b3;
        for (int32_t i = 0; i < s->nest.n4; ++i) {
            const int32_t x = first + i * s->nest.a4, y = other + i * s->nest.b4;
            for (int32_t r = 0; r < s->rows; ++r) {
                for (int32_t c = 0; c < s->columns; ++c) {
                    const int32_t row = x + r * s->a_row, column = y + c * s->b_column;
                    if (s->is_float) {
                        const float *left = (const float *)(const void *)a, *right = (const float *)(const void *)b;
                        hil_float_store(output, hil_matmul_float(left + row, right + column, s));
                        output += 4;
                    } else if (s->is_wide) {
                        const int16_t *left = (const int16_t *)(const void *)a, *right = (const int16_t *)(const void *)b;
                        const int16_t made = hil_matmul_half(left + row, right + column, s);
                        memcpy(output, &made, sizeof made);
                        output += sizeof made;
                    } else {
                        const int8_t *left = (const int8_t *)a, *right = (const int8_t *)b;
                        *output++ = (uint8_t)(hil_matmul_byte(left + row, right + column, s) & 0xff);
                    }
                }
            }
        }
    }
}

#endif
