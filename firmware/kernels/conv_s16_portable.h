/* CONV_2D of int16 activations and int8 weights, any shape: one pixel and four output channels at a time. */
#ifndef HIL_KERNELS_CONV_S16_PORTABLE_H
#define HIL_KERNELS_CONV_S16_PORTABLE_H

#include "requantize_wide.h"
#include "window.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w;
    int32_t dilation_h, dilation_w, pad_top, pad_left;
    int32_t groups, per_group; /* output channels of a group */
    scale_s16_shape scale;
} conv_s16_portable_shape;

/* weights: [group, output channels of it / 4, row, column, input channel of the group, 4]; biases and factors (multiplier, shift):
 * [group, the same, 4]; all filled up with zeros */
void conv_s16_portable(const int16_t *input, const int8_t *weights, const int64_t *biases, const int32_t *factors,
                       int16_t *output, const conv_s16_portable_shape *s);

#endif
