/* FULLY_CONNECTED and 1x1 CONV_2D, int8, weights of 16 values: four outputs at a time, every weight looked up as it is used.
 *
 * Weights are indices of four bits. Of four outputs those of a tap are two bytes, the first in the lower half; those of an
 * output left over follow one another. Zero points are folded into the bias. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S8_LUT16_PORTABLE_H
#define HIL_KERNELS_FULLY_CONNECTED_S8_LUT16_PORTABLE_H

#include "scale_s8.h"

/* per_channel: whether every output has 16 values of its own */
typedef struct {
    scale_s8_shape scale;
    int32_t batches, in_n, out_n, per_channel;
} fully_connected_s8_lut16_portable_shape;

void fully_connected_s8_lut16_portable(const int8_t *input, const uint8_t *weights, const int8_t *values,
                                       const int32_t *records, int8_t *output,
                                       const fully_connected_s8_lut16_portable_shape *s);

#endif
