/* FULLY_CONNECTED, int8: four outputs at a time (quad_s8.h). The zero point is folded into the bias. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S8_PORTABLE_H
#define HIL_KERNELS_FULLY_CONNECTED_S8_PORTABLE_H

#include "scale_s8.h"

typedef struct {
    scale_s8_shape scale;
    int32_t batches, in_n, out_n;
} fully_connected_s8_portable_shape;

void fully_connected_s8_portable(const int8_t *input, const int8_t *weights, const int32_t *records, int8_t *output,
                                 const fully_connected_s8_portable_shape *s);

#endif
