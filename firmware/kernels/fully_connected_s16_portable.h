/* FULLY_CONNECTED of int16 activations and int8 weights: four outputs at a time. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S16_PORTABLE_H
#define HIL_KERNELS_FULLY_CONNECTED_S16_PORTABLE_H

#include "requantize_wide.h"

typedef struct {
    int32_t rows, depth, outputs;
    scale_s16_shape scale;
} fully_connected_s16_portable_shape;

/* weights: [outputs / 4, depth, 4]; biases and factors (multiplier, shift): [outputs / 4, 4]; all filled up with zeros */
void fully_connected_s16_portable(const int16_t *input, const int8_t *weights, const int64_t *biases, const int32_t *factors,
                                  int16_t *output, const fully_connected_s16_portable_shape *s);

#endif
