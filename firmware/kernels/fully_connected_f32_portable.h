/* FULLY_CONNECTED, float32 (fully_connected_f32.h): a product and a sum are two instructions. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_F32_PORTABLE_H
#define HIL_KERNELS_FULLY_CONNECTED_F32_PORTABLE_H

#include "fully_connected_f32.h"

typedef fully_connected_f32_shape fully_connected_f32_portable_shape;

void fully_connected_f32_portable(const float *input, const float *weights, const float *bias, float *output, float low, float high,
                                  const fully_connected_f32_portable_shape *s);

#endif
