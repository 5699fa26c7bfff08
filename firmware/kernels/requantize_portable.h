/* QUANTIZE between integer types where one has more than 8 bits. */
#ifndef HIL_KERNELS_REQUANTIZE_PORTABLE_H
#define HIL_KERNELS_REQUANTIZE_PORTABLE_H

#include "convert.h"

typedef struct {
    int32_t count, in_type, in_zero, multiplier, shift, out_type, out_zero, clamp_min, clamp_max;
} requantize_portable_shape;

HIL_INLINE void requantize_portable(const uint8_t *input, uint8_t *output, const requantize_portable_shape *s)
{
    for (int32_t i = 0; i < s->count; ++i) {
        const int32_t value = (int32_t)((uint32_t)hil_load(input, i, s->in_type) - (uint32_t)s->in_zero);
        const int32_t scaled = hil_wrap_add(hil_requantize(value, s->multiplier, s->shift), s->out_zero);
        hil_store(output, i, s->out_type, hil_clamp(scaled, s->clamp_min, s->clamp_max));
    }
}

#endif
