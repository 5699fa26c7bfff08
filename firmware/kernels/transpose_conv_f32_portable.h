/* TRANSPOSE_CONV, float32, any shape. */
#ifndef HIL_KERNELS_TRANSPOSE_CONV_F32_PORTABLE_H
#define HIL_KERNELS_TRANSPOSE_CONV_F32_PORTABLE_H

#include "transpose_conv_portable.h"

typedef transpose_conv_portable_shape transpose_conv_f32_portable_shape;

/* weights: OHWI; bias: of each output channel */
void transpose_conv_f32_portable(const float *input, const float *weights, const float *bias, float *output, float low,
                                 float high, const transpose_conv_f32_portable_shape *s);

#endif
