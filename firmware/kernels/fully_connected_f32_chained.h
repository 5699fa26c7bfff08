/* FULLY_CONNECTED, float32 (fully_connected_f32.h): a product is multiplied and added by one instruction, which rounds twice. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_F32_CHAINED_H
#define HIL_KERNELS_FULLY_CONNECTED_F32_CHAINED_H

#include "fully_connected_f32.h"

typedef fully_connected_f32_shape fully_connected_f32_chained_shape;

void fully_connected_f32_chained(const float *input, const float *weights, const float *bias, float *output, float low, float high,
                                 const fully_connected_f32_chained_shape *s);

#endif
