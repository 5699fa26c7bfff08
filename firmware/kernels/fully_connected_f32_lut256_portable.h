/* FULLY_CONNECTED, float32, weights of up to 256 values (fully_connected_f32_lut256.h): a product and a sum are two instructions. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_F32_LUT256_PORTABLE_H
#define HIL_KERNELS_FULLY_CONNECTED_F32_LUT256_PORTABLE_H

#include "fully_connected_f32_lut256.h"

typedef fully_connected_f32_lut256_shape fully_connected_f32_lut256_portable_shape;

void fully_connected_f32_lut256_portable(const float *input, const uint8_t *indices, const float *values, const float *bias,
                                   float *output, float *weights, float low, float high,
                                   const fully_connected_f32_lut256_portable_shape *s);

#endif
