/* QUANTIZE from float32: round(x / scale) + zero point, half away from zero; out of range saturates, NaN is the zero point. */
#ifndef HIL_KERNELS_QUANTIZE_F32_PORTABLE_H
#define HIL_KERNELS_QUANTIZE_F32_PORTABLE_H

#include "convert.h"

typedef struct {
    int32_t count, out_type, out_zero, clamp_min, clamp_max;
} quantize_f32_portable_shape;

HIL_INLINE int32_t quantize_f32_portable_round(float x)
{
    /* far beyond every type's range, far inside int32's */
    if (x >= 1048576.0f) {
        return 1048576;
    }
    if (x <= -1048576.0f) {
        return -1048576;
    }
    if (x != x) {
        return 0;
    }
    const int32_t whole = (int32_t)x;
    const float rest = x - (float)whole; /* exact */
    return whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
}

HIL_INLINE void quantize_f32_portable(const uint8_t *input, uint8_t *output, float scale,
                                      const quantize_f32_portable_shape *s)
{
    for (int32_t i = 0; i < s->count; ++i) {
        float x;
        memcpy(&x, input + 4 * i, 4);
        const int32_t value = quantize_f32_portable_round(x / scale) + s->out_zero;
        hil_store(output, i, s->out_type, hil_clamp(value, s->clamp_min, s->clamp_max));
    }
}

#endif
