/* LOGICAL_NOT. Works in place. */
#ifndef HIL_KERNELS_LOGICAL_NOT_PORTABLE_H
#define HIL_KERNELS_LOGICAL_NOT_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t count;
} logical_not_portable_shape;

HIL_INLINE void logical_not_portable(const uint8_t *input, uint8_t *output, const logical_not_portable_shape *s)
{
    for (int32_t i = 0; i < s->count; ++i) {
        output[i] = input[i] == 0 ? 1 : 0;
    }
}

#endif
