/* ADD, int8, MVE, where one linear function equals TFLM's three roundings for every pair of operands: the compiler
 * has tried all 65536. Broadcasting by up to four loops around a run in which b is either dense too or one value. May
 * overwrite an operand that has the output's shape. */
#ifndef HIL_KERNELS_ADD_LINEAR_S8_MVE_H
#define HIL_KERNELS_ADD_LINEAR_S8_MVE_H

#include "nest.h"

typedef struct {
    hil_nest nest; /* a4 is 1; b4 is 1, or 0 where b is one value */
    int32_t a_factor, b_factor, offset; /* clamp((a * a_factor + b * b_factor + offset + 2^21) >> 22), add_line.h */
    int32_t clamp_min, clamp_max;
} add_linear_s8_mve_shape;

typedef struct {
    int32_t count, a_factor, b_factor, offset, clamp_min, clamp_max;
} add_linear_s8_mve_work;

void add_linear_s8_mve_dense(const int8_t *a, const int8_t *b, int8_t *output, const add_linear_s8_mve_work *work);

/* b counts as its first value: in the offset already */
void add_linear_s8_mve_value(const int8_t *a, int8_t *output, const add_linear_s8_mve_work *work);

/* with a clamp that is int8's range */
void add_linear_s8_mve_saturating_dense(const int8_t *a, const int8_t *b, int8_t *output,
                                        const add_linear_s8_mve_work *work);
void add_linear_s8_mve_saturating_value(const int8_t *a, int8_t *output, const add_linear_s8_mve_work *work);

HIL_INLINE void add_linear_s8_mve(const int8_t *a, const int8_t *b, int8_t *output, const add_linear_s8_mve_shape *s)
{
    add_linear_s8_mve_work work = {s->nest.n4, s->a_factor, s->b_factor, s->offset, s->clamp_min, s->clamp_max};
    const int saturating = s->clamp_min == -128 && s->clamp_max == 127;
    HIL_NEST_FOR(s->nest) {
        const int8_t *x = HIL_NEST_A(a, s->nest);
        const int8_t *y = HIL_NEST_B(b, s->nest);
        if (s->nest.b4 == 1) {
            (saturating ? add_linear_s8_mve_saturating_dense : add_linear_s8_mve_dense)(x, y, output, &work);
        } else {
            work.offset = s->offset + *y * s->b_factor;
            (saturating ? add_linear_s8_mve_saturating_value : add_linear_s8_mve_value)(x, output, &work);
        }
        output += s->nest.n4;
    }
}

#endif
