/* FULLY_CONNECTED of int16 activations and int8 weights on Armv8.1-M MVE: four outputs at a time, of any sums and factors. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S16_LONG_MVE_H
#define HIL_KERNELS_FULLY_CONNECTED_S16_LONG_MVE_H

#include "row_s16_long_mve.h"

typedef struct {
    int32_t rows;
    row_s16_mve_shape row;
    scale_s16_shape scale;
} fully_connected_s16_long_mve_shape;

/* weights, biases and factors: row_s16_long_mve.h */
void fully_connected_s16_long_mve(const int16_t *input, const int8_t *weights, const int64_t *biases,
                                  const int32_t *factors, int16_t *output, const fully_connected_s16_long_mve_shape *s);

#endif
