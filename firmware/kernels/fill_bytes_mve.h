/* Sets `bytes` bytes to `value`, MVE: PAD. */
#ifndef HIL_KERNELS_FILL_BYTES_MVE_H
#define HIL_KERNELS_FILL_BYTES_MVE_H

#include "fill_mve.h"

typedef struct {
    int32_t bytes, value;
} fill_bytes_mve_shape;

HIL_INLINE void fill_bytes_mve(uint8_t *output, const fill_bytes_mve_shape *s)
{
    fill_mve((int8_t *)output, s->value, s->bytes);
}

#endif
