/* CONV_2D, float32 (conv_f32.h): a product and a sum are two instructions. */
#ifndef HIL_KERNELS_CONV_F32_PORTABLE_H
#define HIL_KERNELS_CONV_F32_PORTABLE_H

#include "conv_f32.h"

typedef conv_f32_shape conv_f32_portable_shape;

void conv_f32_portable(const float *input, const float *weights, const float *bias, float *output, float low, float high,
                       const conv_f32_portable_shape *s);

#endif
