/* FULLY_CONNECTED, float32, weights of up to 256 values (fully_connected_f32_lut256.h): a product and a sum are one instruction. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_F32_LUT256_CHAINED_H
#define HIL_KERNELS_FULLY_CONNECTED_F32_LUT256_CHAINED_H

#include "fully_connected_f32_lut256.h"

typedef fully_connected_f32_lut256_shape fully_connected_f32_lut256_chained_shape;

void fully_connected_f32_lut256_chained(const float *input, const uint8_t *indices, const float *values, const float *bias,
                                   float *output, float *weights, float low, float high,
                                   const fully_connected_f32_lut256_chained_shape *s);

#endif
