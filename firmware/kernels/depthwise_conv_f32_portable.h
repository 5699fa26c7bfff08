/* DEPTHWISE_CONV_2D, float32 (depthwise_conv_f32.h): a product and a sum are two instructions. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_F32_PORTABLE_H
#define HIL_KERNELS_DEPTHWISE_CONV_F32_PORTABLE_H

#include "depthwise_conv_f32.h"

typedef depthwise_conv_f32_shape depthwise_conv_f32_portable_shape;

void depthwise_conv_f32_portable(const float *input, const float *weights, const float *bias, float *output, float low, float high,
                                 const depthwise_conv_f32_portable_shape *s);

#endif
