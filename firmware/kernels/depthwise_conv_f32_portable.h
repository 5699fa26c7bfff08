/* DEPTHWISE_CONV_2D, float32, any shape: each output summed by rows and columns of the kernel, the bias at the end. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_F32_PORTABLE_H
#define HIL_KERNELS_DEPTHWISE_CONV_F32_PORTABLE_H

#include "floats.h"
#include "window.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w;
    int32_t dilation_h, dilation_w, pad_top, pad_left;
    int32_t multiplier; /* output channels of an input channel */
} depthwise_conv_f32_portable_shape;

/* weights: [row, column, output channel]; bias: [output channel] */
void depthwise_conv_f32_portable(const float *input, const float *weights, const float *bias, float *output, float low,
                                 float high, const depthwise_conv_f32_portable_shape *s);

#endif
