/* CONV_2D, float32 (conv_f32.h): a product is multiplied and added by one instruction, which rounds twice. */
#ifndef HIL_KERNELS_CONV_F32_CHAINED_H
#define HIL_KERNELS_CONV_F32_CHAINED_H

#include "conv_f32.h"

typedef conv_f32_shape conv_f32_chained_shape;

void conv_f32_chained(const float *input, const float *weights, const float *bias, float *output, float low, float high,
                      const conv_f32_chained_shape *s);

#endif
