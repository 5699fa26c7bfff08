/* Dot products of one row of int16 with four rows of int8 weights, on Armv8.1-M MVE; and their rescaling, as in scale_s16.h. */
#ifndef HIL_KERNELS_QUAD_S16_MVE_H
#define HIL_KERNELS_QUAD_S16_MVE_H

#include <arm_mve.h>

#include "kernel.h"

/* sums[k] += x[i] * w[k * stride + i] for i < count */
HIL_INLINE void quad_s16_mve_dot(int32_t *sums, const int16_t *x, const int8_t *w, int32_t stride, int32_t count)
{
    int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
    const int8_t *wa = w, *wb = w + stride, *wc = w + 2 * stride, *wd = w + 3 * stride;
    for (int32_t left = count >> 3; left > 0; --left) {
        const int16x8_t values = vldrhq_s16(x);
        a = vmladavaq_s16(a, values, vldrbq_s16(wa));
        b = vmladavaq_s16(b, values, vldrbq_s16(wb));
        c = vmladavaq_s16(c, values, vldrbq_s16(wc));
        d = vmladavaq_s16(d, values, vldrbq_s16(wd));
        x += 8;
        wa += 8;
        wb += 8;
        wc += 8;
        wd += 8;
    }
    if ((count & 7) != 0) {
        const mve_pred16_t lanes = vctp16q((uint32_t)count & 7);
        const int16x8_t values = vldrhq_z_s16(x, lanes);
        a = vmladavaq_s16(a, values, vldrbq_z_s16(wa, lanes));
        b = vmladavaq_s16(b, values, vldrbq_z_s16(wb, lanes));
        c = vmladavaq_s16(c, values, vldrbq_z_s16(wc, lanes));
        d = vmladavaq_s16(d, values, vldrbq_z_s16(wd, lanes));
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

/* The first `count` of four sums as outputs. */
HIL_INLINE void quad_s16_mve_store(int16_t *output, const int32_t *sums, const int32_t *factors, int32_t count, int32_t low,
                                   int32_t high)
{
    const mve_pred16_t lanes = vctp32q((uint32_t)count);
    const int32x4_t made = vrmulhq_s32(vldrwq_s32(sums), vldrwq_s32(factors));
    vstrhq_p_s32(output, vminq_s32(vmaxq_s32(made, vdupq_n_s32(low)), vdupq_n_s32(high)), lanes);
}

#endif
