/* LOGISTIC and TANH of int16 by the table of sigmoid16.h, MVE. Works in place. */
#ifndef HIL_KERNELS_SIGMOID_S16_MVE_H
#define HIL_KERNELS_SIGMOID_S16_MVE_H

#include "sigmoid16_mve.h"
#include "sigmoid_s16_portable.h"

typedef sigmoid_s16_portable_shape sigmoid_s16_mve_shape;

HIL_INLINE int32x4_t sigmoid_s16_mve_lanes(const uint16_t *table, int32x4_t x, const sigmoid_s16_mve_shape *s)
{
    x = vrshlq_n_s32(vmulq_n_s32(x, s->multiplier), -s->right);
    return s->function == HIL_SIGMOID_TANH ? hil_mve_tanh16(table, x) : hil_mve_sigmoid_any(table, x);
}

HIL_INLINE void sigmoid_s16_mve(const int16_t *input, const uint16_t *table, int16_t *output,
                                const sigmoid_s16_mve_shape *s)
{
    int32_t left = s->count;
    for (; left >= 4; left -= 4) {
        vstrhq_s32(output, sigmoid_s16_mve_lanes(table, vldrhq_s32(input), s));
        input += 4;
        output += 4;
    }
    if (left > 0) {
        const mve_pred16_t lanes = vctp32q((uint32_t)left);
        vstrhq_p_s32(output, sigmoid_s16_mve_lanes(table, vldrhq_z_s32(input, lanes), s), lanes);
    }
}

#endif
