/* Sigmoid and tanh of int16 on Armv8.1-M MVE: four values from the table of sigmoid16.h. */
#ifndef HIL_KERNELS_SIGMOID16_MVE_H
#define HIL_KERNELS_SIGMOID16_MVE_H

#include <arm_mve.h>

#include "sigmoid16.h"

/* low and high points at `place` and `part` 2^-bits of the way between them, times 2^bits */
HIL_INLINE int32x4_t hil_mve_between(const uint16_t *table, uint32x4_t place, uint32x4_t part, int32_t bits)
{
    const uint32x4_t low = vldrhq_gather_shifted_offset_u32(table, place);
    const uint32x4_t high = vldrhq_gather_shifted_offset_u32(table + 1, place);
    return vreinterpretq_s32_u32(vaddq_u32(vshlq_r_u32(low, bits), vmulq_u32(part, vsubq_u32(high, low))));
}

HIL_INLINE int32x4_t hil_mve_sigmoid_between(const uint16_t *table, uint32x4_t magnitude)
{
    return hil_mve_between(table, vshrq_n_u32(magnitude, 9), vandq_u32(magnitude, vdupq_n_u32(0x1ff)), 9);
}

/* From the value for the magnitude of x, times 2^10, that for x. */
HIL_INLINE int32x4_t hil_mve_sigmoid_of(int32x4_t x, int32x4_t result)
{
    const int32x4_t up = vaddq_n_s32(result, 1 << 9);
    const int32x4_t down = vsubq_s32(vdupq_n_s32((1 << 25) + (1 << 9) - 1), result);
    return vshrq_n_s32(vpselq_s32(up, down, vcmpgeq_n_s32(x, 0)), 10);
}

/* hil_sigmoid16 */
HIL_INLINE int32x4_t hil_mve_sigmoid16(const uint16_t *table, int32x4_t x)
{
    return hil_mve_sigmoid_of(x, hil_mve_sigmoid_between(table, vreinterpretq_u32_s32(vabsq_s32(x))));
}

/* hil_sigmoid_any: from the last point on it saturates; what lies before is no more than 2^-6 of the result above that. */
HIL_INLINE int32x4_t hil_mve_sigmoid_any(const uint16_t *table, int32x4_t x)
{
    const uint32x4_t magnitude = vminq_u32(vreinterpretq_u32_s32(vabsq_s32(x)), vdupq_n_u32(HIL_SIGMOID_LAST << 9));
    const int32x4_t result = vminq_s32(hil_mve_sigmoid_between(table, magnitude), vdupq_n_s32(INT16_MAX << 10));
    return hil_mve_sigmoid_of(x, result);
}

/* hil_tanh16 */
HIL_INLINE int32x4_t hil_mve_tanh16(const uint16_t *table, int32x4_t x)
{
    const uint32x4_t size = vreinterpretq_u32_s32(vabsq_s32(x));
    const uint32x4_t magnitude = vminq_u32(size, vdupq_n_u32(HIL_SIGMOID_LAST << 8));
    const uint32x4_t part = vandq_u32(magnitude, vdupq_n_u32(0xff));
    const int32x4_t result = hil_mve_between(table, vshrq_n_u32(magnitude, 8), part, 8);
    const int32x4_t up = vaddq_n_s32(result, (1 << 7) - (1 << 23));
    const int32x4_t down = vsubq_s32(vdupq_n_s32((1 << 23) + (1 << 7) - 1), result);
    return vshrq_n_s32(vpselq_s32(up, down, vcmpgeq_n_s32(x, 0)), 8);
}

#endif
