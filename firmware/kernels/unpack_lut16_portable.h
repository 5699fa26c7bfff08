/* Weights of 16 values from indices of four bits, two a byte, the first in the lower half; the last byte may be half used. */
#ifndef HIL_KERNELS_UNPACK_LUT16_PORTABLE_H
#define HIL_KERNELS_UNPACK_LUT16_PORTABLE_H

#include "kernel.h"

/* pairs: of weights, the last one filled up */
typedef struct {
    int32_t pairs;
} unpack_lut16_portable_shape;

void unpack_lut16_portable(const uint8_t *indices, const int8_t *values, int8_t *weights,
                           const unpack_lut16_portable_shape *s);

#endif
