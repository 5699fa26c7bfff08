/* Element-wise int8 kernels of two operands, MVE: broadcasting by up to four loops around a run that is dense in a,
 * and in b unless that is one value there; arithmetic on four 32-bit lanes. */
#ifndef HIL_KERNELS_BINARY_S8_MVE_H
#define HIL_KERNELS_BINARY_S8_MVE_H

#include "nest.h"
#include "requantize_mve.h"

typedef struct {
    hil_nest nest; /* a4 is 1; b4 is 1, or 0 where b is one value */
    int32_t a_zero, a_multiplier, a_shift;
    int32_t b_zero, b_multiplier, b_shift;
    int32_t left_shift;
    int32_t out_zero, out_multiplier, out_shift, clamp_min, clamp_max;
} binary_s8_mve_shape;

/* both operands without their zero points -> the scaled result without the output's */
typedef int32x4_t (*binary_s8_mve_function)(const binary_s8_mve_shape *s, int32x4_t a, int32x4_t b);

HIL_INLINE int32x4_t binary_s8_mve_finish(const binary_s8_mve_shape *s, int32x4_t scaled)
{
    return hil_mve_clamp(vqaddq_n_s32(scaled, s->out_zero), s->clamp_min, s->clamp_max);
}

HIL_INLINE void binary_s8_mve_run(const int8_t *a, const int8_t *b, int8_t *output, const binary_s8_mve_shape *s,
                                  binary_s8_mve_function function)
{
    int32x4_t y = vdupq_n_s32(*b - s->b_zero);
    int32_t left = s->nest.n4;
    for (; left >= 4; left -= 4) {
        const int32x4_t x = vsubq_n_s32(vldrbq_s32(a), s->a_zero);
        if (s->nest.b4 == 1) {
            y = vsubq_n_s32(vldrbq_s32(b), s->b_zero);
            b += 4;
        }
        vstrbq_s32(output, binary_s8_mve_finish(s, function(s, x, y)));
        a += 4;
        output += 4;
    }
    if (left > 0) {
        const mve_pred16_t lanes = vctp32q((uint32_t)left);
        const int32x4_t x = vsubq_n_s32(vldrbq_z_s32(a, lanes), s->a_zero);
        if (s->nest.b4 == 1) {
            y = vsubq_n_s32(vldrbq_z_s32(b, lanes), s->b_zero);
        }
        vstrbq_p_s32(output, binary_s8_mve_finish(s, function(s, x, y)), lanes);
    }
}

HIL_INLINE void binary_s8_mve_loops(const int8_t *a, const int8_t *b, int8_t *output, const binary_s8_mve_shape *s,
                                    binary_s8_mve_function function)
{
    HIL_NEST_FOR(s->nest) {
        binary_s8_mve_run(HIL_NEST_A(a, s->nest), HIL_NEST_B(b, s->nest), output, s, function);
        output += s->nest.n4;
    }
}

#endif
