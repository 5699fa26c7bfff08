/* ADD, SUB and MUL of float32, with broadcasting, in vectors of MVE as far as those are exact. */
#ifndef HIL_KERNELS_BINARY_F32_MVE_H
#define HIL_KERNELS_BINARY_F32_MVE_H

#include "plain_binary_portable.h"
#include "row_f32_mve.h"

typedef struct {
    hil_nest nest; /* steps in elements, those of rows 0 or 1 */
    int32_t operation;
} binary_f32_mve_shape;

/* folds to one function where the operation is a literal, and only that one is linked */
HIL_INLINE row_f32_mve_function *binary_f32_mve_choose(int32_t operation)
{
    return operation == HIL_PLAIN_ADD ? row_f32_mve_add : operation == HIL_PLAIN_SUB ? row_f32_mve_sub : row_f32_mve_mul;
}

/* A row; `a` and `b` point to blocks, or to one block that is the same throughout. */
HIL_INLINE void binary_f32_mve_row(const float *a, const float *b, float *output, const row_f32_mve_shape *row, int32_t count,
                                   int32_t operation)
{
    int32_t left;
    while ((left = binary_f32_mve_choose(operation)(a, b, output, count, row)) > 0) {
        const int32_t done = count - left, some = left < HIL_ROW_F32_BLOCK ? left : HIL_ROW_F32_BLOCK;
        a += row->a_step == 0 ? 0 : done;
        b += row->b_step == 0 ? 0 : done;
        output += done;
        for (int32_t i = 0; i < some; ++i) {
            output[i] = hil_float_clamp(hil_plain_float(a[i], b[i], operation), row->low, row->high);
        }
        a += row->a_step == 0 ? 0 : some;
        b += row->b_step == 0 ? 0 : some;
        output += some;
        count = left - some;
        if (count == 0) {
            return;
        }
    }
}

HIL_INLINE void binary_f32_mve_fill(float *block, float value)
{
    for (int32_t i = 0; i < HIL_ROW_F32_BLOCK; ++i) {
        block[i] = value;
    }
}

HIL_INLINE void binary_f32_mve(const uint8_t *a, const uint8_t *b, uint8_t *output, float low, float high,
                               const binary_f32_mve_shape *s)
{
    float *out = (float *)(void *)output;
    const row_f32_mve_shape row = {low, high, s->nest.a4 == 0 ? 0 : 64, s->nest.b4 == 0 ? 0 : 64};
    HIL_NEST_FOR(s->nest) {
        const float *x = HIL_NEST_A((const float *)(const void *)a, s->nest);
        const float *y = HIL_NEST_B((const float *)(const void *)b, s->nest);
        float all[HIL_ROW_F32_BLOCK];
        if (s->nest.a4 == 0) {
            binary_f32_mve_fill(all, x[0]);
            x = all;
        } else if (s->nest.b4 == 0) {
            binary_f32_mve_fill(all, y[0]);
            y = all;
        }
        binary_f32_mve_row(x, y, out, &row, s->nest.n4, s->operation);
        out += s->nest.n4;
    }
}

#endif
