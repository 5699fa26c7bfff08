/* DEPTHWISE_CONV_2D of int16 activations and int8 weights, any shape. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_S16_PORTABLE_H
#define HIL_KERNELS_DEPTHWISE_CONV_S16_PORTABLE_H

#include "requantize_wide.h"
#include "window.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w;
    int32_t dilation_h, dilation_w, pad_top, pad_left;
    int32_t multiplier; /* output channels of an input channel */
    scale_s16_shape scale;
} depthwise_conv_s16_portable_shape;

/* weights: [row, column, output channel]; biases and factors (multiplier, shift): [output channel] */
void depthwise_conv_s16_portable(const int16_t *input, const int8_t *weights, const int64_t *biases, const int32_t *factors,
                                 int16_t *output, const depthwise_conv_s16_portable_shape *s);

#endif
