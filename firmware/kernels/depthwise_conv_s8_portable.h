/* DEPTHWISE_CONV_2D, int8, any shape: one pixel and four output channels at a time. The zero point is folded into the bias. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_S8_PORTABLE_H
#define HIL_KERNELS_DEPTHWISE_CONV_S8_PORTABLE_H

#include "scale_s8.h"

typedef struct {
    scale_s8_shape scale;
    int32_t batches, in_h, in_w, in_c, out_h, out_w, multiplier;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int32_t in_zero;
} depthwise_conv_s8_portable_shape;

void depthwise_conv_s8_portable(const int8_t *input, const int8_t *weights, const int32_t *records, int8_t *output,
                                const depthwise_conv_s8_portable_shape *s);

#endif
