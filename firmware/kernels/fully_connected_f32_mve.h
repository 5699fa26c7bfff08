/* FULLY_CONNECTED, float32, in vectors of MVE where those are exact (quad_f32_mve.h): four rows or one by four outputs. Weights
 * and biases as fully_connected_f32.h has them. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_F32_MVE_H
#define HIL_KERNELS_FULLY_CONNECTED_F32_MVE_H

#include "fully_connected_f32.h"

typedef fully_connected_f32_shape fully_connected_f32_mve_shape;

void fully_connected_f32_mve(const float *input, const float *weights, const float *bias, float *output, float low, float high,
                             const fully_connected_f32_mve_shape *s);

#endif
