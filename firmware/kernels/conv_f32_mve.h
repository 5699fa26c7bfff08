/* CONV_2D, float32, any shape, in vectors of MVE where those are exact (quad_f32_mve.h): four pixels of a row, whose windows
 * have the same taps in the image, or one, by four output channels. Weights and biases as conv_f32.h has them. */
#ifndef HIL_KERNELS_CONV_F32_MVE_H
#define HIL_KERNELS_CONV_F32_MVE_H

#include "conv_f32.h"

typedef conv_f32_shape conv_f32_mve_shape;

void conv_f32_mve(const float *input, const float *weights, const float *bias, float *output, float low, float high,
                  const conv_f32_mve_shape *s);

#endif
