/* QUANTIZE between integer types where one has more than 8 bits (requantize_portable.h), on Armv8.1-M MVE: four at a time. */
#ifndef HIL_KERNELS_QUANTIZE_INTEGERS_MVE_H
#define HIL_KERNELS_QUANTIZE_INTEGERS_MVE_H

#include "requantize_mve.h"
#include "requantize_portable.h"

typedef requantize_portable_shape quantize_integers_mve_shape;

HIL_INLINE int32x4_t quantize_integers_mve_load(const uint8_t *p, int32_t i, int32_t type, mve_pred16_t lanes)
{
    const void *from = p + i * (type == HIL_S32 ? 4 : (type == HIL_S16 ? 2 : 1));
    if (type == HIL_S32) {
        return vldrwq_z_s32(from, lanes);
    }
    if (type == HIL_S16) {
        return vldrhq_z_s32(from, lanes);
    }
    return type == HIL_S8 ? vldrbq_z_s32(from, lanes) : vreinterpretq_s32_u32(vldrbq_z_u32(from, lanes));
}

HIL_INLINE void quantize_integers_mve_store(uint8_t *p, int32_t i, int32_t type, int32x4_t values, mve_pred16_t lanes)
{
    void *to = p + i * (type == HIL_S32 ? 4 : (type == HIL_S16 ? 2 : 1));
    if (type == HIL_S32) {
        vstrwq_p_s32(to, values, lanes);
    } else if (type == HIL_S16) {
        vstrhq_p_s32(to, values, lanes);
    } else {
        vstrbq_p_s32(to, values, lanes);
    }
}

HIL_INLINE void quantize_integers_mve(const uint8_t *input, uint8_t *output, const quantize_integers_mve_shape *s)
{
    for (int32_t i = 0; i < s->count; i += 4) {
        const mve_pred16_t lanes = vctp32q((uint32_t)(s->count - i));
        const int32x4_t values = vsubq_n_s32(quantize_integers_mve_load(input, i, s->in_type, lanes), s->in_zero);
        const int32x4_t scaled = vaddq_n_s32(hil_mve_requantize(values, s->multiplier, s->shift), s->out_zero);
        const int32x4_t made = s->out_type == HIL_S32 ? scaled : hil_mve_clamp(scaled, s->clamp_min, s->clamp_max);
        quantize_integers_mve_store(output, i, s->out_type, made, lanes);
    }
}

#endif
