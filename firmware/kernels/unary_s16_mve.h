/* ABS, RELU, RELU6 and LEAKY_RELU of int16 (unary_s16_portable.h), on Armv8.1-M MVE: four at a time. Works in place. */
#ifndef HIL_KERNELS_UNARY_S16_MVE_H
#define HIL_KERNELS_UNARY_S16_MVE_H

#include "requantize_mve.h"
#include "unary_s16_portable.h"

typedef unary_s16_portable_shape unary_s16_mve_shape;

HIL_INLINE int32x4_t unary_s16_mve_lanes(int32x4_t x, const unary_s16_mve_shape *s)
{
    if (!s->scaled) {
        return s->operation == HIL_UNARY_S16_ABS ? vabsq_s32(x) : x;
    }
    const int32x4_t above = hil_mve_requantize(x, s->above_multiplier, s->above_shift);
    if (s->above_multiplier == s->below_multiplier && s->above_shift == s->below_shift) {
        return above;
    }
    /* VQRDMULH rounds ties of products up as the portable form does, whatever the factor's sign */
    return vpselq_s32(above, hil_mve_requantize(x, s->below_multiplier, s->below_shift), vcmpgeq_n_s32(x, 0));
}

HIL_INLINE void unary_s16_mve(const int16_t *input, int16_t *output, const unary_s16_mve_shape *s)
{
    for (int32_t i = 0; i < s->count; i += 4) {
        const mve_pred16_t lanes = vctp32q((uint32_t)(s->count - i));
        const int32x4_t x = vsubq_n_s32(vldrhq_z_s32(input + i, lanes), s->in_zero);
        const int32x4_t made = vaddq_n_s32(unary_s16_mve_lanes(x, s), s->out_zero);
        vstrhq_p_s32(output + i, hil_mve_clamp(made, s->clamp_min, s->clamp_max), lanes);
    }
}

#endif
