/* FULLY_CONNECTED, float32: four outputs at a time, each summed in TFLM's order, the bias at the end. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_F32_PORTABLE_H
#define HIL_KERNELS_FULLY_CONNECTED_F32_PORTABLE_H

#include "floats.h"

typedef struct {
    int32_t rows, depth, outputs;
} fully_connected_f32_portable_shape;

/* weights: [outputs / 4, depth, 4]; bias: [outputs / 4, 4]; both filled up with zeros */
void fully_connected_f32_portable(const float *input, const float *weights, const float *bias, float *output, float low,
                                  float high, const fully_connected_f32_portable_shape *s);

#endif
