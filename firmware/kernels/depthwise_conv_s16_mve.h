/* DEPTHWISE_CONV_2D of int16 activations and int8 weights on Armv8.1-M MVE: eight channels at a time, whose inputs are gathered
 * where a channel has several filters. With m of them out_c * m is at most 2^16.
 *
 * For sums, biases included, of 32 bits, and factors below a half (scale_s16.h). */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_S16_MVE_H
#define HIL_KERNELS_DEPTHWISE_CONV_S16_MVE_H

#include "window.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w;
    int32_t dilation_h, dilation_w, pad_top, pad_left;
    int32_t clamp_min, clamp_max;
    int32_t out_c, reciprocal; /* of filters a channel: 2^16 divided by them, rounded up; 0 where it is one */
} depthwise_conv_s16_mve_shape;

/* weights: [row, column, channel]; records: [channels / 8] of biases and factors, of even channels and odd ones, four each */
void depthwise_conv_s16_mve(const int16_t *input, const int8_t *weights, const int32_t *records, int16_t *output,
                            const depthwise_conv_s16_mve_shape *s);

#endif
