/* ADD, int8, MVE, where one linear function equals TFLM's three roundings for every pair of operands: the compiler
 * has tried all 65536. Broadcasting by up to four loops around a run in which b is either dense too or one value. May
 * overwrite an operand that has the output's shape. */
#ifndef HIL_KERNELS_ADD_LINEAR_S8_MVE_H
#define HIL_KERNELS_ADD_LINEAR_S8_MVE_H

#include "kernel.h"

typedef struct {
    int32_t n0, n1, n2, n3, n4;
    int32_t a0, a1, a2, a3;
    int32_t b0, b1, b2, b3, b4; /* b4: 1, or 0 where b is one value */
    int32_t a_factor, b_factor, offset; /* output = clamp((a * a_factor + b * b_factor + offset + 2^21) >> 22) */
    int32_t clamp_min, clamp_max;
} add_linear_s8_mve_shape;

typedef struct {
    int32_t count, a_factor, b_factor, offset, clamp_min, clamp_max;
} add_linear_s8_mve_work;

void add_linear_s8_mve_dense(const int8_t *a, const int8_t *b, int8_t *output, const add_linear_s8_mve_work *work);

/* b counts as its first value: in the offset already */
void add_linear_s8_mve_value(const int8_t *a, int8_t *output, const add_linear_s8_mve_work *work);

HIL_INLINE void add_linear_s8_mve(const int8_t *a, const int8_t *b, int8_t *output, const add_linear_s8_mve_shape *s)
{
    add_linear_s8_mve_work work = {s->n4, s->a_factor, s->b_factor, s->offset, s->clamp_min, s->clamp_max};
    for (int32_t i0 = 0; i0 < s->n0; ++i0) {
        for (int32_t i1 = 0; i1 < s->n1; ++i1) {
            for (int32_t i2 = 0; i2 < s->n2; ++i2) {
                for (int32_t i3 = 0; i3 < s->n3; ++i3) {
                    const int8_t *x = a + i0 * s->a0 + i1 * s->a1 + i2 * s->a2 + i3 * s->a3;
                    const int8_t *y = b + i0 * s->b0 + i1 * s->b1 + i2 * s->b2 + i3 * s->b3;
                    if (s->b4 == 1) {
                        add_linear_s8_mve_dense(x, y, output, &work);
                    } else {
                        work.offset = s->offset + *y * s->b_factor;
                        add_linear_s8_mve_value(x, output, &work);
                    }
                    output += s->n4;
                }
            }
        }
    }
}

#endif
