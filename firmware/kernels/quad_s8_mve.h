/* Dot products of one row of int8 with four rows of weights, on Armv8.1-M MVE, and fixed point of four lanes.
 *
 * Packed weights: per 16 taps 16 bytes of each row; taps beyond the last are zero. */
#ifndef HIL_KERNELS_QUAD_S8_MVE_H
#define HIL_KERNELS_QUAD_S8_MVE_H

#include <arm_mve.h>

#include "kernel.h"

HIL_INLINE int32x4_t quad_s8_mve_dot(const int32_t *starts, const int8_t *x, const int8_t *w, int32_t count)
{
    int32_t a = starts[0], b = starts[1], c = starts[2], d = starts[3];
    for (int32_t steps = count >> 4; steps > 0; --steps) {
        const int8x16_t row = vldrbq_s8(x);
        a = vmladavaq_s8(a, row, vldrbq_s8(w));
        b = vmladavaq_s8(b, row, vldrbq_s8(w + 16));
        c = vmladavaq_s8(c, row, vldrbq_s8(w + 32));
        d = vmladavaq_s8(d, row, vldrbq_s8(w + 48));
        x += 16;
        w += 64;
    }
    if ((count & 15) != 0) {
        const int8x16_t row = vldrbq_z_s8(x, vctp8q((uint32_t)(count & 15)));
        a = vmladavaq_s8(a, row, vldrbq_s8(w));
        b = vmladavaq_s8(b, row, vldrbq_s8(w + 16));
        c = vmladavaq_s8(c, row, vldrbq_s8(w + 32));
        d = vmladavaq_s8(d, row, vldrbq_s8(w + 48));
    }
    return (int32x4_t){a, b, c, d};
}

/* As hil_requantize, of four lanes. */
HIL_INLINE int32x4_t quad_mve_requantize(int32x4_t x, int32_t multiplier, int32_t shift)
{
    if (shift > 0) {
        return vqrdmulhq_n_s32(vshlq_r_s32(x, shift), multiplier);
    }
    const int32x4_t high = vqrdmulhq_n_s32(x, multiplier);
    if (shift == 0) {
        return high;
    }
    /* rounds half up; away from zero takes one less where it is negative */
    return vrshlq_n_s32(vaddq_s32(high, vshrq_n_s32(high, 31)), shift);
}

HIL_INLINE int32x4_t quad_mve_clamp(int32x4_t x, int32_t low, int32_t high)
{
    return vminq_s32(vmaxq_s32(x, vdupq_n_s32(low)), vdupq_n_s32(high));
}

#endif
