/* DEPTHWISE_CONV_2D, float32 (depthwise_conv_f32.h): a product is multiplied and added by one instruction, which rounds twice. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_F32_CHAINED_H
#define HIL_KERNELS_DEPTHWISE_CONV_F32_CHAINED_H

#include "depthwise_conv_f32.h"

typedef depthwise_conv_f32_shape depthwise_conv_f32_chained_shape;

void depthwise_conv_f32_chained(const float *input, const float *weights, const float *bias, float *output, float low, float high,
                                const depthwise_conv_f32_chained_shape *s);

#endif
