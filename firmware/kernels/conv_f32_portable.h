/* CONV_2D, float32, any shape: one pixel and four output channels at a time, each summed in TFLM's order: by rows, columns and
 * input channels of the kernel, the bias at the end. */
#ifndef HIL_KERNELS_CONV_F32_PORTABLE_H
#define HIL_KERNELS_CONV_F32_PORTABLE_H

#include "floats.h"
#include "window.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w;
    int32_t dilation_h, dilation_w, pad_top, pad_left;
    int32_t groups, per_group; /* output channels of a group */
} conv_f32_portable_shape;

/* weights: [group, output channels of it / 4, row, column, input channel of the group, 4]; bias: [group, the same, 4]; both
 * filled up with zeros */
void conv_f32_portable(const float *input, const float *weights, const float *bias, float *output, float low, float high,
                       const conv_f32_portable_shape *s);

#endif
