/* Rescaling of sums of int16 activations, as TensorFlow Lite Micro rescales 64-bit sums: by the upper 16 bits of the multiplier,
 * rounded once, ties up. */
#ifndef HIL_KERNELS_REQUANTIZE_WIDE_H
#define HIL_KERNELS_REQUANTIZE_WIDE_H

#include "requantize.h"

/* x of up to 48 bits */
HIL_INLINE int32_t hil_requantize_wide(int64_t x, int32_t multiplier, int32_t shift)
{
    const int32_t reduced = multiplier < 0x7fff0000 ? (multiplier + (1 << 15)) >> 16 : 0x7fff;
    const int32_t right = 15 - shift;
    return (int32_t)((x * reduced + ((int64_t)1 << (right - 1))) >> right);
}

typedef struct {
    int32_t narrow; /* sums of 32 bits, which are rescaled as int8 layers rescale theirs */
    int32_t clamp_min, clamp_max;
} scale_s16_shape;

/* One output of sum, bias, multiplier and shift. */
HIL_INLINE int16_t hil_scale_s16(int64_t sum, int64_t bias, const int32_t *factor, const scale_s16_shape *s)
{
    const int64_t total = sum + bias;
    const int32_t made = s->narrow ? hil_requantize((int32_t)(uint32_t)((uint64_t)total & 0xffffffffU), factor[0], factor[1])
                                   : hil_requantize_wide(total, factor[0], factor[1]);
    return (int16_t)hil_clamp(made, s->clamp_min, s->clamp_max);
}

#endif
