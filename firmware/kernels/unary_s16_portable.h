/* ABS, RELU, RELU6 and LEAKY_RELU of int16: one multiplier from zero up, another below. Works in place. */
#ifndef HIL_KERNELS_UNARY_S16_PORTABLE_H
#define HIL_KERNELS_UNARY_S16_PORTABLE_H

#include "requantize.h"

#define HIL_UNARY_S16_ABS 0
#define HIL_UNARY_S16_LEAKY_RELU 1
#define HIL_UNARY_S16_RELU 2
#define HIL_UNARY_S16_RELU6 3

typedef struct {
    int32_t count, operation, in_zero;
    int32_t scaled; /* 0: values are not multiplied */
    int32_t above_multiplier, above_shift;
    int32_t below_multiplier, below_shift; /* the multiplier may be negative */
    int32_t out_zero, clamp_min, clamp_max;
} unary_s16_portable_shape;

HIL_INLINE int32_t hil_unary_s16(int32_t value, const unary_s16_portable_shape *s)
{
    if (!s->scaled) {
        return s->operation == HIL_UNARY_S16_ABS && value < 0 ? -value : value;
    }
    return value >= 0 ? hil_requantize(value, s->above_multiplier, s->above_shift)
                      : hil_requantize(value, s->below_multiplier, s->below_shift);
}

HIL_INLINE void unary_s16_portable(const int16_t *input, int16_t *output, const unary_s16_portable_shape *s)
{
    for (int32_t i = 0; i < s->count; ++i) {
        const int32_t made = hil_wrap_add(hil_unary_s16(input[i] - s->in_zero, s), s->out_zero);
        output[i] = (int16_t)hil_clamp(made, s->clamp_min, s->clamp_max);
    }
}

#endif
