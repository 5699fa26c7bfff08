/* DEQUANTIZE to float32: scale * (x - zero point). */
#ifndef HIL_KERNELS_DEQUANTIZE_PORTABLE_H
#define HIL_KERNELS_DEQUANTIZE_PORTABLE_H

#include "convert.h"

typedef struct {
    int32_t count, in_type, in_zero;
} dequantize_portable_shape;

HIL_INLINE void dequantize_portable(const uint8_t *input, uint8_t *output, float scale,
                                    const dequantize_portable_shape *s)
{
    for (int32_t i = 0; i < s->count; ++i) {
        const float value = scale * (float)(hil_load(input, i, s->in_type) - s->in_zero);
        memcpy(output + 4 * i, &value, 4);
    }
}

#endif
