/* RSQRT of int16; of the zero point and less it is the largest value. Works in place. */
#ifndef HIL_KERNELS_RSQRT_S16_PORTABLE_H
#define HIL_KERNELS_RSQRT_S16_PORTABLE_H

#include "inverse_root.h"

#define HIL_ROOT_BITS 20

typedef struct {
    int32_t count;
    int32_t multiplier, shift; /* of the root with HIL_ROOT_BITS bits behind the point */
} rsqrt_s16_portable_shape;

HIL_INLINE int16_t rsqrt_s16(int32_t value, const rsqrt_s16_portable_shape *s)
{
    if (value <= 0) {
        return INT16_MAX;
    }
    int32_t shift;
    const int32_t root = hil_inverse_root(value, &shift);
    const int32_t wide = hil_requantize(1, root, shift + HIL_ROOT_BITS);
    return (int16_t)hil_clamp(hil_requantize(wide, s->multiplier, s->shift), INT16_MIN, INT16_MAX);
}

HIL_INLINE void rsqrt_s16_portable(const int16_t *input, int16_t *output, const rsqrt_s16_portable_shape *s)
{
    for (int32_t i = 0; i < s->count; ++i) {
        output[i] = rsqrt_s16(input[i], s);
    }
}

#endif
