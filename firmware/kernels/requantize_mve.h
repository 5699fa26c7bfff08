/* TFLM's two roundings of four lanes by one multiplier; requant_mve.h tells why they are exact. */
#ifndef HIL_KERNELS_REQUANTIZE_MVE_H
#define HIL_KERNELS_REQUANTIZE_MVE_H

#include <arm_mve.h>

#include "kernel.h"

/* A positive shift goes left, before the product. */
HIL_INLINE int32x4_t hil_mve_requantize(int32x4_t x, int32_t multiplier, int32_t shift)
{
    const int32_t left = shift > 0 ? shift : 0;
    const int32_t right = shift < 0 ? shift : 0;
    const int32x4_t high = vqrdmulhq_n_s32(vshlq_r_s32(x, left), multiplier);
    const int32x4_t tie = vandq_s32(vshrq_n_s32(high, 31), vdupq_n_s32(right < 0 ? -1 : 0));
    return vrshlq_n_s32(vqaddq_s32(high, tie), right);
}

HIL_INLINE int32x4_t hil_mve_clamp(int32x4_t x, int32_t low, int32_t high)
{
    return vminq_s32(vmaxq_s32(x, vdupq_n_s32(low)), vdupq_n_s32(high));
}

#endif
