/* Fills bytes with one value: the border of PAD. */
#ifndef HIL_KERNELS_FILL_PORTABLE_H
#define HIL_KERNELS_FILL_PORTABLE_H

#include <string.h>

#include "requantize.h"

typedef struct {
    int32_t bytes, value;
} fill_portable_shape;

HIL_INLINE void fill_portable(uint8_t *output, const fill_portable_shape *s)
{
    memset(output, (int)(s->value & 0xff), (size_t)s->bytes);
}

#endif
