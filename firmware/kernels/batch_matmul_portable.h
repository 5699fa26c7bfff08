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

/* Columns that are computed together: the row's element is loaded once for all. */
#define HIL_MATMUL_COLUMNS 4

/* HIL_MATMUL_COLUMNS outputs of a row, each summed in its order, where `all`, else the first of them. A compiler keeps none of
 * the others then. */
HIL_INLINE void hil_matmul_floats(const float *a, const float *b, float *output, int32_t all,
                                  const batch_matmul_portable_shape *s)
{
    const int32_t step = all ? s->b_column : 0;
    float first = 0.0f, second = 0.0f, third = 0.0f, fourth = 0.0f;
    for (int32_t k = 0; k < s->depth; ++k) {
        first += hil_rounded(*a * b[0]);
        if (all) {
            second += hil_rounded(*a * b[step]);
            third += hil_rounded(*a * b[2 * step]);
            fourth += hil_rounded(*a * b[3 * step]);
        }
        a += s->a_step;
        b += s->b_step;
    }
    output[0] = first;
    if (all) {
        output[1] = second;
        output[2] = third;
        output[3] = fourth;
    }
}

HIL_INLINE int8_t hil_matmul_byte(uint32_t sum, uint32_t row, const batch_matmul_portable_shape *s)
{
    /* b's zero point counts once for all elements of the row */
    const int32_t made = hil_requantize((int32_t)(sum - row * (uint32_t)s->b_zero), s->multiplier, s->shift);
    return (int8_t)hil_clamp(hil_wrap_add(made, s->out_zero), INT8_MIN, INT8_MAX);
}

HIL_INLINE void hil_matmul_bytes(const int8_t *a, const int8_t *b, int8_t *output, int32_t all,
                                 const batch_matmul_portable_shape *s)
{
    const int32_t step = all ? s->b_column : 0;
    uint32_t first = 0, second = 0, third = 0, fourth = 0, row = 0;
    for (int32_t k = 0; k < s->depth; ++k) {
        const int32_t value = *a - s->a_zero;
        row += (uint32_t)value;
        first += (uint32_t)(value * b[0]);
        if (all) {
            second += (uint32_t)(value * b[step]);
            third += (uint32_t)(value * b[2 * step]);
            fourth += (uint32_t)(value * b[3 * step]);
        }
        a += s->a_step;
        b += s->b_step;
    }
    output[0] = hil_matmul_byte(first, row, s);
    if (all) {
        output[1] = hil_matmul_byte(second, row, s);
        output[2] = hil_matmul_byte(third, row, s);
        output[3] = hil_matmul_byte(fourth, row, s);
    }
}

HIL_INLINE int16_t hil_matmul_half(int64_t sum, const batch_matmul_portable_shape *s)
{
    return (int16_t)hil_clamp(hil_requantize_wide(sum, s->multiplier, s->shift), INT16_MIN, INT16_MAX);
}

HIL_INLINE void hil_matmul_halves(const int16_t *a, const int16_t *b, int16_t *output, int32_t all,
                                  const batch_matmul_portable_shape *s)
{
    const int32_t step = all ? s->b_column : 0;
    int64_t first = 0, second = 0, third = 0, fourth = 0;
    for (int32_t k = 0; k < s->depth; ++k) {
        first += *a * b[0];
        if (all) {
            second += *a * b[step];
            third += *a * b[2 * step];
            fourth += *a * b[3 * step];
        }
        a += s->a_step;
        b += s->b_step;
    }
    output[0] = hil_matmul_half(first, s);
    if (all) {
        output[1] = hil_matmul_half(second, s);
        output[2] = hil_matmul_half(third, s);
        output[3] = hil_matmul_half(fourth, s);
    }
}

/* Outputs of a row from column `c` on; the type is a literal. */
HIL_INLINE void hil_matmul_some(const uint8_t *a, const uint8_t *b, uint8_t *output, int32_t row, int32_t column, int32_t c,
                                int32_t all, const batch_matmul_portable_shape *s)
{
    if (s->is_float) {
        hil_matmul_floats((const float *)(const void *)a + row, (const float *)(const void *)b + column,
                          (float *)(void *)output + c, all, s);
    } else if (s->is_wide) {
        hil_matmul_halves((const int16_t *)(const void *)a + row, (const int16_t *)(const void *)b + column,
                          (int16_t *)(void *)output + c, all, s);
    } else {
        hil_matmul_bytes((const int8_t *)a + row, (const int8_t *)b + column, (int8_t *)output + c, all, s);
    }
}

HIL_INLINE void batch_matmul_portable(const uint8_t *a, const uint8_t *b, uint8_t *output,
                                      const batch_matmul_portable_shape *s)
{
    const int32_t size = s->is_float ? 4 : s->is_wide ? 2 : 1;
    const int32_t together = s->columns - s->columns % HIL_MATMUL_COLUMNS;
    HIL_NEST_FOR(s->nest) {
        const int32_t first = hil_i0 * s->nest.a0 + hil_i1 * s->nest.a1 + hil_i2 * s->nest.a2 + hil_i3 * s->nest.a3;
        const int32_t other = hil_i0 * s->nest.b0 + hil_i1 * s->nest.b1 + hil_i2 * s->nest.b2 + hil_i3 * s->nest.b3;
        for (int32_t i = 0; i < s->nest.n4; ++i) {
            const int32_t x = first + i * s->nest.a4, y = other + i * s->nest.b4;
            for (int32_t r = 0; r < s->rows; ++r) {
                const int32_t row = x + r * s->a_row;
                for (int32_t c = 0; c < together; c += HIL_MATMUL_COLUMNS) {
                    hil_matmul_some(a, b, output, row, y + c * s->b_column, c, 1, s);
                }
                for (int32_t c = together; c < s->columns; ++c) {
                    hil_matmul_some(a, b, output, row, y + c * s->b_column, c, 0, s);
                }
                output += s->columns * size;
            }
        }
    }
}

#endif
