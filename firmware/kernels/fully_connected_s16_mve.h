/* FULLY_CONNECTED of int16 activations and int8 weights on Armv8.1-M MVE: four outputs at a time.
 *
 * For sums, biases included, of 32 bits, and factors below a half (scale_s16.h). */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S16_MVE_H
#define HIL_KERNELS_FULLY_CONNECTED_S16_MVE_H

#include "kernel.h"

typedef struct {
    int32_t rows, depth, outputs;
    int32_t clamp_min, clamp_max;
} fully_connected_s16_mve_shape;

/* weights: [outputs, depth], filled up with zeros to a multiple of four rows;
 * records: [outputs / 4] of four biases, four factors */
void fully_connected_s16_mve(const int16_t *input, const int8_t *weights, const int32_t *records, int16_t *output,
                             const fully_connected_s16_mve_shape *s);

#endif
